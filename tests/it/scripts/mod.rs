//! The scripts that run on a Mac, under the shells of this computer: their paths and clock are replaced in their text, nothing else.

mod clock;
mod copy;
mod engine_models;
mod in_the_lab;
mod job;
mod lock;
mod rotate;
mod schedule_tick;
mod schedule_wanted;
mod when_bindable;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Shells that /bin/sh may be on a Mac: bash 3.2 in POSIX mode, dash, zsh.
pub(crate) fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["/bin/dash"], vec!["/bin/bash", "--posix"], vec!["/bin/zsh", "--emulate", "sh"]];
    let here: Vec<_> = all.into_iter().filter(|shell| Path::new(shell[0]).exists()).collect();
    assert!(here.len() >= 2, "install dash and bash");
    here
}

/// A rendered script of the example.
pub(crate) fn golden(machine: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/fixtures/golden/{machine}/usr/local/libexec/fleetctl/{name}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A directory that stands for a machine: STATE, logs, and commands in front of the system's.
pub(crate) struct Host {
    directory: tempfile::TempDir,
}

impl Host {
    /// A machine whose clock stands at `now`, seconds since 1970.
    pub(crate) fn at(now: i64) -> Self {
        let host = Self { directory: tempfile::tempdir().expect("a directory") };
        for directory in ["bin", "state/jobs", "state/env", "state/schedule", "logs", "base"] {
            std::fs::create_dir_all(host.path(directory)).expect("made");
        }
        host.set_clock(now);
        // BSD's date by that clock. macOS knows -r SECONDS; here it is GNU's -d.
        host.command(
            "date",
            &format!(
                "u=; r=$(cat '{}')\n\
                 while [ $# -gt 0 ]; do case $1 in -u) u=-u; shift ;; -r) r=$2; shift 2 ;; *) break ;; esac; done\n\
                 exec /bin/date $u -d \"@$r\" \"$@\"",
                host.path("clock").display()
            ),
        );
        host.command("caffeinate", "exit 0");
        host
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    pub(crate) fn set_clock(&self, now: i64) {
        std::fs::write(self.path("clock"), now.to_string()).expect("written");
    }

    /// Puts a command in front of the system's.
    pub(crate) fn command(&self, name: &str, script: &str) {
        self.executable(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
    }

    pub(crate) fn executable(&self, relative: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(self.path(relative), text).expect("written");
        std::fs::set_permissions(self.path(relative), std::fs::Permissions::from_mode(0o755)).expect("executable");
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap_or_default()
    }

    pub(crate) fn json(&self, relative: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// The text of a script, for this directory instead of a Mac's root.
    pub(crate) fn adapted(&self, script: &str) -> String {
        let bin = self.path("bin").display().to_string();
        let mut text = script
            .replace("/usr/local/var/fleetctl", &self.path("state").display().to_string())
            .replace("/Library/Logs/fleetctl", &self.path("logs").display().to_string())
            .replace("=/usr/bin:/bin:/usr/sbin:/sbin", &format!("={bin}:/usr/bin:/bin:/usr/sbin:/sbin"));
        for absolute in [
            "/bin/date",
            "/usr/bin/caffeinate",
            "/usr/bin/curl",
            "/sbin/ifconfig",
            "/usr/sbin/netstat",
            "/bin/launchctl",
        ] {
            let name = absolute.rsplit('/').next().expect("a name");
            text = text.replace(&format!(" {absolute} "), &format!(" {bin}/{name} "));
            text = text.replace(&format!("({absolute} "), &format!("({bin}/{name} "));
            text = text.replace(&format!("\t{absolute} "), &format!("\t{bin}/{name} "));
        }
        text
    }

    /// Starts a script.
    pub(crate) fn start(&self, shell: &[&str], script: &str, arguments: &[&str]) -> Child {
        use std::os::unix::process::CommandExt as _;
        self.executable("script", &self.adapted(script));
        Command::new(shell[0])
            .args(&shell[1..])
            .arg(self.path("script"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/opt/custom/bin:/usr/bin:/bin")
            .env("HOME", "/Users/ops")
            // launchd starts every job in a group of its own.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the shell starts")
    }

    pub(crate) fn run(&self, shell: &[&str], script: &str, arguments: &[&str]) -> Output {
        self.start(shell, script, arguments).wait_with_output().expect("the script ends")
    }
}

/// Exit code and both outputs.
pub(crate) fn told(output: &Output) -> String {
    format!(
        "exit {:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
