//! A lab with one host, and what a test does there as root.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const HOST: &str = "mac-mini1";

/// A lab of its own; taken down when it goes out of scope, or when the test process is gone.
pub(crate) struct Host {
    lab: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn lab() -> Command {
    Command::new(root().join("scripts/lab"))
}

/// Whether a lab can run here; where not, the reason is said and the test ends.
pub(crate) fn possible() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root || std::env::var_os("FLEETLAB_SKIP").is_some() {
        println!("no lab here (namespaces need root): this test proves nothing on this computer");
        return false;
    }
    true
}

impl Host {
    pub(crate) fn up(name: &str) -> Self {
        Self::with(name, "")
    }

    /// With further keys of the lab's host table.
    pub(crate) fn with(name: &str, keys: &str) -> Self {
        let lab_name = format!("tx-{name}-{}", std::process::id());
        let spec = std::env::temp_dir().join(format!("{lab_name}.toml"));
        std::fs::write(&spec, format!("[hosts.{HOST}]\nreal_disk = 134217728\n{keys}\n")).expect("the lab's file");
        let output = lab()
            .args(["up", &lab_name, "--owner", &std::process::id().to_string(), "--spec"])
            .arg(&spec)
            .output()
            .expect("scripts/lab runs");
        drop(std::fs::remove_file(&spec));
        assert!(output.status.success(), "lab up: {}", String::from_utf8_lossy(&output.stderr));
        let host = Self { lab: lab_name };
        host.install_omlx();
        host
    }

    fn install_omlx(&self) {
        let source = root().join("tests/lab/omlx/omlx-0.3.8");
        let tar = Command::new("tar")
            .args(["-C"])
            .arg(&source)
            .args(["--exclude", "__pycache__", "-cf", "-", "."])
            .output()
            .expect("tar runs");
        let script = "set -e; d=/opt/homebrew/Cellar/omlx/0.3.8/libexec; mkdir -p $d; tar xf - -C $d; chown -R root:wheel $d
            mkdir -p /opt/homebrew/bin
            printf '#!/bin/sh\\nexec /System/Library/Lab/debian/bin/python3 -I -S %s/omlx \"$@\"\\n' $d >/opt/homebrew/bin/omlx
            chmod 755 /opt/homebrew/bin/omlx
            for m in alpha:40 beta:20 embed-x:1; do
                w=/Users/ops/models/Qwen3-${m%:*}; mkdir -p $w
                printf '{\"model_type\": \"qwen3\", \"num_hidden_layers\": 2}' >$w/config.json
                printf x >$w/model.safetensors; printf '%s00000000' ${m#*:} >$w/lab-size
            done
            chown -R ops:staff /Users/ops/models";
        let output = self.feed("root", &["/bin/sh", "-c", script], &tar.stdout);
        assert!(output.status.success(), "oMLX: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn feed(&self, user: &str, words: &[&str], input: &[u8]) -> Output {
        let mut child = lab()
            .args(["exec", &self.lab, HOST, "--user", user, "--"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("scripts/lab runs");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("written");
        output
    }

    /// A script as root; its standard output. Panics when it fails.
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn try_sh(&self, script: &str) -> Output {
        self.feed("root", &["/bin/sh", "-s"], script.as_bytes())
    }

    pub(crate) fn reboot(&self) {
        let output = lab().args(["reboot", &self.lab, HOST]).output().expect("scripts/lab runs");
        assert!(output.status.success(), "reboot: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Waits until a script of root's says yes.
    pub(crate) fn until(&self, what: &str, script: &str) {
        let deadline = Instant::now() + Duration::from_secs(90);
        while !self.try_sh(script).status.success() {
            assert!(Instant::now() < deadline, "not in 90 s: {what}\n{}", self.state());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What a person would look at.
    pub(crate) fn state(&self) -> String {
        let output = self.try_sh(
            "cd /usr/local/var/fleetctl && ls -la . apply generations generations/* lock; cat result.json apply/log; launchctl list; tail -n 20 /Library/Logs/fleetctl/*; launchctl print system/dev.fleetctl.omlx",
        );
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    pub(crate) fn lab_name(&self) -> &str {
        &self.lab
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(lab().args(["down", &self.lab]).output());
    }
}

/// Where the test keeps what it compares.
pub(crate) fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}
