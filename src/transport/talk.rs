//! One script's conversation with a shell at the other end: written and read at once, until its end marker, and what its end means.
//!
//! Knows streams; does not know whether a process of this computer or a channel of ssh is behind them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::envelope::{Progress, Reader, nonce, wrap};
use super::error::RunError;
use super::lines::Lines;
use crate::fleet::MachineName;

/// What a script may print, bytes.
const LIMIT: usize = 32 << 20;

/// What is kept of standard error, bytes.
const STDERR_LIMIT: usize = 64 << 10;

/// As whom a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// The login user.
    Login,
    /// root, by the one command under sudo.
    Root,
}

/// What a script said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its standard output, without what the login shell printed before.
    pub stdout: Vec<u8>,
    /// The end of its standard error.
    pub stderr: String,
    /// Its exit code: the script's own, never ssh's.
    pub code: i32,
}

impl Output {
    /// Standard output as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// How a conversation ended.
pub(super) enum Ended {
    /// By the end marker.
    Said(i32),
    /// By the end of standard output, without the marker.
    Eof,
    /// By too much output.
    TooMuch,
}

/// One script's conversation.
pub(super) struct Talk {
    machine: MachineName,
    who: As,
    nonce: String,
    reader: Reader,
    stderr: Vec<u8>,
    keeps: bool,
}

impl Talk {
    pub(super) fn new(machine: MachineName, who: As) -> Self {
        let nonce = nonce();
        let reader = Reader::new(&nonce, LIMIT);
        Self { machine, who, nonce, reader, stderr: Vec::new(), keeps: true }
    }

    /// As [`new`](Self::new), but what was handed over as lines is not kept: for a script that may go on for days.
    pub(super) fn passing(machine: MachineName, who: As) -> Self {
        Self { keeps: false, ..Self::new(machine, who) }
    }

    pub(super) fn who(&self) -> As {
        self.who
    }

    /// What came until the time was over.
    pub(super) fn into_partial(self) -> Vec<u8> {
        self.reader.into_output()
    }

    /// Writes the script while it reads both streams, until the script has said its last word: a process that it left behind may hold the streams open.
    pub(super) async fn converse(
        &mut self,
        script: &str,
        mut stdin: impl AsyncWrite + Unpin,
        mut stdout: impl AsyncRead + Unpin,
        mut stderr: impl AsyncRead + Unpin,
        mut line: impl FnMut(&str),
    ) -> Ended {
        let input = wrap(script, &self.nonce);
        let write = async move {
            // A shell that ends early (sudo) closes its end: what it said tells why.
            drop(stdin.write_all(input.as_bytes()).await);
            drop(stdin.shutdown().await);
        };
        tokio::pin!(write);
        let mut written = false;
        let mut stderr_open = true;
        let (mut piece, mut noise) = (vec![0; 64 << 10], vec![0; 4096]);
        let mut lines = Lines::default();
        loop {
            tokio::select! {
                () = &mut write, if !written => written = true,
                read = stderr.read(&mut noise), if stderr_open => match read {
                    Ok(0) | Err(_) => stderr_open = false,
                    Ok(n) => keep_the_end(&mut self.stderr, &noise[..n]),
                },
                read = stdout.read(&mut piece) => {
                    let n = read.unwrap_or(0);
                    if n == 0 {
                        // What was said on the other stream explains it.
                        drop(timeout(Duration::from_millis(200), read_rest(&mut stderr, &mut self.stderr)).await);
                        return Ended::Eof;
                    }
                    let progress = self.reader.push(&piece[..n]);
                    if self.reader.has_begun() {
                        lines.tell(self.reader.output(), progress == Progress::More, &mut line);
                        if !self.keeps {
                            self.reader.forget(lines.forget());
                        }
                    }
                    match progress {
                        Progress::More => {}
                        Progress::Ended(code) => {
                            drop(timeout(Duration::from_millis(20), read_rest(&mut stderr, &mut self.stderr)).await);
                            return Ended::Said(code);
                        }
                        Progress::TooMuch => return Ended::TooMuch,
                    }
                }
            }
        }
    }

    fn noise(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }

    /// The script has ended with this code.
    pub(super) fn said(&mut self, code: i32) -> Output {
        Output { stdout: self.take_output(), stderr: self.noise(), code }
    }

    pub(super) fn too_much(&self) -> RunError {
        RunError::TooMuch { machine: self.machine.clone(), limit: LIMIT }
    }

    /// The output ended without the marker: sudo refused, the shell would not, or the connection was cut.
    pub(super) fn explain(&mut self, code: Option<i32>) -> RunError {
        let machine = self.machine.clone();
        let mut said = self.noise();
        if self.reader.has_begun() {
            return RunError::Cut { machine, said, partial: self.take_output() };
        }
        if self.who == As::Root && said.lines().any(|line| line.starts_with("sudo: ") || line.contains("sudoers")) {
            return RunError::Sudo { machine, said: said.lines().last().unwrap_or_default().to_owned() };
        }
        if said.is_empty() {
            String::from_utf8_lossy(self.reader.output()).trim().clone_into(&mut said);
        }
        match code {
            Some(code) => RunError::Shell { machine, said, code },
            None => RunError::Cut { machine, said, partial: Vec::new() },
        }
    }

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.reader, Reader::new("", 0)).into_output()
    }
}

async fn read_rest(stream: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) {
    let mut piece = vec![0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => keep_the_end(into, &piece[..n]),
        }
    }
}

/// Why a script failed stands in its last words, however much it said before.
fn keep_the_end(kept: &mut Vec<u8>, piece: &[u8]) {
    kept.extend_from_slice(piece);
    kept.drain(..kept.len().saturating_sub(STDERR_LIMIT));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_words_are_kept() {
        let mut talk = Talk::new(MachineName::new("mac-a").expect("a name"), As::Root);
        let said = "a line that nobody needs\n".repeat(STDERR_LIMIT / 8) + "sudo: a password is required\n";
        let ended = talk.converse("", tokio::io::sink(), tokio::io::empty(), said.as_bytes(), |_| {}).await;
        assert!(matches!(ended, Ended::Eof));
        assert!(talk.stderr.len() <= STDERR_LIMIT);
        let error = talk.explain(Some(1));
        assert!(matches!(&error, RunError::Sudo { said, .. } if said == "sudo: a password is required"), "{error:?}");
    }
}
