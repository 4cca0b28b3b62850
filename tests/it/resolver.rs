//! The resolver service as a process: what it answers, to whom, and how it ends.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::slots::{Manner, closed, fleet, server};

struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// Starts it on a free port and waits until it has asked every machine.
    fn start(file: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleetctl"))
            .arg("-f")
            .arg(file)
            .args(["resolver", "--listen", "127.0.0.1:0"])
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        // What it says later is read away, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = line.trim().rsplit("http://").next().expect("an address").trim_end_matches('/').to_owned();
        let service = Self { child, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        while service.get("/health").0 != 200 {
            assert!(Instant::now() < deadline, "it never asked every machine");
            std::thread::yield_now();
        }
        service
    }

    fn request(&self, head: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.request(&format!("GET {path}"))
    }

    fn machine_of(&self, slot: &str) -> String {
        let (status, body) = self.get(&format!("/resolve/{slot}"));
        assert_eq!(status, 200, "{body}");
        let document: serde_json::Value = serde_json::from_str(&body).expect("a document");
        assert_eq!(document["stateless"], false);
        document["machine"].as_str().expect("a machine").to_owned()
    }

    /// Asks it to end and tells how it ended.
    fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("/bin/kill").args(["-TERM", &pid]).status().expect("kill").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn turns_are_fair_and_everything_else_is_harmless() {
    let both: &[&str] = &["fast", "vectors"];
    let ports = [server(Manner::Serves(both, 0)), server(Manner::Serves(both, 0)), closed()];
    let file = fleet("resolver", ports);
    let text = std::fs::read_to_string(&file).expect("a file").replace("least-busy", "round-robin");
    std::fs::write(&file, text).expect("written");
    let service = Service::start(&file);

    let mut turns = BTreeMap::new();
    for _ in 0..21 {
        *turns.entry(service.machine_of("s")).or_insert(0_i32) += 1;
    }
    assert_eq!(turns.values().sum::<i32>(), 21);
    assert!(turns.len() == 2 && (turns["a"] - turns["b"]).abs() == 1, "{turns:?}");

    for path in [
        "/resolve/../../etc/passwd",
        "/resolve/%2e%2e%2f%2e%2e",
        "/resolve/",
        "/resolve/s/x",
        "/resolve/%00",
        "/%ff",
        "/resolve/%1b%5b2J",
    ] {
        let (status, body) = service.get(path);
        assert!(matches!(status, 400 | 404), "{path}: {status} {body}");
        assert!(!body.contains('\u{1b}') && !body.contains("passwd"), "{path}: {body}");
    }
    assert_eq!(service.request("POST /resolve/s").0, 405);
    let (status, body) = service.get("/resolve/ss");
    assert_eq!(
        (status, body.as_str()),
        (404, r#"{"schema":"fleetctl.resolver-error/1","error":"there is no such slot","help":"did you mean \"s\"?"}"#)
    );

    let (status, slots) = service.get("/slots");
    let slots: serde_json::Value = serde_json::from_str(&slots).expect("a document");
    assert_eq!((status, slots["slots"].as_array().map(Vec::len)), (200, Some(2)));
    let (_, health) = service.get("/health");
    assert_eq!(health, r#"{"schema":"fleetctl.resolver-health/1","status":"ok","machines":3,"up":2}"#);
    let (status, metrics) = service.get("/metrics");
    assert_eq!(status, 200);
    for line in [
        r#"fleetctl_machine_up{machine="a"} 1"#,
        r#"fleetctl_machine_up{machine="c"} 0"#,
        r#"fleetctl_slot_state{slot="s",state="ok"} 1"#,
        r#"fleetctl_resolutions_total{slot="s",result="answered"} 21"#,
        r#"fleetctl_resolutions_total{slot="v",result="answered"} 0"#,
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line}\n{metrics}");
    }
    let (status, page) = service.get("/");
    assert!(status == 200 && page.starts_with("<!doctype html>") && !page.contains("http://"), "{page}");
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_client_that_is_slow_or_too_large_holds_nobody_up() {
    let both: &[&str] = &["fast", "vectors"];
    let ports = [server(Manner::Serves(both, 0)), server(Manner::Serves(both, 0)), closed()];
    let service = Service::start(&fleet("resolver-slow", ports));
    let connect = || TcpStream::connect(&service.address).expect("it listens");
    // Half a request each, and then nothing.
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET /resolve/s HTTP/1.1\r\nho").expect("sent");
            stream
        })
        .collect();
    for head in [format!("GET /resolve/{} HTTP/1.1\r\n\r\n", "s".repeat(200_000)), "x: y\r\n".repeat(100_000)] {
        let mut stream = connect();
        // It may hang up before all is sent.
        drop(stream.write_all(head.as_bytes()));
        let mut answer = [0_u8; 12];
        let count = stream.read(&mut answer).unwrap_or(0);
        assert!(!answer[..count].starts_with(b"HTTP/1.1 200"), "an answer to {} bytes of nonsense", head.len());
    }
    assert_eq!(service.get("/resolve/s").0, 200);
    assert_eq!(service.terminate(), Some(0), "clients that never finish hold up no end");
    drop(slow);
}

#[test]
fn a_lying_server_reaches_no_page_unescaped() {
    let ports = [server(Manner::Markup), closed(), closed()];
    let service = Service::start(&fleet("resolver-markup", ports));
    let (_, page) = service.get("/");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
}

#[test]
fn without_a_candidate_it_says_so() {
    let service = Service::start(&fleet("resolver-none", [closed(), closed(), closed()]));
    let (status, body) = service.get("/resolve/v");
    let document: serde_json::Value = serde_json::from_str(&body).expect("a document");
    assert_eq!((status, &document["machine"]), (503, &serde_json::Value::Null));
    assert_eq!(document["rejected"][0]["reason"], "unreachable");
}
