//! `shadow` as it is typed, between a scripted reference and a scripted fleet of known noise.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::Fleetctl;

/// How a scripted model answers.
#[derive(Clone, Copy)]
enum Manner {
    /// The truth.
    Sound,
    /// Scores a little off, every 60th tier one off.
    Near,
    /// Every third tier wrong.
    Poor,
    /// Something that a model should not say.
    Odd(&'static str),
    /// Refuses the key.
    Refuses,
}

struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

/// A server of its own; it ends with the test's process.
fn server(manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer(stream, manner, &counter);
        }
    });
    Server { port, asked }
}

fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece).ok()?;
        if length == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let wanted = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
                .and_then(|length| length.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= wanted {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
    }
}

/// The item's number is the last word of the last message; its tier and score follow from it.
fn answer(mut stream: TcpStream, manner: Manner, asked: &AtomicUsize) {
    let Some((head, body)) = request(&mut stream) else { return };
    let (status, body) = if head.starts_with("GET /v1/models/status ") {
        (200, json!({"models": [{"id": "deep", "loaded": true, "is_loading": false}]}).to_string())
    } else if head.starts_with("GET ") {
        (200, json!({"active_requests": 0, "waiting_requests": 0}).to_string())
    } else {
        asked.fetch_add(1, Ordering::SeqCst);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let last = body["messages"]
            .as_array()
            .and_then(|all| all.last())
            .and_then(|one| one["content"].as_str())
            .unwrap_or_default();
        let item: u32 = last.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let tiers = ["Strong", "Medium", "Weak", "No"];
        let true_tier = item % 4;
        let score = 90.0 - 25.0 * f64::from(true_tier) + f64::from(item % 7);
        let (tier, score) = match manner {
            Manner::Near => (if item % 60 == 1 { 2 } else { true_tier }, score + f64::from(item % 3) - 1.0),
            Manner::Poor => (if item.is_multiple_of(3) { (true_tier + 1) % 4 } else { true_tier }, score),
            _ => (true_tier, score),
        };
        let said = match manner {
            Manner::Odd(text) => text.to_owned(),
            Manner::Near => {
                format!("Here you are:\n```json\n{}\n```", json!({"score": score, "tier": tiers[tier as usize]}))
            }
            _ => json!({"score": score, "tier": tiers[tier as usize]}).to_string(),
        };
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 10, "input_tokens": 100, "output_tokens": 10});
        match manner {
            Manner::Refuses => (401, json!({"error": {"message": "bad key \u{1b}[2J"}}).to_string()),
            _ if head.starts_with("POST /anthropic/v1/messages ") => {
                (200, json!({"content": [{"type": "text", "text": said}], "usage": usage}).to_string())
            }
            _ => (
                200,
                json!({"choices": [{"message": {"content": said}, "finish_reason": "stop"}], "usage": usage})
                    .to_string(),
            ),
        }
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    drop(stream.write_all((head + &body).as_bytes()));
}

fn fleet(reference: &str, local: u16, allow_cloud: bool, pairs: u32) -> String {
    format!(
        r#"schema = 1

[fleet]
name = "lab"
timezone = "Europe/Berlin"

[omlx]
version = "0.3.8"
weights = "~/models"

[machines.a]
user = "u"
chip = "M4"
memory = "64GB"
address = "127.0.0.1"
omlx = {{ port = {local} }}

[models.m]
directory = "m"
size = "1GB"
kind = "llm"

[profiles.p]
temperature = 0.0

[serve.deep]
model = "m"
profile = "p"
on = ["a"]

[slots.score]
route = ["deep"]
allow_cloud = {allow_cloud}

[shadow.job]
slot      = "score"
reference = {{ base_url = "{reference}", model = "big" }}
score     = "/score"
tier      = "/tier"
tiers     = ["Strong", "Medium", "Weak", "No"]
easy      = ["Strong", "No"]
require   = {{ pearson = 0.85, tier_agreement = 0.90, latency = "30s", failure_rate = 0.02, pairs = {pairs} }}
rung      = "shadow"    # a comment that stays
price     = {{ input = 1.0, output = 10.0 }}
"#
    )
}

fn inputs(count: usize) -> String {
    let line = |i: usize| format!("{}\n", json!({"id": format!("i{i}"), "input": format!("judge listing {i}")}));
    (0..count).map(line).collect::<Vec<_>>().concat()
}

struct Lab {
    fleetctl: Fleetctl,
    reference: Server,
    local: Server,
}

fn lab(reference: Manner, local: Manner, path: &str, count: usize) -> Lab {
    let (reference, local) = (server(reference), server(local));
    let url = format!("http://127.0.0.1:{}/{path}v1", reference.port);
    let fleetctl = Fleetctl::with_fleet(&fleet(&url, local.port, true, 100));
    fleetctl.write("in.jsonl", inputs(count).as_bytes());
    Lab { fleetctl, reference, local }
}

fn report(fleetctl: &Fleetctl) -> Value {
    let output = fleetctl.run(&["shadow", "report", "job", "--json"]);
    assert_eq!(output.exit, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("a document")
}

#[test]
fn a_good_candidate_climbs_and_resolve_follows() {
    let lab = lab(Manner::Sound, Manner::Near, "", 300);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    let first = run(&["shadow", "run", "job", "--input", "in.jsonl", "--limit", "90", "--concurrency", "4"]);
    assert_eq!(first.exit, Some(0), "{}", first.stderr);
    assert!(first.stderr.contains("90 of 90 inputs"), "{}", first.stderr);
    assert!(first.stderr.contains("0.0180 spent"), "{}", first.stderr);
    let early = run(&["shadow", "promote", "job"]);
    assert_eq!(early.exit, Some(6), "{}", early.stderr);
    assert!(early.stderr.contains("help: missing: 90 pairs, the first look is at 100"), "{}", early.stderr);
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
    assert_eq!(reference.asked.load(Ordering::SeqCst), 0);
}

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

    let flat = self::lab(Manner::Sound, Manner::Sound, "", 2);
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
fn a_damaged_store_is_kept_aside_and_a_newer_one_refused() {
    let lab = lab(Manner::Sound, Manner::Sound, "", 1);
    let run = |arguments: &[&str]| lab.fleetctl.run(arguments);
    assert_eq!(run(&["shadow", "run", "job", "--input", "in.jsonl"]).exit, Some(0));
    let store = walk(lab.fleetctl.directory().parent().expect("its home")).expect("a store");
    std::fs::write(&store, vec![b'x'; 8192]).expect("damaged");
    let output = run(&["shadow", "report", "job"]);
    assert_eq!(output.exit, Some(0), "{}", output.stderr);
    assert!(
        output.stderr.contains("is damaged: it is kept as") && output.stdout.contains("no pairs yet"),
        "{}",
        output.stderr
    );
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

fn walk(directory: &std::path::Path) -> Option<std::path::PathBuf> {
    std::fs::read_dir(directory).ok()?.filter_map(Result::ok).map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            walk(&path)
        } else {
            path.extension().is_some_and(|ending| ending == "sqlite").then_some(path)
        }
    })
}
