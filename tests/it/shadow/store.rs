//! What is kept: through kills, locks, damage, and later releases.

use std::process::{Child, Stdio};
use std::sync::atomic::Ordering;

use serde_json::json;

use super::scripted::{Lab, Manner, lab, reach, report, store};

/// How many are at work at once in these tests.
const WIDTH: usize = 4;

/// A run in the background, once the reference was asked so often.
fn running(lab: &Lab, asked: usize) -> Child {
    let arguments = ["shadow", "run", "job", "--input", "in.jsonl", "--concurrency", "4"];
    let child = lab.fleetctl.command(&arguments).stderr(Stdio::null()).spawn().expect("it runs");
    reach(&lab.reference.asked, asked);
    child
}

#[test]
fn a_kill_loses_the_answers_in_flight_and_nothing_is_paid_twice() {
    let lab = lab(Manner::Sound, Manner::Near, "", 120);
    for (kills, at) in [10, 40, 75].into_iter().enumerate() {
        let mut child = running(&lab, at + kills * WIDTH);
        child.kill().expect("SIGKILL");
        child.wait().expect("it is gone");
    }
    let last = lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl", "--concurrency", "4"]);
    assert_eq!(last.exit, Some(0), "{last}");
    assert_eq!(report(&lab.fleetctl)["n"], 120);
    for (side, asked) in [("reference", &lab.reference.asked), ("fleet", &lab.local.asked)] {
        let asked = asked.load(Ordering::SeqCst);
        assert!(
            (120..=120 + 3 * WIDTH).contains(&asked),
            "the {side} was asked {asked} times for 120 pairs and three kills"
        );
    }
    let again = lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert!(again.stderr.contains("all 120 inputs have their pairs already"), "{again}");
}

#[test]
fn only_one_buys_pairs_at_a_time() {
    let lab = lab(Manner::Sound, Manner::Near, "", 400);
    let mut child = running(&lab, 1);
    let second = lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert_eq!(second.exit, Some(6), "{second}");
    assert!(second.stderr.contains("is in use by another process"), "{second}");
    assert!(second.stderr.contains("help: wait until the other fleetctl has ended"), "{second}");
    assert_eq!(lab.fleetctl.run(&["shadow", "report", "job"]).exit, Some(0), "reading is free");
    child.kill().expect("SIGKILL");
    child.wait().expect("it is gone");
    // The lock is gone with its process. Another program that holds the database is waited for, then named.
    let connection = rusqlite::Connection::open(store(&lab.fleetctl)).expect("opened");
    connection.execute_batch("begin immediate").expect("held");
    let pair =
        json!({"id": "x", "input": "q", "reference": {"score": 5, "tier": "No"}, "local": {"score": 5, "tier": "No"}});
    lab.fleetctl.write("pairs.jsonl", pair.to_string().as_bytes());
    let held = lab.fleetctl.run(&["shadow", "import", "job", "pairs.jsonl"]);
    assert_eq!(held.exit, Some(6), "{held}");
    assert!(held.stderr.contains("is in use by another process"), "{held}");
    drop(connection);
    assert_eq!(lab.fleetctl.run(&["shadow", "import", "job", "pairs.jsonl"]).exit, Some(0));
}

#[test]
fn a_damaged_store_is_kept_aside_and_a_newer_one_refused() {
    let lab = lab(Manner::Sound, Manner::Sound, "", 1);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    assert_eq!(run(&["shadow", "run", "job", "--input", "in.jsonl"]).exit, Some(0));
    let store = store(&lab.fleetctl);
    let sound = std::fs::read(&store).expect("the store");
    assert!(sound.len() > 3 * 4096, "{} bytes", sound.len());
    // A page in its middle, which opening alone would not notice.
    let mut torn = sound;
    torn[4096..8192].fill(b'x');
    std::fs::write(&store, &torn).expect("damaged");
    let output = run(&["shadow", "report", "job"]);
    assert_eq!(output.exit, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("is damaged: it is kept as"), "{}", output.stderr);
    std::fs::write(&store, vec![b'x'; 8192]).expect("damaged again");
    let output = run(&["shadow", "report", "job"]);
    assert_eq!(output.exit, Some(0), "{}", output.stderr);
    assert!(
        output.stderr.contains("is damaged: it is kept as") && output.stdout.contains("no pairs yet"),
        "{}",
        output.stderr
    );
    let names = std::fs::read_dir(store.parent().expect("its directory")).expect("listed");
    let mut aside: Vec<Vec<u8>> = names
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains(".damaged-"))
        .map(|path| std::fs::read(path).expect("read"))
        .collect();
    aside.sort_by_key(Vec::len);
    assert_eq!(aside, [vec![b'x'; 8192], torn], "both are kept, also where they were damaged within one second");
    let connection = rusqlite::Connection::open(&store).expect("opened");
    connection.pragma_update(None, "user_version", 7).expect("written");
    drop(connection);
    let output = run(&["shadow", "report", "job"]);
    assert_eq!(output.exit, Some(6), "{}", output.stderr);
    assert!(
        output.stderr.contains("was written by a newer fleetctl (version 7; this one knows 1)"),
        "{}",
        output.stderr
    );
}
