//! One shell of root's on a host that stays open, because a new way in for every question costs more than the question.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};

use super::host::lab;

/// What a script said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    /// Its exit code; -1 when the host went away meanwhile.
    pub(crate) code: i32,
}

/// The shell. It is opened when it is needed, and again after a boot.
pub(crate) struct Shell {
    lab: String,
    host: String,
    open: Option<Open>,
    asked: u32,
}

struct Open {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    complaints: Arc<Mutex<Vec<u8>>>,
}

impl Shell {
    pub(crate) fn new(lab: &str, host: &str) -> Self {
        Self { lab: lab.to_owned(), host: host.to_owned(), open: None, asked: 0 }
    }

    /// Runs a script. Where the shell was lost before it answered, a new one is asked once more.
    pub(crate) fn run(&mut self, script: &str) -> Said {
        let was_open = self.open.is_some();
        match self.ask(script) {
            Some(said) => said,
            None if was_open => self.ask(script).unwrap_or_else(lost),
            None => lost(),
        }
    }

    fn ask(&mut self, script: &str) -> Option<Said> {
        self.asked += 1;
        let end = format!("@@said-{}", self.asked);
        if self.open.is_none() {
            self.open = Some(Open::new(&self.lab, &self.host));
        }
        let said = self.open.as_mut().and_then(|open| open.ask(script, &end));
        if said.is_none() {
            self.open = None;
        }
        said
    }
}

fn lost() -> Said {
    Said { out: String::new(), err: "the host went away".to_owned(), code: -1 }
}

impl Open {
    fn new(lab_name: &str, host: &str) -> Self {
        let mut command = lab();
        command.args(["exec", lab_name, host, "--user", "root", "--", "/bin/sh"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("scripts/lab runs");
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let (mut errors, kept) = (child.stderr.take().expect("piped"), Arc::clone(&complaints));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = errors.read(&mut piece) {
                kept.lock().expect("no panic").extend_from_slice(&piece[..length]);
            }
        });
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output, complaints }
    }

    /// `None`: the shell is gone.
    fn ask(&mut self, script: &str, end: &str) -> Option<Said> {
        self.complaints.lock().expect("no panic").clear();
        let quoted = script.replace('\'', "'\\''");
        writeln!(self.input, "/bin/sh -c '{quoted}' </dev/null; printf '{end} %s\\n' $?").ok()?;
        let mut out = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.output.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            // Behind what has no line end, too.
            let text = String::from_utf8_lossy(&line).into_owned();
            if let Some(at) = text.find(end) {
                out.extend_from_slice(&text.as_bytes()[..at]);
                let err = String::from_utf8_lossy(&self.complaints.lock().expect("no panic")).into_owned();
                let code = text[at + end.len()..].trim().parse().ok()?;
                return Some(Said { out: String::from_utf8_lossy(&out).into_owned(), err, code });
            }
            out.extend_from_slice(&line);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
