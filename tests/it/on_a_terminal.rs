//! What only a terminal shows: the live view gives it back on every way out, and real shells complete what the fleet file declares.

use std::path::Path;

use crate::support::Fleetctl;
use crate::support::terminal::{Step, drive};

const FLEET: &str = r#"
schema = 1
[fleet]
name = "test"
timezone = "America/New_York"
user = "ops"
[omlx]
version = "0.3.8"
program = "/opt/homebrew/bin/omlx"
bind = "all"
port = 8000
base = "~/.omlx"
weights = "~/models"
api_key = { command = ["/bin/echo", "k"] }
[machines.mac-one]
chip = "M4"
memory = "16GB"
address = "127.0.0.1"
ssh_port = 1
[models.small]
directory = "small"
size = "1.6GB"
kind = "llm"
[profiles.edge]
max_context_window = 8192
[serve.extract-2b]
model = "small"
profile = "edge"
on = ["mac-one"]
[slots.extract-fast]
route = ["extract-2b"]
"#;

fn variables<'a>(home: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("HOME", home), ("PATH", "/usr/bin:/bin"), ("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];
    all.extend(more);
    all
}

#[test]
fn the_live_view_gives_the_terminal_back() {
    const INTERRUPTED: i64 = 130;
    let leave: [(&str, Vec<Step<'_>>, i64); 3] = [
        ("q", vec![Step::Send("q")], 0),
        ("Ctrl-C", vec![Step::Send("\u{3}")], INTERRUPTED),
        ("SIGTERM", vec![Step::Signal(15)], 0),
    ];
    for (way, last, exit) in leave {
        let fleetctl = Fleetctl::with_fleet(FLEET);
        let directory = fleetctl.directory();
        let home = directory.to_str().expect("text");
        let mut steps = vec![
            Step::Expect("unreachable"),
            Step::Resize(120, 30),
            Step::Expect("unreachable"),
            Step::Send("?"),
            Step::Expect("choose a machine"),
            Step::Send("q"),
        ];
        steps.extend(last);
        let ended = drive(
            &[env!("CARGO_BIN_EXE_fleetctl"), "status", "--watch", "1"],
            &variables(home, &[("NO_COLOR", "1")]),
            &directory,
            &steps,
        );
        assert_eq!((ended.exit, ended.is_restored), (exit, true), "{way}: {}", ended.written);
        let (entered, left) = (ended.written.find("\u{1b}[?1049h"), ended.written.rfind("\u{1b}[?1049l"));
        assert!(entered < left && ended.written.trim_end().ends_with("\u{1b}[?25h"), "{way}: {}", ended.written);
        for color in ["\u{1b}[31m", "\u{1b}[38;5"] {
            assert!(!ended.written.contains(color), "{way}: NO_COLOR is set: {}", ended.written);
        }
    }
}

#[test]
fn shells_complete_what_the_fleet_file_declares() {
    // The shell asks whatever `fleetctl` its PATH has.
    let program = Path::new(env!("CARGO_BIN_EXE_fleetctl")).parent().expect("a directory");
    let path = format!("{}:/usr/bin:/bin", program.display());
    let shells: [(&str, &[&str], &str); 3] = [
        ("/bin/bash", &["--norc", "--noprofile", "-i"], "source <(fleetctl completions bash)\n"),
        ("/usr/bin/zsh", &["-f", "-i"], "autoload -U compinit; compinit -u -D; source <(fleetctl completions zsh)\n"),
        ("/usr/bin/fish", &["--no-config", "-i"], "fleetctl completions fish | source\n"),
    ];
    for (shell, arguments, setup) in shells {
        if !Path::new(shell).exists() {
            #[expect(clippy::disallowed_methods, reason = "whether this is CI decides between a skip and a failure")]
            let in_ci = std::env::var_os("CI").is_some();
            assert!(!in_ci, "{shell} is missing: scripts/lab-setup installs it");
            println!("skipped, {shell} is not installed");
            continue;
        }
        let fleetctl = Fleetctl::with_fleet(FLEET);
        let directory = fleetctl.directory();
        let home = directory.to_str().expect("text");
        let mut steps = vec![Step::Send(setup), Step::Send("echo rea''dy\n"), Step::Expect("ready")];
        for (typed, wanted) in [
            ("echo '' ; fleetctl resolve extr\t", "extract-fast"),
            ("echo '' ; fleetctl logs mac\t", "mac-one"),
            ("echo '' ; fleetctl load ext\t", "extract-2b"),
            ("echo '' ; fleetctl status --on mac\t", "mac-one"),
            ("echo '' ; fleetctl expl\t", "explain"),
        ] {
            steps.extend([Step::Send(typed), Step::Expect(wanted), Step::Send("\u{15}")]);
        }
        steps.push(Step::Send("exit\n"));
        let more = [("PATH", path.as_str())];
        let ended = drive(&[&[shell], arguments].concat(), &variables(home, &more), &directory, &steps);
        assert_eq!(ended.exit, 0, "{shell}: {}", ended.written);
    }
}

#[test]
fn what_needs_no_network_fits_a_small_and_a_large_terminal() {
    let example = include_str!("../../fleet.toml");
    for columns in ["80", "160"] {
        let fleetctl = Fleetctl::with_fleet(example).set("COLUMNS", columns);
        for words in [
            &["schedule", "--at", "2026-11-23T12:00:00Z"] as &[&str],
            &["capacity"],
            &["resolve", "extract-fast", "--offline", "--explain", "--at", "2026-11-23T12:00:00Z"],
        ] {
            let said = fleetctl.run(words);
            assert_eq!(said.exit, Some(0), "{said}");
            let wide = said
                .stdout
                .lines()
                .filter(|line| unicode_width::UnicodeWidthStr::width(*line) > columns.parse().expect("a number"));
            assert_eq!(wide.collect::<Vec<_>>(), [""; 0], "{} at {columns}", words.join(" "));
        }
    }
}

#[test]
fn check_with_errors_on_a_small_terminal() {
    let broken = FLEET.replace("profile = \"edge\"", "profile = \"egde\"").replace("16GB", "16XB");
    let said = Fleetctl::with_fleet(&broken).set("COLUMNS", "80").run(&["check"]);
    assert_eq!(said.exit, Some(3));
    insta::assert_snapshot!(said.stdout.trim_end(), @r#"
    error[invalid-size]: machines.mac-one.memory: "16XB" is not a size: write a number and B, KB, MB, GB or TB, as in "36GB"
      --> fleet.toml:17:10
       |
    17 | memory = "16XB"
       |          ^^^^^^

    error[unknown-reference]: there is no profile "egde"
      --> fleet.toml:28:11
       |
    28 | profile = "egde"
       |           ^^^^^^
       |
       = help: did you mean "edge"?

    fleet.toml: 2 errors
    "#);
}
