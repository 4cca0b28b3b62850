//! A program on a terminal of its own, driven as an operator would (terminal.py).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is done, one after another.
pub(crate) enum Step<'a> {
    /// Waits until this has been written.
    Expect(&'a str),
    /// Types this.
    Send(&'a str),
    /// Sends the program this signal.
    Signal(i32),
    /// Gives the terminal another size.
    Resize(u16, u16),
}

/// What a program left behind.
pub(crate) struct Ended {
    /// Everything that it wrote, escape sequences and all.
    pub(crate) written: String,
    pub(crate) exit: i64,
    /// Whether the terminal has its settings back.
    pub(crate) is_restored: bool,
}

/// Runs a program on a terminal of 80 by 24 with these variables and nothing else in its environment.
pub(crate) fn drive(command: &[&str], variables: &[(&str, &str)], directory: &Path, steps: &[Step<'_>]) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/terminal.py");
    let mut driver = Command::new("/usr/bin/python3");
    driver.arg(script).args(["80", "24"]).args(command).current_dir(directory).env_clear();
    driver.envs(variables.iter().copied());
    let mut child = driver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let mut lines = String::new();
    for step in steps {
        let step = match step {
            Step::Expect(text) => serde_json::json!({ "expect": text }),
            Step::Send(text) => serde_json::json!({ "send": text }),
            Step::Signal(number) => serde_json::json!({ "signal": number }),
            Step::Resize(columns, rows) => serde_json::json!({ "resize": [columns, rows] }),
        };
        lines.push_str(&format!("{step}\n"));
    }
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let ended: serde_json::Value = serde_json::from_slice(&output.stdout).expect("what happened");
    assert!(ended["failed"].is_null(), "{}\n{}", ended["failed"], ended["written"].as_str().unwrap_or_default());
    Ended {
        written: ended["written"].as_str().expect("text").to_owned(),
        exit: ended["exit"].as_i64().expect("a code"),
        is_restored: ended["restored"].as_bool().expect("known"),
    }
}
