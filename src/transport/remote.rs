//! A machine at the other end of a connection: scripts go in, bracketed answers come out.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::dialler::{Dialler, Link};
use super::error::RunError;
use super::process;
use super::route::Route;
use super::sudo;
use super::talk::{As, Ended, Output, Talk};
use crate::fleet::{Machine, MachineName};

/// Channels at once on one connection: sshd's `MaxSessions` is 10 by default (measured: the 11th is refused).
const CHANNELS: usize = 8;

/// A machine that scripts can be sent to. Cheap to clone.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    dialler: Arc<Dialler>,
    machine: Machine,
    route: Route,
    notes: Vec<String>,
    session: Mutex<Option<Arc<Session>>>,
    channels: Semaphore,
}

impl Remote {
    /// With a connection, or without one for this computer.
    pub(super) fn new(dialler: Arc<Dialler>, machine: &Machine, link: Option<Link>) -> Self {
        let (session, route, notes) =
            link.map_or((None, Route::Local, Vec::new()), |link| (Some(link.session), link.route, link.notes));
        Self(Arc::new(Inner {
            dialler,
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
                partial: talk.into_partial(),
            }),
        }
    }

    /// Runs a script that goes on until it ends or the future is dropped, and hands over its lines; nothing of them is kept.
    ///
    /// Errors: see [`RunError`].
    pub async fn follow(&self, who: As, script: &str, line: impl FnMut(&str) + Send) -> Result<Output, RunError> {
        let mut talk = Talk::passing(self.machine().clone(), who);
        self.talk(&mut talk, script, line).await
    }

    async fn talk(&self, talk: &mut Talk, script: &str, line: impl FnMut(&str) + Send) -> Result<Output, RunError> {
        // The semaphore is never closed.
        let _channel = self.0.channels.acquire().await;
        match self.0.route {
            Route::Local => self.talk_here(talk, script, line).await,
            _ => self.talk_over_ssh(talk, script, line).await,
        }
    }

    /// With a shell that is a child of ours.
    async fn talk_here(
        &self,
        talk: &mut Talk,
        script: &str,
        line: impl FnMut(&str) + Send,
    ) -> Result<Output, RunError> {
        let mut words = match talk.who() {
            As::Login => "/bin/sh -s",
            As::Root => sudo::COMMAND,
        }
        .split(' ');
        let mut command = process::command(words.next().unwrap_or("/bin/sh"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|source| RunError::Local { machine: self.machine().clone(), source })?;
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let Some(((stdin, stdout), stderr)) = pipes else { return Err(self.no_pipes()) };
        match talk.converse(script, stdin, stdout, stderr, line).await {
            Ended::Eof => Err(talk.explain(child.wait().await.ok().and_then(|status| status.code()))),
            Ended::Said(code) => Ok(talk.said(code)),
            Ended::TooMuch => Err(talk.too_much()),
        }
    }

    /// With the login shell of the machine, on a channel of its own.
    async fn talk_over_ssh(
        &self,
        talk: &mut Talk,
        script: &str,
        line: impl FnMut(&str) + Send,
    ) -> Result<Output, RunError> {
        let shell = match talk.who() {
            // A shell that takes its script from standard input reads it byte by byte, a system call each; this one reads it whole, and what is cut on the way
            // is still no complete function.
            As::Login => "exec /bin/sh -c 'eval \"$(/bin/cat)\"'".to_owned(),
            As::Root => format!("exec {}", sudo::COMMAND),
        };
        let channel = |source| RunError::Channel { machine: self.machine().clone(), source };
        let mut child = match spawn(self.session().await?, &shell).await {
            // The connection has gone before anything was sent (it was kept, or the operator took his time): once more.
            Err(openssh::Error::Disconnected) => spawn(self.reconnect().await?, &shell).await,
            first => first,
        }
        .map_err(channel)?;
        let pipes = child.stdin().take().zip(child.stdout().take()).zip(child.stderr().take());
        let Some(((stdin, stdout), stderr)) = pipes else { return Err(self.no_pipes()) };
        match talk.converse(script, stdin, stdout, stderr, line).await {
            Ended::Eof => Err(talk.explain(match child.wait().await {
                Ok(status) => status.code(),
                // The openssh crate's word for exit code 127 (its native_mux_impl/child.rs).
                Err(openssh::Error::Remote(_)) => Some(127),
                Err(_) => None,
            })),
            Ended::Said(code) => Ok(talk.said(code)),
            Ended::TooMuch => Err(talk.too_much()),
        }
    }

    async fn session(&self) -> Result<Arc<Session>, RunError> {
        match self.0.session.lock().await.as_ref() {
            Some(session) => Ok(Arc::clone(session)),
            None => Err(RunError::Cut { machine: self.machine().clone(), said: String::new(), partial: Vec::new() }),
        }
    }

    async fn reconnect(&self) -> Result<Arc<Session>, RunError> {
        let mut session = self.0.session.lock().await;
        let link = self.0.dialler.dial(&self.0.machine).await?;
        *session = Some(Arc::clone(&link.session));
        Ok(link.session)
    }

    fn no_pipes(&self) -> RunError {
        RunError::Local { machine: self.machine().clone(), source: std::io::Error::other("no pipes") }
    }
}

/// Starts a shell at the other end, with a pipe at each stream.
async fn spawn(session: Arc<Session>, shell: &str) -> Result<openssh::Child<Arc<Session>>, openssh::Error> {
    let mut command = session.arc_raw_command(shell);
    command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
    command.spawn().await
}
