//! The lab (`tests/lab`) from a test: hosts that behave as Macs, up while a value lives.
//!
//! Labs are told apart by name and share nothing, so tests that use one may run beside each other. Where no lab can run, a
//! test says why and ends; in CI that is a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which hosts a lab has.
#[derive(Clone, Copy)]
pub(crate) enum Hosts<'a> {
    /// The article's four machines, with oMLX 0.3.8 and tiny models.
    Article,
    /// So many with SSH and launchd only.
    Light(u32),
    /// What a TOML file says (tests/lab/README.md).
    Spec(&'a Path),
}

/// A lab that is up; it goes down when the value or the process ends.
pub(crate) struct Lab {
    name: String,
}

/// What a command said, as text.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    /// The exit code; 128 + N for signal N.
    pub(crate) code: i32,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Lab {
    /// Brings a lab up; `None`, after saying why, where none can run.
    pub(crate) fn up(hosts: Hosts) -> Option<Self> {
        let check = run(&["can-run"]);
        if check.code != 0 {
            #[expect(clippy::disallowed_methods, reason = "whether this is CI decides between a skip and a failure")]
            let in_ci = std::env::var_os("CI").is_some();
            assert!(!in_ci, "no lab can run here: {}", check.err);
            #[expect(clippy::print_stdout, reason = "a skipped test says so")]
            {
                println!("skipped, no lab can run here: {}", check.err.trim());
            }
            return None;
        }
        let owner = std::process::id().to_string();
        let name = format!("it-{owner}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let lab = Self { name };
        let mut words = vec!["up", &lab.name, "--owner", &owner];
        let number;
        match hosts {
            Hosts::Article => {}
            Hosts::Light(count) => {
                number = count.to_string();
                words.extend(["--light", &number]);
            }
            Hosts::Spec(path) => words.extend(["--spec", path.to_str().expect("a path in UTF-8")]),
        }
        let said = run(&words);
        assert_eq!(said.code, 0, "the lab did not come up: {}", said.err);
        Some(lab)
    }

    /// Runs a command on the laptop: its own home, key, known hosts and names.
    pub(crate) fn laptop(&self, command: &[&str]) -> Said {
        say(&mut self.laptop_command(command))
    }

    /// Runs fleetctl on the laptop.
    pub(crate) fn fleetctl(&self, arguments: &[&str]) -> Said {
        self.laptop(&[&[env!("CARGO_BIN_EXE_fleetctl")], arguments].concat())
    }

    /// The laptop's command line for a caller that wants the process itself (to kill it, to feed it).
    pub(crate) fn laptop_command(&self, command: &[&str]) -> Command {
        let mut process = lab_command();
        process.args(["laptop", &self.name, "--"]).args(command);
        process
    }

    /// Runs a script with a host's `/bin/sh` as at its console, as `ops` or `root`.
    pub(crate) fn on(&self, host: &str, user: &str, script: &str) -> Said {
        run(&["exec", &self.name, host, "--user", user, "--", "/bin/sh", "-c", script])
    }

    /// The command line of a process on a host, for a caller that feeds it.
    pub(crate) fn command_on(&self, host: &str, user: &str, command: &[&str]) -> Command {
        let mut process = lab_command();
        process.args(["exec", &self.name, host, "--user", user, "--"]).args(command);
        process
    }

    /// Starts a fault on a host; tests/lab/README.md lists them.
    pub(crate) fn fault(&self, host: &str, words: &[&str]) {
        self.must(&[&["fault", &self.name, host], words].concat());
    }

    /// Ends all faults of a host.
    pub(crate) fn heal(&self, host: &str) {
        self.must(&["heal", &self.name, host]);
    }

    /// Turns a knob of a host's launchd; the value is JSON.
    pub(crate) fn knob(&self, host: &str, name: &str, value: &str) {
        self.must(&["knob", &self.name, host, &format!("{name}={value}")]);
    }

    /// Any other command of the lab about one host: `reboot`, `halt`, `boot`, `clock`.
    pub(crate) fn does(&self, verb: &str, host: &str, words: &[&str]) {
        self.must(&[&[verb, &self.name, host], words].concat());
    }

    /// Addresses and paths, as `lab env` prints them.
    pub(crate) fn environment(&self) -> serde_json::Value {
        serde_json::from_str(&run(&["env", &self.name]).out).expect("the lab prints JSON")
    }

    /// The laptop's home as this process sees it.
    pub(crate) fn home(&self) -> PathBuf {
        self.environment()["home_outside"].as_str().expect("a path").into()
    }

    #[expect(clippy::unused_self, reason = "a lab that is up is what makes the command meaningful")]
    fn must(&self, words: &[&str]) {
        let said = run(words);
        assert_eq!(said.code, 0, "lab {}: {}", words.join(" "), said.err);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _said = run(&["down", &self.name]);
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab")
}

fn run(words: &[&str]) -> Said {
    say(lab_command().args(words))
}

#[expect(clippy::disallowed_methods, reason = "the lab is a program of the tests, not a machine of the product")]
fn lab_command() -> Command {
    Command::new(program())
}

/// Runs a command to its end. A process that it leaves behind with its output open would hold this up.
fn say(command: &mut Command) -> Said {
    let output: Output =
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{}: {error}", program().display()));
    Said {
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or(-1),
    }
}
