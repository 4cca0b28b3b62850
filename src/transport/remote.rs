//! A machine at the other end of a connection: scripts go in, bracketed answers come out.

use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::connector::{Connector, Link};
use super::envelope::{Progress, Reader, nonce, wrap};
use super::error::RunError;
use super::process;
use super::route::Route;
use super::sudo;
use crate::fleet::{Machine, MachineName};

/// Channels at once on one connection: sshd's `MaxSessions` is 10 by default (measured: the 11th is refused).
const CHANNELS: usize = 8;

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

/// A machine that scripts can be sent to. Cheap to clone.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    connector: Connector,
    machine: Machine,
    route: Route,
    notes: Vec<String>,
    session: Mutex<Option<Arc<Session>>>,
    channels: Semaphore,
}

impl Remote {
    /// With a connection, or without one for this computer.
    pub(super) fn new(connector: Connector, machine: &Machine, link: Option<Link>) -> Self {
        let (session, route, notes) =
            link.map_or((None, Route::Local, Vec::new()), |link| (Some(link.session), link.route, link.notes));
        Self(Arc::new(Inner {
            connector,
            machine: machine.clone(),
            route,
            notes,
            session: Mutex::new(session),
            channels: Semaphore::new(CHANNELS),
        }))
    }

    /// The machine's name.
    pub fn machine(&self) -> &MachineName {
        &self.0.machine.name
    }

    /// By which way it was reached.
    pub fn route(&self) -> Route {
        self.0.route
    }

    /// What the operator should know about how it was reached.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Runs a POSIX sh script and returns its answer. Its standard input is empty: what it needs stands in it, quoted, or as a here-document.
    ///
    /// Errors: see [`RunError`]; an exit code other than 0 is no error here.
    pub async fn run(&self, who: As, script: &str, within: Duration) -> Result<Output, RunError> {
        self.stream(who, script, within, |_| {}).await
    }

    /// As [`run`](Self::run), and hands each line of standard output to `line` as it comes, without its newline.
    pub async fn stream(
        &self,
        who: As,
        script: &str,
        within: Duration,
        line: impl FnMut(&str) + Send,
    ) -> Result<Output, RunError> {
        let mut talk = Talk::new(self.machine().clone(), who);
        let result = timeout(within, self.talk(&mut talk, script, line)).await;
        match result {
            Ok(result) => result,
            Err(_) => Err(RunError::Deadline {
                machine: self.machine().clone(),
                seconds: within.as_secs(),
                partial: talk.reader.into_output(),
            }),
        }
    }

    /// Runs a script that goes on until it ends or the future is dropped, and hands over its lines; nothing of them is kept.
    ///
    /// Errors: see [`RunError`].
    pub async fn follow(&self, who: As, script: &str, line: impl FnMut(&str) + Send) -> Result<Output, RunError> {
        let mut talk = Talk { keeps: false, ..Talk::new(self.machine().clone(), who) };
        self.talk(&mut talk, script, line).await
    }

    async fn talk(&self, talk: &mut Talk, script: &str, line: impl FnMut(&str) + Send) -> Result<Output, RunError> {
        let machine = || self.machine().clone();
        // The semaphore is never closed.
        let _channel = self.0.channels.acquire().await;
        let input = wrap(script, &talk.nonce);
        if self.0.route == Route::Local {
            let mut words = match talk.who {
                As::Login => "/bin/sh -s",
                As::Root => sudo::COMMAND,
            }
            .split(' ');
            let mut command = process::command(words.next().unwrap_or("/bin/sh"));
            command.args(words).stdin(std::process::Stdio::piped());
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let local = |source| RunError::Local { machine: machine(), source };
            let mut child = command.spawn().map_err(local)?;
            let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
            let Some(((stdin, stdout), stderr)) = pipes else {
                return Err(local(std::io::Error::other("no pipes")));
            };
            let ended = talk.converse(&input, stdin, stdout, stderr, line).await;
            if matches!(ended, Ended::Eof) {
                let code = child.wait().await.ok().and_then(|status| status.code());
                return talk.explain(code);
            }
            return talk.finish(&ended);
        }
        let session = self.session().await?;
        let line_of_shell = match talk.who {
            // A shell that takes its script from standard input reads it byte by byte, a system call each; this one reads it whole, and what is cut on the way
            // is still no complete function.
            As::Login => "exec /bin/sh -c 'eval \"$(/bin/cat)\"'".to_owned(),
            As::Root => format!("exec {}", sudo::COMMAND),
        };
        let spawn = async |session: Arc<Session>| {
            let mut command = session.arc_raw_command(&line_of_shell);
            command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
            command.spawn().await
        };
        let mut child = match spawn(session).await {
            Ok(child) => child,
            // The connection has gone before anything was sent (it was kept, or the operator took his time): once more.
            Err(openssh::Error::Disconnected) => {
                let session = self.reconnect().await?;
                spawn(session).await.map_err(|source| RunError::Channel { machine: machine(), source })?
            }
            Err(source) => return Err(RunError::Channel { machine: machine(), source }),
        };
        let pipes = child.stdin().take().zip(child.stdout().take()).zip(child.stderr().take());
        let Some(((stdin, stdout), stderr)) = pipes else {
            let source = std::io::Error::other("no pipes");
            return Err(RunError::Local { machine: machine(), source });
        };
        let ended = talk.converse(&input, stdin, stdout, stderr, line).await;
        if matches!(ended, Ended::Eof) {
            let code = match child.wait().await {
                Ok(status) => status.code(),
                Err(openssh::Error::Remote(_)) => Some(127),
                Err(_) => None,
            };
            return talk.explain(code);
        }
        talk.finish(&ended)
    }

    async fn session(&self) -> Result<Arc<Session>, RunError> {
        match self.0.session.lock().await.as_ref() {
            Some(session) => Ok(Arc::clone(session)),
            None => Err(RunError::Cut { machine: self.machine().clone(), said: String::new(), partial: Vec::new() }),
        }
    }

    async fn reconnect(&self) -> Result<Arc<Session>, RunError> {
        let mut session = self.0.session.lock().await;
        let link = self.0.connector.dial(&self.0.machine).await?;
        *session = Some(Arc::clone(&link.session));
        Ok(link.session)
    }
}

/// How a conversation ended.
enum Ended {
    /// By the end marker.
    Said(i32),
    /// By the end of standard output, without the marker.
    Eof,
    /// By too much output.
    TooMuch,
}

/// One script's conversation.
struct Talk {
    machine: MachineName,
    who: As,
    nonce: String,
    reader: Reader,
    stderr: Vec<u8>,
    keeps: bool,
}

impl Talk {
    fn new(machine: MachineName, who: As) -> Self {
        let nonce = nonce();
        let reader = Reader::new(&nonce, LIMIT);
        Self { machine, who, nonce, reader, stderr: Vec::new(), keeps: true }
    }

    /// Writes the script while it reads both streams, until the script has said its last word: a process that it left behind may hold the streams open.
    async fn converse(
        &mut self,
        input: &str,
        mut stdin: impl AsyncWrite + Unpin,
        mut stdout: impl AsyncRead + Unpin,
        mut stderr: impl AsyncRead + Unpin,
        mut line: impl FnMut(&str),
    ) -> Ended {
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
                    Ok(n) => {
                        let room = STDERR_LIMIT.saturating_sub(self.stderr.len());
                        self.stderr.extend_from_slice(&noise[..n.min(room)]);
                    }
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

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }

    fn finish(&mut self, ended: &Ended) -> Result<Output, RunError> {
        match ended {
            Ended::Said(code) => {
                let code = *code;
                let stdout = std::mem::replace(&mut self.reader, Reader::new("", 0)).into_output();
                Ok(Output { stdout, stderr: self.said(), code })
            }
            Ended::TooMuch => Err(RunError::TooMuch { machine: self.machine.clone(), limit: LIMIT }),
            Ended::Eof => self.explain(None),
        }
    }

    /// The output ended without the marker: sudo refused, the shell would not, or the connection was cut.
    fn explain(&mut self, code: Option<i32>) -> Result<Output, RunError> {
        let machine = self.machine.clone();
        let mut said = self.said();
        if self.reader.has_begun() {
            let partial = std::mem::replace(&mut self.reader, Reader::new("", 0)).into_output();
            return Err(RunError::Cut { machine, said, partial });
        }
        if self.who == As::Root && said.lines().any(|line| line.starts_with("sudo: ") || line.contains("sudoers")) {
            return Err(RunError::Sudo { machine, said: said.lines().last().unwrap_or_default().to_owned() });
        }
        if said.is_empty() {
            String::from_utf8_lossy(self.reader.output()).trim().clone_into(&mut said);
        }
        match code {
            Some(code) => Err(RunError::Shell { machine, said, code }),
            None => Err(RunError::Cut { machine, said, partial: Vec::new() }),
        }
    }
}

async fn read_rest(stream: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) {
    let mut piece = vec![0; 4096];
    while into.len() < STDERR_LIMIT {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => into.extend_from_slice(&piece[..n]),
        }
    }
}

/// How far the output was handed over as lines.
#[derive(Default)]
struct Lines {
    /// Up to here it was handed over.
    told: usize,
    /// Up to here there is no further newline.
    searched: usize,
}

impl Lines {
    /// Hands over the complete lines; the newline before the end marker is not the script's, so the last line waits while more may come.
    fn tell(&mut self, output: &[u8], more: bool, line: &mut impl FnMut(&str)) {
        self.told = self.told.min(output.len());
        self.searched = self.searched.clamp(self.told, output.len());
        while let Some(newline) = output[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + newline;
            if more && end + 1 == output.len() && output[self.told..end].is_empty() {
                self.searched = end;
                return;
            }
            line(&String::from_utf8_lossy(&output[self.told..end]));
            self.told = end + 1;
            self.searched = self.told;
        }
        self.searched = output.len();
        if !more && self.told < output.len() {
            line(&String::from_utf8_lossy(&output[self.told..]));
            self.told = output.len();
        }
    }

    /// What was handed over is dropped: how much that is.
    fn forget(&mut self) -> usize {
        let told = std::mem::take(&mut self.told);
        self.searched -= told;
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_line_is_handed_over_once(text in "([a-c]{0,3}\n){0,8}[a-c]{0,3}", cut in 1usize..6, keeps: bool) {
            let (mut lines, mut output, mut told) = (Lines::default(), Vec::new(), Vec::new());
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            for (at, piece) in pieces.iter().enumerate() {
                output.extend_from_slice(piece);
                lines.tell(&output, at + 1 < pieces.len(), &mut |line| told.push(line.to_owned()));
                if !keeps {
                    output.drain(..lines.forget());
                }
            }
            prop_assert_eq!(told, text.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
