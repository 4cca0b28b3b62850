//! What models and applications send that is no sound pair.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::scripted::{Manner, fleet, lab, report, server};
use crate::support::Fleetctl;

#[test]
fn answers_that_are_none() {
    let long: &'static str = Box::leak("x".repeat(10 << 20).into_boxed_str());
    for (said, failure) in [
        ("", "empty"),
        ("{\"score\": 1, \"ti", "truncated"),
        ("no json here", "not-json"),
        ("{\"score\": \"NaN\", \"tier\": \"No\"}", "bad-score"),
        ("{\"score\": 1e9, \"tier\": \"No\"}", "out-of-range"),
        ("{\"score\": 1, \"tier\": \"Great\\u001b[2J\"}", "unknown-tier"),
        (long, "too-long"),
    ] {
        let lab = lab(Manner::Sound, Manner::Odd(said), "anthropic/", 6);
        let output = lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
        assert_eq!(output.exit, Some(0), "{failure}: {}", output.stderr);
        let document = report(&lab.fleetctl);
        assert_eq!((&document["n"], &document["verdict"]), (&json!(6), &json!("inconclusive")));
        assert_eq!(document["measures"]["failure_rate"]["value"], 1.0, "{failure}");
        assert_eq!(
            (&document["measures"]["pearson"]["value"], &document["measures"]["pearson"]["n"]),
            (&Value::Null, &json!(0))
        );
        let told = lab.fleetctl.run(&["shadow", "report", "job"]).stdout;
        assert!(told.contains(&format!("failed local answers count as disagreements: {failure} 6")), "{told}");
        assert!(!told.contains('\u{1b}'));
    }
    let lab = lab(Manner::Odd("nonsense"), Manner::Sound, "", 4);
    lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert_eq!(report(&lab.fleetctl)["n"], 0, "a failed reference voids the pair");
    assert_eq!(lab.local.asked.load(Ordering::SeqCst), 0, "and nobody else is asked");
}

#[test]
fn a_reference_that_refuses_ends_the_run_at_once() {
    let lab = lab(Manner::Refuses, Manner::Sound, "", 50);
    let output = lab.fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert_eq!(output.exit, Some(1));
    assert_eq!(lab.reference.asked.load(Ordering::SeqCst), 1);
    assert!(output.stderr.contains("the reference of job does not answer"), "{}", output.stderr);
    assert!(output.stderr.contains("answered 401 bad key") && !output.stderr.contains('\u{1b}'), "{}", output.stderr);
}

#[test]
fn inputs_and_recordings_with_two_meanings_are_refused() {
    let lab = lab(Manner::Sound, Manner::Sound, "", 2);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    lab.fleetctl.write("twice.jsonl", b"{\"id\":\"i0\",\"input\":\"a 1\"}\n{\"id\":\"i0\",\"input\":\"b 2\"}\n");
    let twice = run(&["shadow", "run", "job", "--input", "twice.jsonl"]);
    assert_eq!(twice.exit, Some(6), "{}", twice.stderr);
    assert!(twice.stderr.contains("lines 1 and 2 have the id \"i0\" and different content"), "{}", twice.stderr);
    assert_eq!(lab.reference.asked.load(Ordering::SeqCst), 0);
    assert_eq!(run(&["shadow", "run", "job", "--input", "in.jsonl"]).exit, Some(0));
    lab.fleetctl.write("other.jsonl", b"{\"id\":\"i0\",\"input\":\"b 2\"}\n");
    let other = run(&["shadow", "run", "job", "--input", "other.jsonl"]);
    assert_eq!(other.exit, Some(6), "{}", other.stderr);
    assert!(other.stderr.contains("the id \"i0\" was used before, with different content"), "{}", other.stderr);

    let flat = super::scripted::lab(Manner::Sound, Manner::Sound, "", 2);
    let (lab, run) = (&flat, |arguments: &[&str]| flat.fleetctl.run(arguments));
    let pair = |id: usize, tier: &str| json!({"id": id, "input": format!("q{id}"), "reference": {"score": 5, "tier": "No"}, "local": {"score": 5, "tier": tier, "seconds": 2}});
    let recording = (0..30).map(|id| format!("{}\n", pair(id, "No"))).collect::<Vec<_>>().concat();
    lab.fleetctl.write("pairs.jsonl", (recording + "garbage\n").as_bytes());
    let imported = run(&["shadow", "import", "job", "pairs.jsonl"]);
    assert_eq!(imported.exit, Some(0), "{}", imported.stderr);
    assert!(
        imported.stderr.contains("job: 30 new pairs, 0 known already, 1 lines not understood"),
        "{}",
        imported.stderr
    );
    let again = run(&["shadow", "import", "job", "pairs.jsonl"]);
    assert!(again.stderr.contains("job: 0 new pairs, 30 known already"), "{}", again.stderr);
    let document = report(&lab.fleetctl);
    assert_eq!(
        (&document["measures"]["pearson"]["value"], &document["measures"]["weighted_kappa"]["value"]),
        (&Value::Null, &Value::Null),
        "all scores equal"
    );
    let unknown = run(&["shadow", "report", "jobb"]);
    assert_eq!(unknown.exit, Some(2));
    assert!(unknown.stderr.contains("did you mean \"job\"?"), "{}", unknown.stderr);
}

#[test]
fn few_pairs_and_repeated_inputs_are_told() {
    let lab = lab(Manner::Sound, Manner::Near, "", 9);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    assert_eq!(run(&["shadow", "run", "job", "--input", "in.jsonl"]).exit, Some(0));
    let document = report(&lab.fleetctl);
    let measures = &document["measures"];
    assert_eq!((&document["n"], &document["verdict"]), (&json!(9), &json!("inconclusive")));
    assert_eq!((&measures["pearson"]["value"], &measures["pearson"]["n"]), (&Value::Null, &json!(9)));
    assert_eq!(measures["tier_agreement"]["n"], 9);
    // The same listings under other names buy pairs, and no evidence.
    let renamed = super::scripted::inputs(9).replace("\"id\":\"i", "\"id\":\"again-");
    lab.fleetctl.write("renamed.jsonl", renamed.as_bytes());
    assert_eq!(run(&["shadow", "run", "job", "--input", "renamed.jsonl"]).exit, Some(0));
    let told = run(&["shadow", "report", "job"]).stdout;
    assert!(told.contains("18 pairs of 9 different inputs, 0 void (the reference failed)"), "{told}");
    assert!(told.contains("9 pairs repeat the input of another"), "{told}");
}

#[test]
fn anthropics_api_is_asked_in_its_own_words() {
    let (reference, local) = (server(Manner::Sound), server(Manner::Near));
    let url = format!("http://127.0.0.1:{}/anthropic/v1", reference.port);
    let text = fleet(&url, local.port, true, 75)
        .replace(r#"model = "big" }"#, r#"model = "big", api_key = { env = "CLOUD_KEY" } }"#);
    let fleetctl = Fleetctl::with_fleet(&text).set("CLOUD_KEY", "sk-cloud-0123456789");
    let line = json!({"id": "i5", "messages": [{"role": "system", "content": "be short"}, {"role": "user", "content": "judge listing 5"}],
        "temperature": 0, "stop": "\n\n", "response_format": {"type": "json_object"}});
    fleetctl.write("in.jsonl", line.to_string().as_bytes());
    let output = fleetctl.run(&["shadow", "run", "job", "--input", "in.jsonl"]);
    assert_eq!(output.exit, Some(0), "{output}");
    let (head, body) = reference.latest.lock().expect("nobody panicked").clone();
    let head = head.to_ascii_lowercase();
    for needed in ["post /anthropic/v1/messages ", "x-api-key: sk-cloud-0123456789", "anthropic-version: 2023-06-01"] {
        assert!(head.contains(needed), "{needed}\n{head}");
    }
    assert!(!head.contains("authorization"), "{head}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        body,
        json!({"model": "big", "max_tokens": 4096, "system": "be short", "temperature": 0, "stop_sequences": ["\n\n"],
            "messages": [{"role": "user", "content": "judge listing 5"}]})
    );
    let (_, asked) = local.latest.lock().expect("nobody panicked").clone();
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!((&asked["model"], &asked["messages"][0]["role"]), (&json!("deep"), &json!("system")));
    let document = report(&fleetctl);
    assert_eq!((&document["n"], &document["measures"]["tier_agreement"]["value"]), (&json!(1), &json!(1.0)));
    assert!(output.stderr.contains("0.0002 spent"), "its own names of tokens are counted: {output}");
}
