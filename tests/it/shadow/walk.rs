//! The walk of docs/shadow.md between two servers of the lab: the contract server of oMLX 0.3.8, and the scripted reference whose noise is known. Every
//! console block of the document is run, and says what the document says. Hosts, SSH and the real server are `scripts/shadow-lab`'s.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Fleetctl;
use crate::support::fleetctl::Output;

const KEY: &str = "key-of-this-run-0123456789";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A process of the test; it ends with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A directory with the walk's fleet.toml, and both servers.
struct Walk {
    fleetctl: Fleetctl,
    _servers: [Running; 2],
}

impl Walk {
    fn new() -> Self {
        let fleetctl =
            Fleetctl::new().set("FLEET_OMLX_API_KEY", KEY).set("REFERENCE_KEY", "reference-key").set("USER", "ops");
        let (reference, reference_port) = reference();
        let (omlx, port) = omlx(&fleetctl.directory().parent().expect("a parent").join("mac"));
        let text = std::fs::read_to_string(root().join("tests/lab/fleets/shadow.toml")).expect("the walk's fleet");
        let here = format!("[machines.mac-mini3]\naddress   = \"127.0.0.1\"\nomlx      = {{ port = {port} }}\n");
        let text = text.replace("[machines.mac-mini3]\n", &here).replace(":9009/", &format!(":{reference_port}/"));
        fleetctl.write("fleet.toml", text.as_bytes());
        Self { fleetctl, _servers: [Running(reference), omlx] }
    }

    /// Inputs of known noise.
    fn listings(&self, name: &str, words: &[&str]) {
        let output = Command::new(root().join("tests/lab/listings")).args(words).output().expect("python3 runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.fleetctl.write(name, &output.stdout);
    }

    fn must(&self, arguments: &[&str]) -> Output {
        let output = self.fleetctl.run(arguments);
        assert_eq!(output.exit, Some(0), "{arguments:?}: {output}");
        output
    }

    /// As if everything so far had happened so many hours ago.
    fn hours_pass(&self, hours: i64) {
        let connection = rusqlite::Connection::open(super::scripted::store(&self.fleetctl)).expect("opened");
        connection
            .execute_batch(&format!(
                "update pairs set at = at - {hours} * 3600;
                 update decisions set at = strftime('%Y-%m-%dT%H:%M:%SZ', at, '-{hours} hours');"
            ))
            .expect("moved");
    }
}

/// The scripted reference and its port.
fn reference() -> (Child, u16) {
    let mut child = Command::new(root().join("tests/lab/reference"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its port");
    (child, line.trim().parse().expect("a port"))
}

/// The contract server of 0.3.8, which says what a prompt's line LOCAL holds.
fn omlx(directory: &Path) -> (Running, u16) {
    let models = directory.join("models");
    let made = Command::new(root().join("tests/lab/omlx/make-models"))
        .args(["--hollow", models.to_str().expect("UTF-8"), "llm=dense-judge,size=27GB"])
        .output()
        .expect("make-models runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let control = directory.join("control");
    std::fs::create_dir_all(&control).expect("made");
    std::fs::write(control.join(format!("{port}.json")), r#"{"echo_after": "LOCAL "}"#).expect("written");
    let log = std::fs::File::create(directory.join("log")).expect("a log");
    let child = Command::new(root().join("tests/lab/omlx/omlx-0.3.8/omlx"))
        .args(["serve", "--port", &port.to_string(), "--api-key", KEY, "--model-dir"])
        .arg(&models)
        .arg("--base-path")
        .arg(directory.join("base"))
        .env("LAB_OMLX_MEMSIZE", "68719476736")
        .env("LAB_OMLX_CONTROL", &control)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log"))
        .stderr(log)
        .spawn()
        .expect("the contract server runs");
    let running = Running(child);
    let end = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "the contract server does not listen: {}", directory.display());
        std::thread::sleep(Duration::from_millis(5));
    }
    (running, port)
}

/// Pairs are dated to the second, and those of a decision's own second count on neither side.
fn the_second_passes() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let before = now();
    while now() == before {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Words of a line without what differs from run to run: seconds, rates, dates, ports and fingerprints.
fn words(line: &str) -> Vec<String> {
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let all: Vec<&str> = line.split_whitespace().filter(|word| !word.chars().all(|c| c == '─')).collect();
    all.iter()
        .enumerate()
        .map(|(place, word)| {
            let next = all.get(place + 1).copied().unwrap_or_default();
            let is_seconds = is_number(word) && next.trim_end_matches([',', ':', ';']) == "s";
            let is_date = is_number(word) && (word.matches('-').count() == 2 || word.len() == 5 && word.contains(':'));
            if word.len() == 16 && word.chars().all(|c| c.is_ascii_hexdigit()) {
                "FINGERPRINT".to_owned()
            } else if is_seconds || is_date || word.contains("/s,") {
                "N".to_owned()
            } else if let Some((before, _)) = word.split_once("127.0.0.1:") {
                format!("{before}ADDRESS")
            } else {
                (*word).to_owned()
            }
        })
        .collect()
}

/// Whether an output is what a document shows; a line "…" stands for any lines.
fn is_shown(shown: &[Vec<String>], said: &[Vec<String>]) -> bool {
    match (shown.split_first(), said.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if *first == ["…"] => {
            (0..=said.len()).any(|skipped| is_shown(rest, &said[skipped..]))
        }
        (Some((first, rest)), Some((line, lines))) => first == line && is_shown(rest, lines),
        _ => false,
    }
}

fn lines(text: &str) -> Vec<Vec<String>> {
    text.lines().map(words).filter(|words| !words.is_empty()).collect()
}

fn document() -> (PathBuf, String) {
    let path = root().join("docs/shadow.md");
    let text = std::fs::read_to_string(&path).expect("the document");
    (path, text)
}

#[test]
fn the_document_says_what_the_commands_say() {
    let walk = Walk::new();
    walk.listings("listings.jsonl", &["300"]);
    walk.listings("worse.jsonl", &["40", "--first", "1001", "--wrong", "3"]);
    let (path, text) = document();
    let mut written = String::new();
    let mut rest = text.as_str();
    let mut differing = Vec::new();
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("\n```").expect("a closed block");
        let (command, shown) = block.split_once('\n').unwrap_or((block, ""));
        let arguments: Vec<&str> =
            command.strip_prefix("$ fleetctl ").expect("one command of ours").split(' ').collect();
        the_second_passes();
        let output = walk.fleetctl.run(&arguments);
        let said = format!("{}{}", output.stderr, output.stdout);
        if !is_shown(&lines(shown), &lines(&said)) {
            differing.push(format!("$ {command}\n{said}"));
        }
        written.push_str(&format!("{before}```console\n{command}\n{}\n```", said.trim_end()));
        rest = after;
    }
    written.push_str(rest);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, written).expect("written");
        // For `scripts/look`, which makes docs/shadow-report.png of it.
        std::fs::copy(walk.fleetctl.directory().join("report.html"), root().join("target/shadow-report.html"))
            .expect("copied");
        return;
    }
    assert!(differing.is_empty(), "{} says otherwise:\n{}", path.display(), differing.join("\n"));
}

#[test]
fn one_that_turns_bad_is_demoted_within_twenty_four_items() {
    let walk = Walk::new();
    walk.listings("listings.jsonl", &["300"]);
    walk.listings("more.jsonl", &["64", "--first", "301"]);
    let run = |file: &str| walk.must(&["shadow", "run", "job-score", "--input", file, "--concurrency", "8"]);
    run("listings.jsonl");
    walk.must(&["shadow", "promote", "job-score"]);
    walk.hours_pass(25);
    run("more.jsonl");
    let climbed = walk.must(&["shadow", "promote", "job-score"]);
    assert!(climbed.stderr.contains("rung = \"easy-25\""), "{climbed}");
    let steady = walk.must(&["shadow", "guard", "job-score"]);
    assert!(steady.stderr.contains("job-score stays on rung easy-25: 0 pairs since it came there"), "{steady}");
    the_second_passes();
    // From here on every third is wrong.
    let demoted_after = (1_u32..=5).find_map(|step| {
        let (name, first) = (format!("bad{step}.jsonl"), (1_000 + 8 * step).to_string());
        walk.listings(&name, &["8", "--first", &first, "--wrong", "3"]);
        run(&name);
        let guarded = walk.must(&["shadow", "guard", "job-score"]);
        guarded.stderr.contains("rung = \"easy-5\"").then_some(8 * step)
    });
    assert!(demoted_after.is_some_and(|items| items <= 24), "{demoted_after:?}");
    let refused = walk.fleetctl.run(&["shadow", "promote", "job-score"]);
    assert_eq!(refused.exit, Some(6), "{refused}");
    assert!(refused.stderr.contains("it cools down after a demotion until"), "{refused}");
}

#[test]
fn a_bad_candidate_is_refused() {
    let walk = Walk::new();
    walk.listings("bad.jsonl", &["160", "--wrong", "5"]);
    walk.must(&["shadow", "run", "job-score", "--input", "bad.jsonl", "--concurrency", "8"]);
    let document = walk.must(&["shadow", "report", "job-score", "--json"]).json();
    assert_eq!((&document["n"], &document["verdict"]), (&160.into(), &"fail".into()));
    let before = std::fs::read(walk.fleetctl.directory().join("fleet.toml")).expect("the file");
    let refused = walk.fleetctl.run(&["shadow", "promote", "job-score"]);
    assert_eq!(refused.exit, Some(6), "{refused}");
    // Every fifth is wrong; which of the last ten came before the look is a matter of who answered first.
    assert!(refused.stderr.contains(" of 150 agree, needed are 143"), "{refused}");
    assert_eq!(std::fs::read(walk.fleetctl.directory().join("fleet.toml")).expect("the file"), before);
}
