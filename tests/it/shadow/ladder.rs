//! The way up and down between scripted servers: a good candidate climbs, a bad one is refused, one that turns bad is demoted.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::scripted::{Manner, fleet, inputs, lab, report, server};
use crate::support::Fleetctl;

#[test]
fn a_good_candidate_climbs_and_resolve_follows() {
    let lab = lab(Manner::Sound, Manner::Near, "", 300);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    let first = run(&["shadow", "run", "job", "--input", "in.jsonl", "--limit", "70", "--concurrency", "4"]);
    assert_eq!(first.exit, Some(0), "{}", first.stderr);
    assert!(first.stderr.contains("70 of 70 inputs"), "{}", first.stderr);
    assert!(first.stderr.contains("0.0140 spent"), "{}", first.stderr);
    let early = run(&["shadow", "promote", "job"]);
    assert_eq!(early.exit, Some(6), "{}", early.stderr);
    assert!(early.stderr.contains("help: missing: 70 pairs, the first look is at 75"), "{}", early.stderr);
    let rest = run(&["shadow", "run", "job", "--input", "in.jsonl", "--concurrency", "4", "--repeat", "20"]);
    assert_eq!(rest.exit, Some(0), "{}", rest.stderr);
    assert_eq!(lab.reference.asked.load(Ordering::SeqCst), 300 + 20, "no pair is paid for twice");
    assert_eq!(lab.local.asked.load(Ordering::SeqCst), 300);
    let again = run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert!(again.stderr.contains("job: all 300 inputs have their pairs already"), "{}", again.stderr);

    let document = report(&lab.fleetctl);
    assert_eq!(
        (&document["schema"], &document["n"], &document["verdict"]),
        (&json!("fleetctl.shadow-report/1"), &json!(300), &json!("pass"))
    );
    assert_eq!(document["measures"]["tier_agreement"]["n"], 300);
    assert_eq!(document["next_rung"], json!({"name": "easy-5", "missing": []}));
    assert_eq!(document["more_pairs"], Value::Null);

    let resolve = |arguments: &[&str]| {
        let output = run(&[&["resolve", "score", "--json"], arguments].concat());
        serde_json::from_str::<Value>(&output.stdout).expect("a document")
    };
    assert_eq!(resolve(&["--item", "x", "--verdict", "Strong"])["answer"], "reference");
    let promoted = run(&["shadow", "promote", "job"]);
    assert_eq!(promoted.exit, Some(0), "{}", promoted.stderr);
    let text = std::fs::read_to_string(lab.fleetctl.directory().join("fleet.toml")).expect("the file");
    assert!(text.contains("rung      = \"easy-5\"    # a comment that stays\n"), "{text}");
    let answers: Vec<Value> =
        (0..60).map(|i| resolve(&["--item", &format!("x{i}"), "--verdict", "Strong", "--offline"])).collect();
    let local: Vec<&Value> = answers.iter().filter(|answer| answer["answer"] == "fleet").collect();
    assert!((1..=9).contains(&local.len()), "{}", local.len());
    assert_eq!(local[0]["machine"], "a");
    let other = answers.iter().find(|answer| answer["answer"] == "reference").expect("most");
    assert_eq!((&other["served"], &other["rank"], &other["model"]), (&Value::Null, &Value::Null, &json!("big")));
    assert_eq!(resolve(&["--item", "x", "--verdict", "Medium", "--offline"])["answer"], "reference");
    assert_eq!(resolve(&["--offline"]).get("answer"), None, "without an item nothing is said of a reference");

    let soon = run(&["shadow", "promote", "job"]);
    assert_eq!(soon.exit, Some(6));
    assert!(soon.stderr.contains("0 h on rung easy-5, needed are 24"), "{}", soon.stderr);
    let page = run(&["shadow", "report", "job", "--html", "page.html"]);
    assert_eq!(page.exit, Some(0), "{}", page.stderr);
    let page = std::fs::read_to_string(lab.fleetctl.directory().join("page.html")).expect("the page");
    assert!(page.contains("<svg") && !page.contains("cannot be drawn"), "{}", &page[..page.len().min(300)]);
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"), "it asks nobody");
}

#[test]
fn a_bad_candidate_is_refused_and_one_that_turns_bad_is_demoted() {
    let lab = lab(Manner::Sound, Manner::Poor, "", 120);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    assert_eq!(run(&["shadow", "run", "job", "--input", "in.jsonl", "--concurrency", "4"]).exit, Some(0));
    assert_eq!(report(&lab.fleetctl)["verdict"], "fail");
    let refused = run(&["shadow", "promote", "job"]);
    assert_eq!(refused.exit, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("agree, needed are"), "{}", refused.stderr);

    // By hand onto a rung that it has not earned: the guard takes it down.
    let path = lab.fleetctl.directory().join("fleet.toml");
    let text = std::fs::read_to_string(&path).expect("the file").replace("\"shadow\" ", "\"easy-25\" ");
    lab.fleetctl.write("fleet.toml", text.as_bytes());
    assert_eq!(run(&["shadow", "halt", "job"]).exit, Some(0));
    let halted = run(&["shadow", "guard", "job"]);
    assert!(halted.stderr.contains("job is halted: it stays on rung easy-25"), "{}", halted.stderr);
    assert_eq!(run(&["shadow", "halt", "job", "--resume"]).exit, Some(0));
    let guarded = run(&["shadow", "guard", "job"]);
    assert_eq!(guarded.exit, Some(0), "{}", guarded.stderr);
    assert!(guarded.stderr.contains("of the last 60 audits disagree"), "{}", guarded.stderr);
    assert!(std::fs::read_to_string(&path).expect("the file").contains("\"easy-5\""));
    let again = run(&["shadow", "demote", "job", "--reason", "a test"]);
    assert_eq!(again.exit, Some(0), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text.replace("easy-25", "shadow"));
    let told = run(&["shadow", "report", "job"]).stdout;
    assert!(told.contains("guarded easy-25 → easy-5 by guard, 120 pairs"), "{told}");
}

#[test]
fn nothing_leaves_without_leave() {
    let reference = server(Manner::Sound);
    let fleetctl = Fleetctl::with_fleet(&fleet(&format!("http://127.0.0.1:{}/v1", reference.port), 1, false, 100));
    fleetctl.write("in.jsonl", inputs(3).as_bytes());
    let output = fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert_eq!(output.exit, Some(6), "{}", output.stderr);
    assert!(output.stderr.contains("set allow_cloud = true in [slots.score]"), "{}", output.stderr);
    for arguments in [["shadow", "import", "job", "in.jsonl"].as_slice(), &["shadow", "promote", "job"]] {
        assert_eq!(fleetctl.run(arguments).exit, Some(6), "{arguments:?}");
    }
    assert_eq!(reference.asked.load(Ordering::SeqCst), 0);
    let check = fleetctl.run(&["check"]);
    assert_eq!(check.exit, Some(0));
    assert!(check.stdout.contains("cloud-not-allowed") || check.stderr.contains("cloud-not-allowed"), "{check}");
    // Nor does an application get the reference's address, on whatever rung.
    for rung in ["shadow", "easy-5"] {
        let text = std::fs::read_to_string(fleetctl.directory().join("fleet.toml")).expect("the file");
        fleetctl.write("fleet.toml", text.replace("\"shadow\"    #", &format!("\"{rung}\"    #")).as_bytes());
        let resolved = fleetctl.run(&["resolve", "score", "--offline", "--item", "x", "--verdict", "Medium", "--json"]);
        assert_eq!(resolved.json()["answer"], "fleet", "{resolved}");
    }
}
