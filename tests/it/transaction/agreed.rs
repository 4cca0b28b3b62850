//! What an operator agreed to is what is done, or nothing is: saved plans, older files, a colleague's lock, another key. On a lab of its own.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::holds::{Way, fleet_text};
use crate::support::lab::{Hosts, Lab, Said};

const HOST: &str = "mac-mini1";
const OLD: &str = "key-that-was-0123456789";
const NEW: &str = "key-that-comes-987654321";
const ROTATE: &str = "/usr/local/libexec/fleetctl/rotate";

/// A lab with one host, and a fleet file in a git repository beside it.
struct Site {
    lab: Lab,
    directory: tempfile::TempDir,
}

impl Site {
    /// `None` where the slow tests are not asked for (`scripts/fault-matrix` does).
    fn up() -> Option<Self> {
        std::env::var_os("FAULT_MATRIX")?;
        let directory = tempfile::Builder::new().prefix("tx").tempdir().expect("a directory");
        let spec = directory.path().join("hosts.toml");
        let hosts = format!("[hosts.{HOST}]\nomlx = \"0.3.8\"\nmodels = [\"llm=Qwen3-alpha\", \"llm=Qwen3-beta\"]\n");
        std::fs::write(&spec, hosts).expect("the lab's file");
        let site = Self { lab: Lab::up(Hosts::Spec(&spec))?, directory };
        site.git(&["init", "-q"]);
        Some(site)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn says(&self, state: usize) {
        std::fs::write(self.path("fleet.toml"), fleet_text(Way::Live, state)).expect("written");
    }

    fn git(&self, words: &[&str]) {
        let name = ["-c", "user.name=operator", "-c", "user.email=operator@example.com"];
        let done = Command::new("git").args(name).args(words).current_dir(self.directory.path()).status();
        assert!(done.expect("git runs").success(), "{words:?}");
    }

    fn commit(&self) {
        self.git(&["add", "fleet.toml"]);
        self.git(&["commit", "-q", "-m", "a change"]);
    }

    fn with_key(&self, key: &str, words: &[&str]) -> Said {
        let (file, key) = (self.path("fleet.toml"), format!("K={key}"));
        let command = ["env", &key, env!("CARGO_BIN_EXE_fleetctl"), "-f", file.to_str().expect("UTF-8")];
        self.lab.laptop(&[&command[..], words].concat())
    }

    fn fleetctl(&self, words: &[&str]) -> Said {
        self.with_key(OLD, words)
    }

    fn root(&self, script: &str) -> String {
        let said = self.lab.on(HOST, "root", script);
        assert_eq!(said.code, 0, "{script}: {said:?}");
        said.out
    }
}

/// The one machine's result and why.
fn result(said: &Said) -> (i32, String, String) {
    let document: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let word = |name: &str| document["machines"][0][name].as_str().unwrap_or_default().to_owned();
    (said.code, word("result"), word("detail"))
}

fn assert_result(said: &Said, code: i32, word: &str, detail: &[&str]) {
    let found = result(said);
    assert_eq!((found.0, found.1.as_str()), (code, word), "{said:?}");
    for part in detail {
        assert!(found.2.contains(part), "{part}: {said:?}");
    }
}

#[test]
fn what_was_agreed_to_holds_or_is_refused() {
    let Some(site) = Site::up() else { return };
    let apply = ["apply", "--yes", "--json"];
    site.says(0);
    site.commit();
    assert_result(&site.fleetctl(&apply), 0, "applied", &[]);

    // A saved plan: another file, another machine, another fleetctl, and then the one that it was made for.
    site.says(1);
    let plan = site.path("plan.json");
    let saved = plan.to_str().expect("UTF-8");
    let said = site.fleetctl(&["plan", "--out", saved]);
    assert_eq!(said.code, 0, "{said:?}");
    let text = std::fs::read_to_string(&plan).expect("the saved plan");
    assert!(!text.contains(OLD), "{text}");
    let carry_out = ["apply", saved, "--yes", "--json"];
    site.says(0);
    let said = site.fleetctl(&carry_out);
    assert!(said.code == 6 && said.err.contains("the fleet file changed since"), "{said:?}");
    site.says(1);
    site.root(&format!("cp -p {ROTATE} /var/kept; printf '# mine\\n' >>{ROTATE}"));
    assert_result(&site.fleetctl(&carry_out), 6, "refused", &["moved on since the plan was saved", ROTATE]);
    assert_eq!(site.root(&format!("tail -n 1 {ROTATE}; cp -p /var/kept {ROTATE}")), "# mine\n");
    std::fs::write(&plan, text.replace(env!("CARGO_PKG_VERSION"), "0.0.9")).expect("written");
    let said = site.fleetctl(&carry_out);
    assert!(said.code == 6 && said.err.contains("fleetctl 0.0.9 made it"), "{said:?}");
    std::fs::write(&plan, text).expect("written");
    site.commit();
    assert_result(&site.fleetctl(&carry_out), 0, "applied", &[]);
    assert_result(&site.fleetctl(&carry_out), 6, "refused", &["moved on"]);

    // An older revision of the file.
    site.git(&["checkout", "-q", "HEAD~1"]);
    assert_result(&site.fleetctl(&apply), 6, "refused", &["newer than this fleet file", "--allow-older"]);
    assert_result(&site.fleetctl(&["apply", "--yes", "--json", "--allow-older"]), 0, "applied", &[]);

    // A colleague's lock: said whose, and broken once its process is gone, however young it is.
    site.git(&["checkout", "-q", "-"]);
    let lock = "printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' >/tmp/fleetctl-colleague\nsh /tmp/fleetctl-colleague >/dev/null 2>&1 </dev/null &\nmkdir /usr/local/var/fleetctl/lock && cd /usr/local/var/fleetctl/lock && echo colleague@desk >who && echo $! >pid && echo theirs >id && date +%s >since && : >by.$!.theirs && chmod 755 . && chmod 644 * && cat pid";
    let pid = site.root(lock);
    assert_result(&site.fleetctl(&apply), 6, "refused", &["colleague@desk holds the lock", pid.trim(), "since 20"]);
    site.root(&format!("kill {}", pid.trim()));
    assert_result(&site.fleetctl(&apply), 0, "applied", &[]);
    assert_eq!(site.root("ls -A /usr/local/var/fleetctl | grep lock; true"), "");
}

#[test]
fn a_new_key_takes_one_apply_and_no_log_that_is_shown_holds_one() {
    let Some(site) = Site::up() else { return };
    site.says(0);
    assert_result(&site.fleetctl(&["apply", "--yes", "--json"]), 0, "applied", &[]);
    // The watcher's own arguments hold no key either.
    site.root("( while [ ! -e /var/enough ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>/var/arguments; sleep 0.05; done ) >/dev/null 2>&1 &");
    assert_result(&site.with_key(NEW, &["apply", "--yes", "--json"]), 0, "applied", &[]);
    site.root("touch /var/enough; sleep 0.3");
    assert_result(&site.with_key(NEW, &["apply", "--yes", "--json"]), 0, "unchanged", &[]);
    let status = |key: &str| {
        let script = format!(
            "curl -sS -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer {key}' http://127.0.0.1:8000/v1/models"
        );
        site.root(&script)
    };
    assert_eq!((status(OLD).as_str(), status(NEW).as_str()), ("401", "200"));
    let log = site.root("cat /Users/ops/.omlx/logs/server.log /Library/Logs/fleetctl/omlx.log 2>/dev/null");
    assert!(log.contains(OLD), "0.3.8 logs a refused key in clear, or this test shows nothing: {log}");
    for unit in ["omlx", "server"] {
        for key in [OLD, NEW] {
            let said = site.with_key(key, &["logs", HOST, unit, "-n", "500"]);
            assert!(!said.out.contains(OLD) && !said.out.contains(NEW), "{said:?}");
        }
    }
    for key in [OLD, NEW] {
        let script = format!(
            "cat >/var/form <<'E'\n{key}\nE\ngrep -c -F -f /var/form /var/arguments; grep -rlF -f /var/form /usr/local/var/fleetctl /usr/local/libexec /Library | grep -vE '/generations/|/Library/Logs/'; rm -f /var/form"
        );
        assert_eq!(site.lab.on(HOST, "root", &script).out, "0\n", "{key}");
        let home = site.lab.home();
        let found = Command::new("grep").args(["-rlF", "--", key]).arg(&home).output().expect("grep runs");
        assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
    }
}
