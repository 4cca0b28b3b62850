//! What only a terminal shows: the live view gives it back on every way out, and real shells complete what the fleet file declares.

use std::path::Path;

use crate::support::Fleetctl;
use crate::support::fleet_text::{extract, guarded_head, mini};
use crate::support::terminal::{Step, drive};

/// One machine that nothing answers for.
fn fleet() -> String {
    let nobody = "address = \"127.0.0.1\"\nssh_port = 1";
    let slot = "[slots.extract-fast]\nroute = [\"extract-2b\"]\n";
    guarded_head("test", "America/New_York", "0.3.8") + &mini("mac-one", nobody) + &extract(&["mac-one"]) + slot
}

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
        let fleetctl = Fleetctl::with_fleet(&fleet());
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

/// What the next test runs on a terminal of its own: a bug while the live view has the whole screen.
#[test]
#[ignore = "it ends the process"]
fn panics_on_the_whole_screen() {
    let exit = fleetctl::guarded(|| {
        let _screen = fleetctl::ui::Screen::enter().expect("a terminal");
        panic!("two and two\u{1b}[2J is five")
    });
    #[expect(clippy::exit, reason = "it stands for main")]
    std::process::exit(i32::from(exit.code()));
}

#[test]
fn a_bug_gives_the_terminal_back_and_says_that_it_is_one() {
    const BUG: i64 = 70;
    let directory = tempfile::tempdir().expect("a directory");
    let this = std::env::current_exe().expect("the tests' own program");
    let name = "on_a_terminal::panics_on_the_whole_screen";
    let ended = drive(
        &[this.to_str().expect("text"), "--ignored", "--exact", name, "--nocapture"],
        &variables(directory.path().to_str().expect("text"), &[]),
        directory.path(),
        &[],
    );
    assert_eq!((ended.exit, ended.is_restored), (BUG, true), "{}", ended.written);
    let (_, after) = ended.written.rsplit_once("\u{1b}[?1049l").expect("it was entered and left");
    let lines: Vec<&str> = after.lines().filter(|line| line.contains(": ")).collect();
    assert!(
        lines[0].contains(&format!("error: a bug in fleetctl {}: two and two", env!("CARGO_PKG_VERSION"))),
        "{after}"
    );
    assert!(lines[0].contains("(tests/it/on_a_terminal.rs:") && !lines[0].contains("\u{1b}[2J"), "{after}");
    assert!(lines[1].contains("fleetctl status"), "{after}");
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
        let fleetctl = Fleetctl::with_fleet(&fleet());
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
    let broken = fleet().replace("profile = \"edge\"", "profile = \"egde\"").replace("16GB", "16XB");
    let said = Fleetctl::with_fleet(&broken).set("COLUMNS", "80").run(&["check"]);
    assert_eq!(said.exit, Some(3));
    insta::assert_snapshot!(said.stdout.trim_end(), @r#"
    error[invalid-size]: machines.mac-one.memory: "16XB" is not a size: write a
                         number and B, KB, MB, GB or TB, as in "36GB"
      --> fleet.toml:17:10
       |
    17 | memory = "16XB"
       |          ^^^^^^

    error[unknown-reference]: there is no profile "egde"
      --> fleet.toml:29:11
       |
    29 | profile = "egde"
       |           ^^^^^^
       |
       = help: did you mean "edge"?

    fleet.toml: 2 errors
    "#);
}
