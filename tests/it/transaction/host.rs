//! A lab with one host, a laptop that runs fleetctl against it, and what a test does to both.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::shell::{Said, Shell};

pub(crate) const HOST: &str = "mac-mini1";
pub(crate) const KEY: &str = "key-of-this-run-0123456789";

/// A lab of its own; taken down when it goes out of scope, or when the test process is gone.
pub(crate) struct Host {
    lab: String,
    directory: tempfile::TempDir,
    root: Mutex<Shell>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn lab() -> Command {
    let mut command = Command::new(root().join("scripts/lab"));
    command.stdin(Stdio::null());
    command
}

/// Whether the slow tests of the transaction are to run: `scripts/fault-matrix` asks for them, plain `cargo test` does not.
pub(crate) fn possible() -> bool {
    std::env::var_os("FAULT_MATRIX").is_some()
}

/// How many hosts work side by side.
pub(crate) fn workers() -> usize {
    std::env::var("FAULT_WORKERS").ok().and_then(|value| value.parse().ok()).unwrap_or(2)
}

/// What every second host has: the strictest shell, another awk, and no more of sudo than README asks for.
pub(crate) fn shells(worker: usize) -> &'static str {
    if worker % 2 == 1 { "sh = \"dash\"\nawk = \"mawk\"\nsudo = \"documented\"" } else { "" }
}

/// The program: the one that was built, or another one (a sabotaged one, one of another day).
fn program() -> PathBuf {
    std::env::var_os("FAULT_PROGRAM").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_fleetctl")), PathBuf::from)
}

/// The processes that a process started, and theirs.
fn descendants(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|child| child.parse().ok()).collect();
    children.iter().copied().chain(children.iter().flat_map(|child| descendants(*child))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Host {
    /// With further keys of the lab's host table.
    pub(crate) fn with(name: &str, keys: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("tx").tempdir().expect("a directory");
        let lab_name = format!("tx-{name}-{}", std::process::id());
        let spec = directory.path().join("hosts.toml");
        let hosts = format!(
            "[hosts.{HOST}]\nomlx = \"0.3.8\"\nreal_disk = 134217728\nmodels = [\"llm=Qwen3-alpha\", \"llm=Qwen3-beta\"]\n{keys}\n"
        );
        std::fs::write(&spec, hosts).expect("the lab's file");
        let output = lab()
            .args(["up", &lab_name, "--owner", &std::process::id().to_string(), "--spec"])
            .arg(&spec)
            .output()
            .expect("scripts/lab runs");
        assert!(output.status.success(), "lab up: {}", text(&output.stderr));
        Self { root: Mutex::new(Shell::new(&lab_name, HOST)), lab: lab_name, directory }
    }

    /// A script as root on the host; its standard output. Panics when it fails.
    pub(crate) fn sh(&self, script: &str) -> String {
        let said = self.try_sh(script);
        assert!(said.code == 0, "{script}\n{}", said.err);
        said.out
    }

    pub(crate) fn try_sh(&self, script: &str) -> Said {
        self.root.lock().expect("no panic").run(script)
    }

    /// A script as root on any host of the lab.
    pub(crate) fn on(&self, host: &str, script: &str) -> Output {
        let words = ["exec", &self.lab, host, "--user", "root", "--", "/bin/sh", "-c", script];
        lab().args(words).output().expect("scripts/lab runs")
    }

    /// A request to the lab about the host: fault, heal, reboot, clock, knob.
    pub(crate) fn lab(&self, verb: &str, words: &[&str]) {
        let output = lab().args([verb, &self.lab, HOST]).args(words).output().expect("scripts/lab runs");
        assert!(output.status.success(), "{verb} {words:?}: {}", text(&output.stderr));
    }

    /// Writes a fleet file and returns its path.
    pub(crate) fn write_fleet(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    /// The laptop's home as it is seen from outside, and the lab's name.
    pub(crate) fn laptop_home(&self) -> (PathBuf, &str) {
        let output = lab().args(["env", &self.lab]).output().expect("scripts/lab runs");
        let environment: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (PathBuf::from(environment["home_outside"].as_str().expect("a path")), &self.lab)
    }

    /// fleetctl on the laptop, begun.
    pub(crate) fn begin(&self, fleet: &Path, words: &[&str], environment: &[(&str, &str)]) -> Child {
        let mut command = lab();
        command.args(["laptop", &self.lab, "--", "env", &format!("K={KEY}")]);
        command.args(environment.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(program()).arg("-f").arg(fleet).args(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it begins")
    }

    /// Kills fleetctl on the laptop: not what the lab waits for it with, which would leave it running.
    pub(crate) fn kill_laptop(child: &mut Child) {
        for pid in descendants(child.id()) {
            // One that ended meanwhile is no failure.
            drop(Command::new("kill").args(["-KILL", &pid.to_string()]).output());
        }
        drop(child.kill());
    }

    /// fleetctl on the laptop; exit code, standard output, standard error.
    pub(crate) fn fleetctl(&self, fleet: &Path, words: &[&str]) -> (i32, String, String) {
        let output = self.begin(fleet, words, &[]).wait_with_output().expect("it ends");
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    /// Waits until a script of root's says yes; whether it did in time. The waiting is done on the host, where a look costs little; a host that boots
    /// meanwhile is asked again.
    pub(crate) fn is_soon(&self, script: &str, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).as_secs();
            let said = self.try_sh(&format!(
                "n=0; until ( {script} ); do n=$((n + 1)); [ $n -le {} ] || exit 3; sleep 0.1; done",
                left * 10
            ));
            match said.code {
                0 => return true,
                3 => return false,
                _ if Instant::now() > deadline => return false,
                _ => std::thread::sleep(Duration::from_millis(150)),
            }
        }
    }

    /// What a person would look at.
    pub(crate) fn state(&self) -> String {
        let said = self.try_sh(
            "cd /usr/local/var/fleetctl && ls -la . apply generations lock; cat result.json; cat apply/log; launchctl list; tail -n 20 /Library/Logs/fleetctl/omlx.log",
        );
        said.out + &said.err
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(lab().args(["down", &self.lab]).output());
    }
}
