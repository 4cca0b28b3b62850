//! A scripted reference and a scripted fleet of known noise, and a fleet file between them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Fleetctl;

/// How a scripted model answers.
#[derive(Clone, Copy)]
pub(super) enum Manner {
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

#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    /// Prompts that it was sent.
    pub(super) asked: Arc<AtomicUsize>,
    /// Looks at how busy it is.
    pub(super) looks: Arc<AtomicUsize>,
    /// Requests of others that it says it works on.
    pub(super) others: Arc<AtomicUsize>,
    /// The latest request to it: head and body.
    pub(super) latest: Arc<Mutex<(String, String)>>,
}

/// A server of its own; it ends with the test's process.
pub(super) fn server(manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server =
        Server { port, asked: Arc::default(), looks: Arc::default(), others: Arc::default(), latest: Arc::default() };
    let itself = server.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer(stream, manner, &itself);
        }
    });
    server
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
fn answer(mut stream: TcpStream, manner: Manner, server: &Server) {
    let Some((head, body)) = request(&mut stream) else { return };
    let (status, body) = if head.starts_with("GET /v1/models/status ") {
        (200, json!({"models": [{"id": "deep", "loaded": true, "is_loading": false}]}).to_string())
    } else if head.starts_with("GET ") {
        let others = server.others.load(Ordering::SeqCst);
        if head.starts_with("GET /api/status ") {
            server.looks.fetch_add(1, Ordering::SeqCst);
        }
        (200, json!({"active_requests": others, "waiting_requests": 0}).to_string())
    } else {
        server.asked.fetch_add(1, Ordering::SeqCst);
        *server.latest.lock().expect("nobody panicked") = (head.clone(), body.clone());
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

pub(super) fn fleet(reference: &str, local: u16, allow_cloud: bool, pairs: u32) -> String {
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

pub(super) fn inputs(count: usize) -> String {
    let line = |i: usize| format!("{}\n", json!({"id": format!("i{i}"), "input": format!("judge listing {i}")}));
    (0..count).map(line).collect::<Vec<_>>().concat()
}

pub(super) struct Lab {
    pub(super) fleetctl: Fleetctl,
    pub(super) reference: Server,
    pub(super) local: Server,
}

pub(super) fn lab(reference: Manner, local: Manner, path: &str, count: usize) -> Lab {
    let (reference, local) = (server(reference), server(local));
    let url = format!("http://127.0.0.1:{}/{path}v1", reference.port);
    let fleetctl = Fleetctl::with_fleet(&fleet(&url, local.port, true, 75));
    fleetctl.write("in.jsonl", inputs(count).as_bytes());
    Lab { fleetctl, reference, local }
}

pub(super) fn report(fleetctl: &Fleetctl) -> Value {
    let output = fleetctl.run(&["shadow", "report", "job", "--json"]);
    assert_eq!(output.exit, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("a document")
}

/// Waits until a number is reached; bounded.
pub(super) fn reach(number: &AtomicUsize, wanted: usize) {
    let end = Instant::now() + Duration::from_mins(1);
    while number.load(Ordering::SeqCst) < wanted {
        assert!(Instant::now() < end, "{wanted} was never reached");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The store of a directory's only calibration.
pub(super) fn store(fleetctl: &Fleetctl) -> PathBuf {
    walk(fleetctl.directory().parent().expect("its home")).expect("a store")
}

fn walk(directory: &std::path::Path) -> Option<PathBuf> {
    std::fs::read_dir(directory).ok()?.filter_map(Result::ok).map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            walk(&path)
        } else {
            path.extension().is_some_and(|ending| ending == "sqlite").then_some(path)
        }
    })
}
