//! No secret is anywhere but where it must be: in oMLX's own file and in root's own directories.

use std::process::Command;

use super::bench::Bench;
use super::holds::Way;
use super::host::{self, KEY};

/// The one key in all forms in which it could lie about.
fn forms(key: &str) -> Vec<String> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    // Base64 of a text inside another text depends on where it begins; the middle of each of the three is certain.
    let inside = (0..3).map(|shift| {
        let encoded = engine.encode(format!("{}{key}", "x".repeat(shift)));
        encoded[4..encoded.len() - 4].to_owned()
    });
    std::iter::once(key.to_owned()).chain(inside).collect()
}

#[test]
fn a_whole_run_leaves_no_secret_and_no_argument_holds_one() {
    if !host::possible() {
        return;
    }
    let bench = Bench::new("secrets", Way::Restart, "");
    // Every process of the host, all the time: names in a file, the key itself never passes through an argument of the watcher.
    bench.host.sh("( while [ ! -e /var/hold/enough ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>/var/hold/arguments; sleep 0.02; done ) >/dev/null 2>&1 &");
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--verbose"]);
    assert_eq!(code, 0, "{out}{err}");
    // One that fails says more: its log lines and reasons too.
    bench.host.sh("printf '{\"fail_load\": [\"alpha\"]}' >/var/lab/omlx/8000.json; chmod 644 /var/lab/omlx/8000.json");
    let (code, out2, err2) = bench.host.fleetctl(&bench.files[0], &["apply", "--yes", "--json", "--verbose"]);
    assert_eq!(code, 7, "{out2}{err2}");
    let (_, history, _) = bench.host.fleetctl(&bench.files[0], &["history", host::HOST, "--json"]);
    bench.host.sh(": >/var/hold/enough; sleep 0.2");

    for form in forms(KEY) {
        for text in [&out, &err, &out2, &err2, &history] {
            assert!(!text.contains(&form), "printed: {text}");
        }
        let script = format!(
            "cat >/var/canaries/form <<'E'\n{form}\nE\ngrep -c -F -f /var/canaries/form /var/hold/arguments; rm -f /var/hold/arguments.seen; find / -xdev \\( -path /proc -o -path /dev -o -path /System -o -path /usr/lib -o -path /usr/share -o -path /opt/homebrew/Cellar \\) -prune -o -type f -exec grep -l -F -f /var/canaries/form {{}} + 2>/dev/null | sort; rm -f /var/canaries/form"
        );
        let said = bench.host.try_sh(&script).out;
        let (arguments, files) = said.split_once('\n').unwrap_or((&said, ""));
        assert_eq!(arguments, "0", "an argument of a process held the key");
        let wrong: Vec<&str> = files
            .lines()
            .filter(|file| {
                let allowed = *file == "/Users/ops/.omlx/settings.json"
                    || file.starts_with("/usr/local/var/fleetctl/generations/")
                    || file.starts_with("/private/var/canaries/");
                !allowed
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    // Where it must be, nobody else may read it.
    let rights = bench.host.sh("stat -f '%Su %Lp' /Users/ops/.omlx/settings.json /usr/local/var/fleetctl/generations");
    assert_eq!(rights, "ops 600\nroot 700\n");
    // What the laptop keeps: receipts, control sockets, anything.
    let (home, _) = bench.host.laptop_home();
    for form in forms(KEY) {
        let found = Command::new("grep").args(["-r", "-l", "-F", "--", &form]).arg(&home).output().expect("grep runs");
        assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
    }
    let receipts = Command::new("find").arg(&home).args(["-path", "*/receipts/*.json"]).output().expect("find runs");
    assert_eq!(
        String::from_utf8_lossy(&receipts.stdout).lines().count(),
        3,
        "a receipt for each apply that did something"
    );
}

#[test]
fn the_line_for_sudoers_is_one() {
    // `scripts/test --no-lab` installs nothing; with the lab, visudo is there.
    if std::env::var_os("FLEETLAB").is_some_and(|lab| lab == "off")
        && !std::path::Path::new("/usr/sbin/visudo").exists()
    {
        println!("skipped: visudo is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("fleetctl");
    let line = fleetctl::transport::sudo::line("ops");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README");
    assert!(readme.lines().any(|said| said == line), "README shows another line than {line}");
    std::fs::write(&file, line + "\n").expect("written");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o440)).expect("0440");
    let output = Command::new("/usr/sbin/visudo").arg("-cf").arg(&file).output().expect("visudo is installed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("parsed OK"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
