//! A tick of the reconciler against a strict oMLX 0.3.8: what it loads, unloads and pins, and what it leaves alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Host, golden, shells, told};

const KEY: &str = "it's a \"key\"/1";

/// The contract server with tiny models; ends with the test.
struct Engine {
    process: Child,
    port: u16,
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Names that the machine serves, with their kinds.
const NAMES: [(&str, &str); 3] = [("day", "llm"), ("night", "llm"), ("vectors", "embedding")];

impl Engine {
    fn start(host: &Host, pinned: &[&str]) -> Self {
        Self::start_with(host, pinned, &KEY.into())
    }

    fn start_with(host: &Host, pinned: &[&str], key: &Value) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/omlx");
        let models = host.path("base/serve");
        if !models.exists() {
            let mut make = Command::new("python3");
            make.arg(lab.join("make_models.py")).arg("--hollow").arg(&models);
            for (name, kind) in NAMES {
                make.arg(format!("{kind}={name}"));
            }
            assert!(make.stdout(Stdio::null()).status().expect("python3 runs").success());
        }
        let settings = json!({
            "version": "1.0",
            "server": {"host": "127.0.0.1", "port": port, "server_aliases": ["localhost"]},
            "model": {"model_dirs": [models]},
            "auth": {"api_key": key, "secret_key": "0".repeat(64)},
        });
        std::fs::write(host.path("base/settings.json"), serde_json::to_string_pretty(&settings).expect("JSON"))
            .expect("written");
        let entries: serde_json::Map<String, Value> = NAMES
            .iter()
            .map(|(name, kind)| {
                let entry = json!({"model_type_override": kind, "is_pinned": pinned.contains(name)});
                ((*name).to_owned(), entry)
            })
            .collect();
        let settings = json!({"version": 1, "models": entries});
        std::fs::write(host.path("base/model_settings.json"), settings.to_string()).expect("written");
        let process = Command::new("python3")
            .arg(lab.join("omlx-0.3.8/omlx"))
            .args(["serve", "--base-path"])
            .arg(host.path("base"))
            .env("LAB_OMLX_CONTROL", host.path("control"))
            .env("LAB_OMLX_MEMSIZE", "68719476736")
            .stdout(Stdio::null())
            .stderr(Stdio::from(std::fs::File::create(host.path("omlx.log")).expect("a log")))
            .spawn()
            .expect("the contract server starts");
        let engine = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", host.read("omlx.log"));
            std::thread::yield_now();
        }
        engine
    }

    fn stream(&self, request: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        write!(
            stream,
            "{request} HTTP/1.0\r\nHost: x\r\nx-api-key: {KEY}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        stream
    }

    fn text(&self, request: &str, body: &str) -> String {
        let mut text = String::new();
        self.stream(request, body).read_to_string(&mut text).expect("an answer");
        text
    }

    fn call(&self, request: &str, body: &str) -> Value {
        let text = self.text(request, body);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// `name loaded pinned`, by its own answer.
    fn models(&self) -> Vec<String> {
        let status = self.call("GET /v1/models/status", "");
        let mut models: Vec<String> = status["models"]
            .as_array()
            .expect("models")
            .iter()
            .map(|model| {
                let word =
                    |field: &str, word: &str| if model[field] == true { format!(" {word}") } else { String::new() };
                format!(
                    "{}{}{}",
                    model["id"].as_str().expect("an id"),
                    word("loaded", "loaded"),
                    word("pinned", "pinned")
                )
            })
            .collect();
        models.sort();
        models
    }

    fn load(&self, name: &str) {
        let body = json!({"model": name, "messages": [{"role": "user", "content": "x"}], "max_tokens": 1});
        assert!(self.text("POST /v1/chat/completions", &body.to_string()).contains("\"choices\""));
    }
}

/// By day `day` is resident, from 00:30 to 06:30 `night` and `vectors`.
fn host(instant: &str) -> Host {
    let host = Host::at(instant.parse::<jiff::Timestamp>().expect("an instant").as_second());
    let table = json!({
        "schema": "fleetctl.schedule-table/1", "machine": "m", "zone": "America/New_York", "base": host.path("base"),
        "names": NAMES.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "baseline": ["day"],
        "windows": [{"name": "late", "start": 30, "end": 390, "days": "0123456", "resident": ["night", "vectors"]}],
    });
    std::fs::write(host.path("state/schedule/table.json"), table.to_string()).expect("written");
    std::fs::create_dir(host.path("control")).expect("made");
    host.command("launchctl", "exit 113");
    host.command("curl", "exec /usr/bin/curl \"$@\"");
    host.command("sleep", &format!("echo x >>'{}'; exec /bin/sleep 0.01", host.path("slept").display()));
    // macOS prints address and port with a dot between them.
    host.command(
        "netstat",
        "echo 'Active Internet connections (including servers)'\n\
         ss -Htan | awk '{ sub(/:[0-9]+$/, \".&\", $4); sub(/\\.:/, \".\", $4); print \"tcp4 0 0 \" $4 \" \" $5 \" \" ($1 == \"ESTAB\" ? \"ESTABLISHED\" : $1) }'",
    );
    host
}

const DAY: &str = "2026-11-23T17:00:00Z";
const NIGHT: &str = "2026-11-24T07:00:00Z";

/// With a shorter patience.
fn script() -> String {
    golden("mac-studio1", "schedule").replace("DRAIN=600", "DRAIN=6")
}

fn tick(host: &Host, shell: &[&str]) -> String {
    told(&host.run(shell, &script(), &[]))
}

fn state(host: &Host) -> Value {
    host.json("state/schedule/state.json")
}

#[test]
fn a_boundary_unloads_loads_pins_and_the_next_tick_has_nothing_to_do() {
    for shell in shells() {
        let host = host(DAY);
        let engine = Engine::start(&host, &[]);
        let said = tick(&host, &shell);
        assert!(said.starts_with("exit Some(0)\n"), "{said}");
        assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"], "{said}");
        host.set_clock(NIGHT.parse::<jiff::Timestamp>().expect("an instant").as_second());
        let said = tick(&host, &shell);
        assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
        let found = state(&host);
        assert_eq!(
            found,
            json!({
                "schema": "fleetctl.schedule-state/1", "at": "2026-11-24T07:00:00Z", "state": "ok", "detail": null, "gateway": null, "window": "late",
                "wanted": ["night", "vectors"], "resident": ["night", "vectors"], "held": [], "failures": 0, "retry_at": null,
                "changed_at": "2026-11-24T07:00:00Z", "loaded": ["night", "vectors"], "unloaded": ["day"],
            }),
            "{said}"
        );
        let said = tick(&host, &shell);
        assert_eq!(said, "exit Some(0)\n", "nothing to do, nothing said");
        assert_eq!(state(&host)["changed_at"], "2026-11-24T07:00:00Z");
        // The pins are in oMLX's own file: a restart in the window comes up as it should.
        let kept = host.json("base/model_settings.json");
        assert_eq!(
            (&kept["models"]["night"]["is_pinned"], &kept["models"]["day"]["is_pinned"]),
            (&json!(true), &json!(false))
        );
        // Nothing of the key is left, nor any lock.
        for left in ["state/schedule/.run", "state/schedule/lock", "state/lock"] {
            assert!(!host.path(left).exists(), "{left}");
        }
    }
}

#[test]
fn a_client_streaming_across_the_boundary_gets_its_whole_answer() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    std::fs::write(host.path("control").join(format!("{}.json", engine.port)), "{\"tokens_per_second\": 40}")
        .expect("written");
    let body =
        json!({"model": "day", "messages": [{"role": "user", "content": "x"}], "max_tokens": 60, "stream": true});
    let stream = engine.stream("POST /v1/chat/completions", &body.to_string());
    let mut lines = BufReader::new(stream).lines();
    while !lines.next().expect("a line").expect("read").contains("\"content\"") {}
    let reconciler = host.start(&shells()[0], &script().replace("DRAIN=6", "DRAIN=600"), &[]);
    let rest: Vec<String> = lines.map(|line| line.expect("read")).collect();
    assert!(rest.iter().any(|line| line == "data: [DONE]"), "the stream was cut: {rest:?}");
    let said = told(&reconciler.wait_with_output().expect("it ends"));
    assert!(said.contains("waiting until oMLX is idle: 1 active, 1 connected"), "{said}");
    assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
}

#[test]
fn what_is_not_idle_in_time_is_postponed_and_not_touched() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    // An open connection without a counted request is what DFlash looks like.
    let open = TcpStream::connect(("127.0.0.1", engine.port)).expect("connected");
    let said = tick(&host, &shells()[1]);
    assert!(
        said.starts_with("exit Some(0)\n") && said.contains("postponed: not idle within 6 s: 1 connected"),
        "{said}"
    );
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
    assert_eq!((&state(&host)["state"], &state(&host)["resident"]), (&json!("postponed"), &json!(["day"])));
    drop(open);
    tick(&host, &shells()[1]);
    assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"]);
}

#[test]
fn connections_that_cannot_be_seen_count_as_busy() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    host.command("netstat", "echo 'netstat: sysctl: Operation not permitted' >&2; exit 1");
    let said = tick(&host, &shells()[0]);
    assert!(said.contains("postponed: not idle within 6 s: its connections cannot be seen (netstat: sysctl"), "{said}");
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
}

#[test]
fn a_load_that_fails_is_undone_put_off_and_tried_again() {
    for shell in shells() {
        let host = host(NIGHT);
        let engine = Engine::start(&host, &["day"]);
        let control = host.path("control").join(format!("{}.json", engine.port));
        std::fs::write(&control, "{\"fail_load\": [\"vectors\"]}").expect("written");
        let said = tick(&host, &shell);
        assert!(said.starts_with("exit Some(1)\n") && said.contains("failed: loading vectors: HTTP 500"), "{said}");
        assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"], "{said}");
        let found = state(&host);
        assert_eq!(
            (&found["state"], &found["failures"], &found["resident"]),
            (&json!("failed"), &json!(1), &json!(["day"]))
        );
        // Not before its time, although it would work now.
        std::fs::write(&control, "{}").expect("written");
        let said = tick(&host, &shell);
        assert!(said.contains("failed: loading vectors"), "{said}");
        assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
        host.set_clock(NIGHT.parse::<jiff::Timestamp>().expect("an instant").as_second() + 900);
        let said = tick(&host, &shell);
        assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
        assert_eq!((&state(&host)["failures"], &state(&host)["retry_at"]), (&json!(0), &Value::Null));
    }
}

#[test]
fn boundaries_that_were_slept_over_are_not_made_up_for_and_a_boot_inside_a_window_is_enough() {
    let host = host(DAY);
    let engine = Engine::start(&host, &["day"]);
    let day = DAY.parse::<jiff::Timestamp>().expect("an instant").as_second();
    tick(&host, &shells()[0]);
    let before = state(&host);
    // A day later: the window has opened and closed meanwhile.
    host.set_clock(day + 86_400);
    assert_eq!(tick(&host, &shells()[0]), "exit Some(0)\n");
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
    assert_eq!(state(&host)["changed_at"], before["changed_at"]);
    // Three nights later, in the middle of a window whose edge nobody saw.
    host.set_clock(NIGHT.parse::<jiff::Timestamp>().expect("an instant").as_second() + 3 * 86_400);
    let said = tick(&host, &shells()[0]);
    assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
}

#[test]
fn what_a_request_loaded_stays_until_room_is_needed() {
    let host = host(DAY);
    let engine = Engine::start(&host, &["day"]);
    engine.load("night");
    assert_eq!(tick(&host, &shells()[0]).lines().next(), Some("exit Some(0)"));
    assert_eq!(engine.models(), ["day loaded pinned", "night loaded", "vectors"]);
}

#[test]
fn names_and_daemons_held_by_hand_are_left() {
    for (held, expected) in [
        (json!({"names": {"night": {"since": "x"}}}), vec!["day", "night", "vectors loaded pinned"]),
        (json!({"names": ["night", "vectors"], "units": []}), vec!["day", "night", "vectors"]),
        (json!({"units": {"omlx": {}}}), vec!["day loaded pinned", "night", "vectors"]),
    ] {
        let host = host(NIGHT);
        let engine = Engine::start(&host, &["day"]);
        std::fs::write(host.path("state/held.json"), held.to_string()).expect("written");
        let said = tick(&host, &shells()[0]);
        assert_eq!(engine.models(), expected, "{held} {said}");
    }
    let host = host(NIGHT);
    std::fs::write(host.path("state/held.json"), "{\"names\": {\"night\": 1}}").expect("written");
    let output = host.run(&shells()[1], &golden("mac-studio1", "schedule"), &["--wanted"]);
    assert_eq!(told(&output), "exit Some(0)\nvectors\n");
}

#[test]
fn an_apply_and_another_tick_are_not_disturbed() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    // A live process whose command line is ours.
    let mut other = host.start(&["/bin/sh"], "exec /bin/sleep 60\n", &["fleetctl"]);
    let pid = other.id();
    let lock = |at: &str| {
        std::fs::create_dir_all(host.path(at)).expect("made");
        std::fs::write(host.path(at).join("pid"), format!("{pid}\n")).expect("written");
    };
    host.command("ps", "echo /usr/local/libexec/fleetctl/x");
    lock("state/lock");
    let said = tick(&host, &shells()[0]);
    assert!(said.contains("an apply runs"), "{said}");
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
    std::fs::rename(host.path("state/lock"), host.path("state/schedule/lock")).expect("renamed");
    let said = tick(&host, &shells()[0]);
    assert!(said.contains("another tick runs"), "{said}");
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
    // Both gone: their locks are broken.
    other.kill().expect("killed");
    other.wait().expect("ended");
    host.command("ps", "exit 1");
    lock("state/lock");
    let said = tick(&host, &shells()[0]);
    assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
    assert!(!host.path("state/lock").exists() && !host.path("state/schedule/lock").exists());
}

#[test]
fn an_apply_calls_it_under_its_own_lock() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    std::fs::create_dir_all(host.path("state/lock")).expect("made");
    std::fs::write(host.path("state/lock/pid"), "1\n").expect("written");
    host.command("ps", "echo /usr/local/libexec/fleetctl/x");
    let said = told(&host.run(&shells()[0], &format!("FLEETCTL_LOCK=held\n{}", script()), &[]));
    assert!(said.starts_with("exit Some(0)\n"), "{said}");
    assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{said}");
    assert_eq!(host.read("state/lock/pid"), "1\n", "the apply's lock is the apply's");
}

#[test]
fn without_a_key_there_is_no_login_and_no_pin_but_it_loads() {
    let host = host(NIGHT);
    let engine = Engine::start_with(&host, &[], &Value::Null);
    let said = tick(&host, &shells()[1]);
    assert_eq!(engine.models(), ["day", "night loaded", "vectors loaded"], "{said}");
    assert_eq!(state(&host)["state"], "ok");
    assert_eq!(tick(&host, &shells()[1]), "exit Some(0)\n");
    host.set_clock(DAY.parse::<jiff::Timestamp>().expect("an instant").as_second());
    let said = tick(&host, &shells()[1]);
    assert_eq!(engine.models(), ["day loaded", "night", "vectors"], "{said}");
}

#[test]
fn a_wrong_key_is_said_and_nothing_is_touched() {
    let host = host(NIGHT);
    let engine = Engine::start(&host, &["day"]);
    let settings = host.read("base/settings.json").replace("it's a", "another");
    std::fs::write(host.path("base/settings.json"), settings).expect("written");
    let said = tick(&host, &shells()[0]);
    assert!(said.contains("unreachable: oMLX does not say what is loaded: HTTP 401"), "{said}");
    assert_eq!(engine.models(), ["day loaded pinned", "night", "vectors"]);
}

#[test]
fn omlx_away_or_another_table_is_said_and_survived() {
    let host = host(NIGHT);
    std::fs::write(host.path("base/settings.json"), "{\"server\": {\"port\": 1}}").expect("written");
    let said = tick(&host, &shells()[0]);
    assert!(
        said.starts_with("exit Some(0)\n") && said.contains("unreachable: oMLX does not say what is loaded: curl: (7)"),
        "{said}"
    );
    assert_eq!(state(&host)["state"], "unreachable");
    // Loaded by launchd and not answering yet: waited for, not for ever.
    host.command("launchctl", "exit 0");
    tick(&host, &shells()[0]);
    assert_eq!(host.read("slept").lines().count(), 24);
    for broken in [
        "",
        "{",
        "[]",
        "{\"schema\": \"fleetctl.schedule-table/2\"}",
        "{\"schema\": \"fleetctl.schedule-table/1\", \"base\": \"/b\", \"zone\": \"Mars/X\"}",
    ] {
        std::fs::write(host.path("state/schedule/table.json"), broken).expect("written");
        let said = tick(&host, &shells()[1]);
        assert!(said.starts_with("exit Some(78)\n") && said.contains("table.json cannot be used"), "{broken:?} {said}");
        assert_eq!(state(&host)["state"], "broken");
    }
}

#[test]
fn an_edited_state_file_is_written_anew() {
    for text in [
        "",
        "garbage",
        "{\"failures\": \"$(x)\", \"retry_at\": 99999999999, \"wanted\": [\"night\", \"vectors\"], \"resident\": {\"a\": []}}",
    ] {
        let host = host(NIGHT);
        let engine = Engine::start(&host, &["day"]);
        std::fs::write(host.path("state/schedule/state.json"), text).expect("written");
        let said = tick(&host, &shells()[0]);
        assert_eq!(engine.models(), ["day", "night loaded pinned", "vectors loaded pinned"], "{text} {said}");
        assert_eq!(state(&host)["state"], "ok");
    }
}

#[test]
fn the_gateway_is_told_which_configuration_is_in_force_also_while_omlx_is_away() {
    for shell in shells() {
        let host = host(NIGHT);
        std::fs::write(host.path("base/settings.json"), "{\"server\": {\"port\": 1}}").expect("written");
        std::fs::create_dir(host.path("state/gateway")).expect("made");
        host.command(
            "launchctl",
            &format!("case $1 in kill) echo \"$*\" >>'{}' ;; *) exit 113 ;; esac", host.path("told").display()),
        );
        let window = |name: &str, start: u32, end: u32| json!({"name": name, "start": start, "end": end, "days": "0123456", "resident": null});
        let table = json!({
            "schema": "fleetctl.schedule-table/1", "machine": "m", "zone": "America/New_York", "base": host.path("base"), "names": {},
            "baseline": null, "windows": [], "machine_has_gateway": "yes",
            "gateway": [window("second", 60, 390), window("first", 30, 390), window("noon", 700, 740)],
        });
        std::fs::write(host.path("state/schedule/table.json"), table.to_string()).expect("written");
        // Not rendered yet: said, and the present one stays.
        let said = tick(&host, &shell);
        assert!(said.contains("the gateway has no configuration for first+second"), "{said}");
        assert!(!host.path("state/gateway/active").exists());
        std::fs::write(host.path("state/gateway/config.first+second.yaml"), "").expect("written");
        let said = tick(&host, &shell);
        assert!(said.contains("the gateway takes first+second"), "{said}");
        assert_eq!(host.read("state/gateway/active"), "first+second\n");
        assert_eq!((&state(&host)["gateway"], &state(&host)["state"]), (&json!("first+second"), &json!("ok")));
        tick(&host, &shell);
        assert_eq!(host.read("told"), "kill SIGHUP system/dev.fleetctl.gateway\n", "told once");
        host.set_clock(DAY.parse::<jiff::Timestamp>().expect("an instant").as_second() + 3_600);
        std::fs::write(host.path("state/gateway/config.baseline.yaml"), "").expect("written");
        tick(&host, &shell);
        assert_eq!(host.read("state/gateway/active"), "baseline\n");
    }
}
