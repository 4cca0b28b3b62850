//! `resolve`, `simulate` and `schedule` as they are typed, against servers that answer, refuse, hang and lie.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Barrier};

use tokio::net::TcpSocket;

/// What a stub server does with every request.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// oMLX 0.3.8 with these names loaded, and so many requests in work.
    Serves(&'static [&'static str], u32),
    /// A status, and nothing else.
    Status(u16),
    /// Takes the connection and says nothing.
    Hangs,
    /// Something that is no JSON, with an escape sequence in it.
    Garbage,
    /// Names that are markup.
    Markup,
}

/// A server of its own on a port of its own; it ends with the test's process.
pub(crate) fn server(manner: Manner) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            match manner {
                Manner::Hangs => kept.push(stream),
                _ => answer(stream, manner),
            }
        }
    });
    port
}

fn answer(mut stream: TcpStream, manner: Manner) {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let (status, body) = match manner {
        Manner::Serves(names, _) if request.starts_with("GET /v1/models/status ") => {
            let models: Vec<String> = ["fast", "slow", "vectors"]
                .iter()
                .map(|name| format!(r#"{{"id":"{name}","loaded":{},"is_loading":false}}"#, names.contains(name)))
                .collect();
            (200, format!(r#"{{"models":[{}]}}"#, models.join(",")))
        }
        Manner::Serves(_, running) => (200, format!(r#"{{"active_requests":{running},"waiting_requests":0}}"#)),
        Manner::Markup => (200, r#"{"models":[{"id":"<script>x</script>","loaded":true}]}"#.to_owned()),
        Manner::Status(status) => (status, r#"{"detail":"no"}"#.to_owned()),
        _ => (200, "\u{1b}[2Jboo".to_owned()),
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    drop(stream.write_all((head + &body).as_bytes()));
}

/// A port at which nobody answers: bound, so that no other test gets it, and not listened to.
pub(crate) fn closed() -> u16 {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    std::mem::forget(socket);
    port
}

/// Three machines on those ports of this computer; slot `s`: `fast` on `a` and `b`, then `slow` on `c`; slot `v`: vectors on `a` and `b`.
pub(crate) fn fleet(name: &str, ports: [u16; 3]) -> PathBuf {
    let machine = |name: &str, port: u16| {
        format!(
            "[machines.{name}]\nchip = \"M4\"\nmemory = \"64GB\"\naddress = \"127.0.0.1\"\nomlx = {{ port = {port} }}\n"
        )
    };
    let text = format!(
        r#"schema = 1
[fleet]
name = "home"
timezone = "Europe/Berlin"
user = "ops"
[omlx]
version = "0.3.8"
bind = "loopback"
{}{}{}
[models.small]
directory = "small"
size = "1GB"
kind = "llm"
[models.large]
directory = "large"
size = "8GB"
kind = "llm"
[models.vectors]
directory = "vectors"
size = "1GB"
kind = "embedding"
[profiles.plain]
enable_thinking = false
[serve.fast]
model = "small"
profile = "plain"
on = ["a", "b"]
resident = true
[serve.slow]
model = "large"
profile = "plain"
on = ["c"]
[serve.vectors]
model = "vectors"
profile = "plain"
on = ["a", "b"]
[slots.s]
route = ["fast", "slow"]
balance = "least-busy"
timeout = "3s"
[slots.v]
route = ["vectors"]
"#,
        machine("a", ports[0]),
        machine("b", ports[1]),
        machine("c", ports[2])
    );
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("slots").join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("fleet.toml");
    std::fs::write(&path, text).expect("a fleet file");
    path
}

fn run(file: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fleetctl"))
        .arg("-f")
        .arg(file)
        .args(arguments)
        .env_clear()
        .env("COLUMNS", "120")
        .output()
        .expect("it runs")
}

/// Standard output, standard error and the exit code, with what differs between runs taken out.
fn told(output: &Output, ports: &[u16]) -> String {
    let mut text = format!(
        "{}--- stderr\n{}--- exit {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().expect("it ended by itself")
    );
    for (port, name) in ports.iter().zip(["A", "B", "C"]) {
        text = text.replace(&format!(":{port}/"), &format!(":{name}/"));
    }
    text = text.replace(env!("CARGO_TARGET_TMPDIR"), "TMP");
    let lines = text.lines().map(|line| if line.starts_with("  valid ") { "  valid     until …" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn explain(name: &str, manners: [Option<Manner>; 3], arguments: &[&str]) -> String {
    let ports = manners.map(|manner| manner.map_or_else(closed, server));
    told(&run(&fleet(name, ports), arguments), &ports)
}

const FAST: Option<Manner> = Some(Manner::Serves(&["fast", "vectors"], 0));
const BUSY: Option<Manner> = Some(Manner::Serves(&["fast", "vectors"], 3));
const COLD: Option<Manner> = Some(Manner::Serves(&[], 0));

#[test]
fn the_least_busy_of_the_first_rank_answers() {
    insta::assert_snapshot!(explain("least-busy", [BUSY, FAST, COLD], &["resolve", "s", "--explain"]), @r#"
    s → fast on b
      model     small, profile plain
      base URL  http://127.0.0.1:B/v1
      why       first rank, least busy
      request   {"chat_template_kwargs":{"enable_thinking":false}}
      valid     until …

    RANK  NAME  MACHINE  VERDICT       WHY
    0     fast  b        chosen        first rank, least busy
    0     fast  a        not-its-turn  another machine of the rank takes this one
    1     slow  c        lower-rank    an earlier rank answers
    --- stderr
    --- exit 0
    "#);
}

#[test]
fn both_gone_lands_on_the_next_rank_degraded() {
    insta::assert_snapshot!(explain("both-gone", [None, Some(Manner::Hangs), COLD], &["resolve", "s", "--explain"]), @r#"
    s → slow on c
      model     large, profile plain
      base URL  http://127.0.0.1:C/v1
      why       rank 1, because fast on a unreachable, fast on b unresponsive; must load 8.0 GiB first, about 13 s, longer than the slot's timeout of 3s
      degraded  model-changed: large instead of small
      request   {"chat_template_kwargs":{"enable_thinking":false}}
      valid     until …

    RANK  NAME  MACHINE  VERDICT       WHY
    0     fast  a        unreachable   connection refused
    0     fast  b        unresponsive  no answer within 1.5 s
    1     slow  c        degraded      rank 1, because fast on a unreachable, fast on b unresponsive; must load 8.0 GiB
                                       first, about 13 s, longer than the slot's timeout of 3s
    --- stderr
    --- exit 0
    "#);
}

#[test]
fn every_kind_of_fault_has_its_reason() {
    let manners = [Some(Manner::Status(401)), COLD, Some(Manner::Status(500))];
    insta::assert_snapshot!(explain("faults", manners, &["resolve", "s"]), @r"
    s → nobody
      why       no candidate: fast on a auth, fast on b not-loaded, slow on c unresponsive

    RANK  NAME  MACHINE  VERDICT       WHY
    0     fast  a        auth          it refuses the key
    0     fast  b        not-loaded    resident there now, yet neither loaded nor loading
    1     slow  c        unresponsive  GET /v1/models/status answered 500
    --- stderr
    --- exit 1
    ");
    let manners = [Some(Manner::Garbage), None, COLD];
    insta::assert_snapshot!(explain("garbage", manners, &["resolve", "v"]), @r"
    v → nobody
      why       no candidate: vectors on a unresponsive, vectors on b unreachable

    RANK  NAME     MACHINE  VERDICT       WHY
    0     vectors  a        unresponsive  the answer to GET /v1/models/status is no JSON
    0     vectors  b        unreachable   connection refused
    --- stderr
    --- exit 1
    ");
}

#[test]
fn machines_left_out_by_on_answer_nothing() {
    insta::assert_snapshot!(explain("left-out", [FAST, FAST, COLD], &["resolve", "v", "--on", "c"]), @r"
    v → nobody
      why       no candidate: vectors on a unreachable, vectors on b unreachable

    RANK  NAME     MACHINE  VERDICT      WHY
    0     vectors  a        unreachable  not among the machines that were asked
    0     vectors  b        unreachable  not among the machines that were asked
    --- stderr
    --- exit 1
    ");
}

#[test]
fn without_a_candidate_scripts_get_nothing_to_evaluate() {
    insta::assert_snapshot!(explain("nothing", [None, None, None], &["resolve", "v", "--env"]), @r"
    --- stderr
    error: v: no candidate: vectors on a unreachable, vectors on b unreachable
    help: fleetctl -f TMP/slots/nothing/fleet.toml resolve v --explain
    --- exit 1
    ");
    let output = run(&fleet("nothing-json", [closed(), closed(), closed()]), &["resolve", "v", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(output.status.code(), Some(1));
    for key in ["served", "model", "profile", "machine", "base_url", "rank", "degraded_reason"] {
        assert_eq!(document.get(key), Some(&serde_json::Value::Null), "{key}");
    }
    assert_eq!(document["rejected"][0]["reason"], "unreachable");
}

#[test]
fn unknown_and_hostile_names_are_usage_errors() {
    let file = fleet("names", [1, 2, 3]);
    let long = "x".repeat(300);
    for name in ["ss", "", "../..", "$(touch /tmp/x)", "\u{1b}[31m\r\nred", "größer", &long] {
        let output = run(&file, &["resolve", name, "--offline"]);
        assert_eq!(output.status.code(), Some(2), "{name:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("there is no slot"), "{said}");
        assert!(!said.contains('\u{1b}') && !said.contains('\r'), "{said:?}");
    }
    insta::assert_snapshot!(told(&run(&file, &["resolve", "ss", "--offline"]), &[]), @r#"
    --- stderr
    error: there is no slot "ss"
    help: did you mean "s"?
    --- exit 2
    "#);
    for at in ["25:00", "nonsense", "2026-13-01T00:00:00Z"] {
        assert_eq!(run(&file, &["resolve", "s", "--offline", "--at", at]).status.code(), Some(2), "{at}");
    }
}

#[test]
fn machines_that_say_nothing_are_given_up() {
    let ports = [server(Manner::Hangs), server(Manner::Hangs), server(Manner::Hangs)];
    let output = run(&fleet("slow", ports), &["resolve", "s"]);
    assert_eq!(output.status.code(), Some(1));
}

/// Each of these answers only once all of them have been asked: whoever asks one after the other has given up the first by then.
#[test]
fn machines_are_asked_side_by_side() {
    let all_asked = Arc::new(Barrier::new(3));
    let ports = std::array::from_fn(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let all_asked = Arc::clone(&all_asked);
        std::thread::spawn(move || {
            let mut streams = listener.incoming().map_while(Result::ok);
            let first = streams.next();
            all_asked.wait();
            first.into_iter().chain(streams).for_each(|stream| answer(stream, Manner::Serves(&["fast"], 0)));
        });
        port
    });
    let output = run(&fleet("side-by-side", ports), &["resolve", "s", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!((output.status.code(), &document["machine"]), (Some(0), &"a".into()), "{document:#}");
    let rejected = document["rejected"].as_array().expect("a list");
    assert!(rejected.iter().all(|other| other["reason"] != "unreachable"), "{document:#}");
}

#[test]
fn exports_are_what_a_shell_can_evaluate() {
    let file = fleet("exports", [closed(), closed(), closed()]);
    let exports = run(&file, &["resolve", "s", "--offline", "--env"]);
    let script =
        "eval \"$1\"; printf '%s|' \"$OPENAI_BASE_URL\" \"$OPENAI_API_KEY\" \"$OPENAI_MODEL\" \"$FLEETCTL_OVERLAY\"";
    let output = Command::new("/bin/sh")
        .args(["-c", script, "sh", &String::from_utf8_lossy(&exports.stdout)])
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (url, rest) = said.split_once('|').expect("four values");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v1"), "{said}");
    assert_eq!(rest, "none|fast|{\"chat_template_kwargs\":{\"enable_thinking\":false}}|");
}

#[test]
fn simulate_and_schedule_speak_json() {
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fleet.toml");
    let document = |arguments: &[&str]| -> serde_json::Value {
        let output = run(&example, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a document")
    };
    let at = "2026-11-23T12:00:00-05:00";
    let one = document(&["simulate", "--down", "mac-mini1,mac-mini2", "--at", at, "--json"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&one["slots"][1]).expect("text"), @r#"
    {
      "name": "extract-fast",
      "before": {
        "served": "extract-2b",
        "machine": "mac-mini1",
        "base_url": "http://mac-mini1.tail0a1b2c.ts.net:8000/v1"
      },
      "after": {
        "served": "moe-batched",
        "machine": "mac-studio1",
        "base_url": "http://mac-studio1.tail0a1b2c.ts.net:8000/v1"
      },
      "state": "degraded",
      "loads": [
        {
          "served": "moe-batched",
          "machine": "mac-studio1",
          "bytes": 38654705664
        }
      ]
    }
    "#);
    assert_eq!(one["down"], serde_json::json!(["mac-mini1", "mac-mini2"]));
    let each = document(&["simulate", "--each", "--at", at, "--json"]);
    let order: Vec<&str> =
        each["scenarios"].as_array().expect("a list").iter().filter_map(|one| one["down"][0].as_str()).collect();
    assert_eq!(order, ["mac-studio1", "mac-mini3", "mac-mini1", "mac-mini2"]);
    let day = document(&["schedule", "--at", at, "--json"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&day).expect("text"), @r#"
    {
      "schema": "fleetctl.schedule/1",
      "transitions": [
        {
          "at": "2026-11-24T05:30:00Z",
          "machine": "mac-studio1",
          "window": "night",
          "resident": [
            "moe-batched",
            "dense-thinking"
          ],
          "load": [
            "moe-batched",
            "dense-thinking"
          ],
          "unload": [
            "moe-dflash"
          ],
          "load_bytes": 67645734912,
          "estimated_seconds": 101.5,
          "rebinds": {
            "chat-interactive": [
              "moe-batched"
            ],
            "synth-deep": [
              "dense-thinking",
              "dense-librarian"
            ]
          }
        },
        {
          "at": "2026-11-24T11:30:00Z",
          "machine": "mac-studio1",
          "window": null,
          "resident": [
            "moe-dflash"
          ],
          "load": [
            "moe-dflash"
          ],
          "unload": [
            "moe-batched",
            "dense-thinking"
          ],
          "load_bytes": 39653285560,
          "estimated_seconds": 59.5,
          "rebinds": {
            "chat-interactive": [
              "moe-dflash"
            ],
            "synth-deep": [
              "dense-librarian",
              "dense-thinking"
            ]
          }
        }
      ]
    }
    "#);
    assert_eq!(
        document(&["schedule", "--at", at, "--days", "7", "--json"])["transitions"].as_array().map(Vec::len),
        Some(14)
    );
    assert_eq!(
        document(&["schedule", "--at", at, "--on", "mac-mini3", "--json"])["transitions"],
        serde_json::json!([])
    );
}

#[test]
fn the_gateways_configuration_names_secrets_and_holds_none() {
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fleet.toml");
    let at = "2026-11-23T12:00:00-05:00";
    let output = run(&example, &["gateway", "render", "--at", at]);
    assert_eq!(output.status.code(), Some(0));
    let config = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(config.contains("api_key: \"os.environ/FLEETCTL_OMLX_KEY\""), "{config}");
    let said = String::from_utf8_lossy(&output.stderr);
    for semantic in ["round-robin: extract-fast", "schedule: all slots", "deadline: embed-fast", "load: extract-fast"] {
        assert!(said.contains(semantic), "{semantic}\n{said}");
    }
    let night = run(&example, &["gateway", "render", "--at", "2026-11-23T02:00:00-05:00", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&night.stdout).expect("a document");
    assert_eq!((&document["windows"], &document["machine"]), (&"night".into(), &"mac-studio1".into()));
    assert!(night.stderr.is_empty());
    insta::assert_snapshot!(told(&run(&fleet("no-gateway", [1, 2, 3]), &["gateway", "render"]), &[]), @r"
    --- stderr
    error: the fleet file declares no [gateway]
    help: [gateway] names the router's engine, machines, program, bind and port
    --- exit 1
    ");
    insta::assert_snapshot!(told(&run(&example, &["gateway", "render", "--on", "mac-mini1"]), &[]), @r"
    --- stderr
    error: --on selects no machine of the gateway: it is on mac-studio1
    --- exit 2
    ");
}
