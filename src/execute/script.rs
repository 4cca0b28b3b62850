//! The text that goes through the one command under sudo: the functions of `upload.sh`, the payload in here-documents, the calls.
//!
//! Nothing of the fleet file stands in it outside the here-documents, which no shell expands, but ids and names that are slugs, quoted all the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::payload::{Payload, Source};
use super::terms::Purpose;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::transport::quote;

const FUNCTIONS: &str = include_str!("../../templates/apply/upload.sh");

/// What ends a here-document.
const END: &str = "FLEETCTL_FILE";

/// Characters of a here-document's line, so that no line is longer than any tool reads (POSIX.1-2017: `LINE_MAX` is at least 2048).
const LINE: usize = 1000;

/// The runner; and where there is none any more (it was killed in its last moment), the job takes away what is left: the spent payload, its own
/// definition, itself.
const START: &str = "[ ! -f /usr/local/var/fleetctl/apply/runner ] || exec /bin/sh /usr/local/var/fleetctl/apply/runner; \
rm -rf /usr/local/var/fleetctl/.apply.done.*; rm -f /Library/LaunchDaemons/dev.fleetctl.apply.plist; \
exec /bin/launchctl bootout system/dev.fleetctl.apply";

/// The definition of the job that runs the runner.
///
/// `RunAtLoad`, so that it starts now and after every boot; no `KeepAlive`, because it ends for good when it is done. `StartInterval`, because a runner that was killed
/// while nobody watches must be started again: a fire while it runs is lost (launchd.plist(5)).
fn plist() -> String {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Job {
        label: &'static str,
        program_arguments: [&'static str; 3],
        run_at_load: bool,
        start_interval: u32,
        process_type: &'static str,
        umask: u32,
    }
    let job = Job {
        label: "dev.fleetctl.apply",
        program_arguments: ["/bin/sh", "-c", START],
        run_at_load: true,
        start_interval: 30,
        process_type: "Interactive",
        umask: 0o077,
    };
    let mut text = Vec::new();
    // A struct of plain values into memory: nothing in it can fail.
    drop(plist::to_writer_xml(&mut text, &job));
    String::from_utf8(text).unwrap_or_default()
}

fn definition() -> String {
    format!("runner_plist() {{\ncat <<'FLEETCTL_PLIST'\n{}\nFLEETCTL_PLIST\n}}\n", plist())
}

/// Uploads a payload, starts the runner and watches it to its end.
pub fn upload(payload: &Payload) -> SecretString {
    let id = quote(&payload.id);
    let mut text = format!("{FUNCTIONS}\n{}\nprepare_upload {id}\n", definition());
    for file in &payload.files {
        let place = format!("\"$NEW\"/{}", quote(&file.path));
        match &file.source {
            Source::Sent(bytes) => here_document(&mut text, &place, bytes.expose_secret()),
            Source::There(path) => text.push_str(&format!("cat {} >{place}\n", quote(path))),
            Source::Same(path) => text.push_str(&format!("cat \"$NEW\"/{} >{place}\n", quote(path))),
        }
    }
    let calls = format!("check_upload {}\ninstall_upload\nbegin\nwatch {id}\n", quote(&payload.digest));
    let forget = if payload.purpose == Purpose::Remove { format!("forget {id}\n") } else { String::new() };
    SecretString::from(text + &calls + &forget)
}

/// The command that writes `content` to `place`.
///
/// As it is where it is plain text, because base64 leaves ssh's compression next to nothing to take away; in base64 otherwise.
fn here_document(text: &mut String, place: &str, content: &str) {
    if is_plain(content) {
        text.push_str(&format!("cat >{place} <<'{END}'\n{content}{END}\n"));
        return;
    }
    text.push_str(&format!("base64 -d >{place} <<'{END}'\n"));
    let encoded = STANDARD.encode(content);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push('\n');
}

/// Whether every shell passes it on to the byte: whole lines of printable ASCII (bash 3.2 loses U+0001 and U+007F in here-documents), none of which ends the
/// document or is longer than [`LINE`].
fn is_plain(content: &str) -> bool {
    let is_text = |byte: u8| byte == b'\n' || byte == b'\t' || (b' '..=b'~').contains(&byte);
    content.ends_with('\n')
        && content.bytes().all(is_text)
        && content.lines().all(|line| line != END && line.len() <= LINE)
}

/// Watches a transaction that was begun earlier, and starts its runner where it does not run.
pub fn attach(id: &str) -> String {
    let id = quote(id);
    format!("{FUNCTIONS}\n{}\nif [ \"$(meta id)\" = {id} ]; then start_runner; fi\nwatch {id}\n", definition())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// What the shell writes when it is given the content.
    #[expect(clippy::disallowed_methods, reason = "a shell of this computer, to see what it makes of the text")]
    fn through_a_shell(content: &str) -> Vec<u8> {
        let mut text = String::new();
        here_document(&mut text, "/dev/stdout", content);
        let mut shell =
            Command::new("/bin/sh").args(["-s"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        shell.stdin.take().expect("its input").write_all(text.as_bytes()).expect("told");
        shell.wait_with_output().expect("its output").stdout
    }

    #[test]
    fn every_byte_passes_the_shell() {
        let long = format!("{}\n", "x".repeat(LINE + 1));
        let marked = format!("{END}\nrm -rf \"$NEW\"\n");
        let plain = ["a\n", "\t$HOME `id` \\ \"'\n\n  # two\n", crate::plan::RUNNER];
        let encoded = ["", "no end", "caf\u{e9}\n", "\u{1}\u{7f}\n", "cr\r\n", &long, &marked];
        for (content, travels_as_it_is) in
            plain.map(|text| (text, true)).into_iter().chain(encoded.map(|text| (text, false)))
        {
            assert_eq!(is_plain(content), travels_as_it_is, "{content:.40?}");
            assert_eq!(through_a_shell(content), content.as_bytes(), "{content:.40?}");
        }
    }

    #[test]
    fn the_runners_job_starts_at_load_and_is_no_keepalive() {
        insta::assert_snapshot!(plist(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <plist version="1.0">
        <dict>
        	<key>Label</key>
        	<string>dev.fleetctl.apply</string>
        	<key>ProgramArguments</key>
        	<array>
        		<string>/bin/sh</string>
        		<string>-c</string>
        		<string>[ ! -f /usr/local/var/fleetctl/apply/runner ] || exec /bin/sh /usr/local/var/fleetctl/apply/runner; rm -rf /usr/local/var/fleetctl/.apply.done.*; rm -f /Library/LaunchDaemons/dev.fleetctl.apply.plist; exec /bin/launchctl bootout system/dev.fleetctl.apply</string>
        	</array>
        	<key>RunAtLoad</key>
        	<true/>
        	<key>StartInterval</key>
        	<integer>30</integer>
        	<key>ProcessType</key>
        	<string>Interactive</string>
        	<key>Umask</key>
        	<integer>63</integer>
        </dict>
        </plist>
        "#);
    }
}
