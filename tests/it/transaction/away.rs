//! The laptop is gone while the machine works: what the next look and the next apply say of it, and what stays written down.

use std::path::PathBuf;

use serde_json::Value;

use super::bench::Bench;
use super::fault::{self, Fault};
use super::holds::Way;
use super::host::{self, Host};

impl Bench {
    /// The laptop's receipts, oldest first.
    fn receipts(&self) -> Vec<Value> {
        let (home, _) = self.host.laptop_home();
        let mut paths: Vec<PathBuf> = std::fs::read_dir(home.join(".local/state/fleetctl/receipts"))
            .expect("receipts are kept")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        paths.sort();
        let read = |path: &PathBuf| serde_json::from_str(&std::fs::read_to_string(path).expect("read")).expect("JSON");
        paths.iter().map(read).collect()
    }

    /// An apply whose laptop is killed at a state, and which the machine then ends by itself.
    fn apply_and_go_away(&self, state: &str, fault: Fault) {
        fault::inject(&self.host, fault);
        fault::hold_at(&self.host, state);
        let mut child = self.host.begin(&self.files[1 - self.present], &["apply", "--yes"], &[]);
        assert!(fault::is_held(&self.host), "{}", self.host.state());
        Host::kill_laptop(&mut child);
        child.wait().expect("ended");
        fault::heal(&self.host, fault);
        fault::let_go(&self.host);
        assert!(self.has_ended(), "{}", self.host.state());
    }

    /// What `history` says of the newest generation, without its times.
    fn newest(&self) -> String {
        let (code, out, err) = self.host.fleetctl(&self.files[0], &["history", host::HOST, "--json"]);
        assert_eq!(code, 0, "{out}{err}");
        let document: Value = serde_json::from_str(&out).expect("JSON");
        let newest = document["generations"].as_array().and_then(|all| all.last()).expect("a generation").clone();
        let word = |name: &str| newest[name].as_str().unwrap_or("nobody").to_owned();
        format!("{} {} by {}", newest["generation"], word("kind"), word("who"))
    }
}

#[test]
fn what_ended_while_the_laptop_was_away_is_told_and_its_receipt_closed() {
    if !host::possible() {
        return;
    }
    let mut bench = Bench::new("away", Way::Restart, "");
    for (state, fault, ended, next) in
        [("switched", Fault::Nothing, "applied", "unchanged"), ("reverting", Fault::OmlxCrashes, "reverted", "applied")]
    {
        let new = 1 - bench.present;
        bench.apply_and_go_away(state, fault);
        bench.present = if ended == "applied" { new } else { bench.present };
        assert_eq!(bench.differs(bench.present, None), [""; 0], "{ended}");
        let open = bench.receipts().pop().expect("a receipt");
        assert_eq!((&open["finished"], &open["machines"]), (&Value::Null, &serde_json::json!([])), "{open}");
        assert_eq!(bench.newest(), "2 apply by root@laptop", "{ended}");
        let began = open["started"].as_str().and_then(|at| at.split_once('.')).expect("a time").0;
        let told = format!("the apply of {began}Z ended while nobody watched: {ended}, generation 2");
        let alerts = bench.status_says().expect("status")["alerts"].to_string();
        assert!(alerts.contains(&told), "{alerts}");

        // The next apply says it before it does anything, in one line.
        let (code, out, err) = bench.host.fleetctl(&bench.files[new], &["apply", "--yes"]);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.starts_with(&format!("{}  {next}", host::HOST)), "{out}{err}");
        let lines: Vec<&str> = err.lines().filter(|line| line.contains("while nobody watched")).collect();
        let why = if ended == "reverted" { ": dev.fleetctl.omlx has ended 3 times (exit 1)" } else { "" };
        assert_eq!(lines, [format!("{}: {told}{why}", host::HOST)], "{err}");
        assert!(err.find("while nobody watched") < err.find("plan: ").or(Some(err.len())), "{err}");
        bench.present = new;
        assert_eq!(bench.differs(new, None), [""; 0]);
        let closed = bench.receipts().into_iter().find(|one| one["id"] == open["id"]).expect("it is kept");
        assert!(closed["finished"].is_string(), "{closed}");
        assert_eq!(closed["machines"][0]["result"], ended, "{closed}");
        let alerts = bench.status_says().expect("status")["alerts"].clone();
        assert!(!alerts.to_string().contains("while nobody watched"), "{alerts}");
        let (_, _, err) = bench.host.fleetctl(&bench.files[new], &["apply", "--yes"]);
        assert!(!err.contains("while nobody watched"), "it is told once: {err}");
    }
}
