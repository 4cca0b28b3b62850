//! The local side of a run stands back while its machine works for others.

use std::process::Stdio;
use std::sync::atomic::Ordering;

use super::scripted::{Manner, lab, reach, report};

#[test]
fn a_busy_machine_is_left_to_others() {
    let lab = lab(Manner::Sound, Manner::Near, "", 3);
    lab.local.others.store(2, Ordering::SeqCst);
    let child = lab
        .fleetctl
        .command(&["shadow", "run", "job", "--input", "in.jsonl"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // A look that finds it busy is followed by another; none of them by a prompt.
    reach(&lab.local.looks, 3);
    assert_eq!(lab.local.asked.load(Ordering::SeqCst), 0, "the machine works for others");
    assert_eq!(lab.reference.asked.load(Ordering::SeqCst), 1, "and nothing more is bought meanwhile");
    lab.local.others.store(0, Ordering::SeqCst);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("3 of 3 inputs") && !said.contains("put off"), "{said}");
    assert_eq!(
        (lab.reference.asked.load(Ordering::SeqCst), lab.local.asked.load(Ordering::SeqCst)),
        (3, 3),
        "nobody is asked twice for having waited"
    );
    assert_eq!(report(&lab.fleetctl)["n"], 3);
}
