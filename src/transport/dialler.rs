//! Dialling one machine: the connection that is kept, else the LAN raced with the tailnet, each by an ssh master of our own.
//!
//! Knows sockets and ways; does not know what is said over them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::directory;
use super::error::{Attempt, ConnectError, RunError, Trouble};
use super::master_log;
use super::process;
use super::route::{Route, Way, ways};
use super::ssh_config::{self, HostKeys, Settings};
use crate::env::Env;
use crate::fleet::Machine;
use crate::fs;

/// How long the LAN alone may try before the tailnet starts beside it. On a LAN the TCP connection stands within a few milliseconds; where there is none this is all
/// that it costs.
const STAGGER: Duration = Duration::from_millis(60);

/// How long a LAN address that took the TCP connection may go on alone.
const LAN_ALONE: Duration = Duration::from_secs(2);

/// How long a connection of a run that is not kept outlives its last channel: a prompt may wait, a killed fleetctl must not leave it for ever.
const LINGER: Duration = Duration::from_mins(2);

/// How connections are made.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// `--timeout`: for reaching and probing one machine.
    pub timeout: Duration,
    /// `[fleet].keep_connection`: connections outlive the command by this time.
    pub keep: Option<Duration>,
    /// `--accept-new`
    pub host_keys: HostKeys,
}

/// Starts ssh masters, finds the kept ones, and ends its own.
pub(super) struct Dialler {
    directory: PathBuf,
    options: ConnectOptions,
    includes: Vec<String>,
    /// Sockets of this run that `hang_up` gives back.
    open: Mutex<Vec<PathBuf>>,
    run: String,
}

/// A connection that stands.
pub(super) struct Link {
    pub(super) session: Arc<Session>,
    pub(super) route: Route,
    /// What the operator should know about how it came to be.
    pub(super) notes: Vec<String>,
}

impl Dialler {
    /// Finds a place for the control sockets. Errors: no private directory.
    pub(super) fn new(env: &Env, options: ConnectOptions) -> Result<Self, RunError> {
        let includes = match env.get("FLEETCTL_SSH_CONFIG") {
            Some(file) => vec![ssh_config::word(file)],
            None => vec!["~/.ssh/config".to_owned(), "/etc/ssh/ssh_config".to_owned()],
        };
        Ok(Self {
            directory: directory::prepare(env)?,
            options,
            includes,
            open: Mutex::new(Vec::new()),
            run: super::envelope::nonce(),
        })
    }

    pub(super) fn options(&self) -> &ConnectOptions {
        &self.options
    }

    /// Ends the connections of this run, unless they are to be kept. Bounded; what does not listen any more ends by itself.
    pub(super) async fn hang_up(&self) {
        let sockets: Vec<PathBuf> = self.open.lock().await.drain(..).collect();
        if self.options.keep.is_some() {
            return;
        }
        let mut ends = tokio::task::JoinSet::new();
        for socket in sockets {
            ends.spawn(async move { end(&socket).await });
        }
        drop(timeout(Duration::from_secs(2), ends.join_all()).await);
    }

    /// A standing connection by the best way.
    pub(super) async fn dial(&self, machine: &Machine) -> Result<Link, ConnectError> {
        if let Some(link) = self.kept(machine).await {
            return Ok(link);
        }
        let ways = ways(machine);
        let failed = |attempts| ConnectError { machine: machine.name.clone(), attempts };
        let dialled = match ways.as_slice() {
            [lan, main] => self.race(machine, lan, main).await.map_err(failed)?,
            [only] => (only.route, self.attempt(machine, only).await.map_err(|one| failed(vec![one]))?, Vec::new()),
            _ => return Err(failed(Vec::new())),
        };
        let (route, socket, notes) = dialled;
        self.open.lock().await.push(socket.clone());
        let session = Session::resume_mux(socket.into_boxed_path(), None);
        Ok(Link { session: Arc::new(session), route, notes })
    }

    /// A connection that an earlier command kept, or that this one has made already (`--watch`), if it is alive.
    async fn kept(&self, machine: &Machine) -> Option<Link> {
        for way in ways(machine) {
            let socket = self.directory.join(self.name(machine, &way));
            if !directory::is_alive(&socket) {
                continue;
            }
            let session = Session::resume_mux(socket.into_boxed_path(), None);
            if matches!(timeout(Duration::from_secs(1), session.check()).await, Ok(Ok(()))) {
                return Some(Link { session: Arc::new(session), route: way.route, notes: Vec::new() });
            }
        }
        None
    }

    /// The LAN first and the tailnet beside it, under one host key: whichever stands first is used, the other is dropped.
    async fn race(
        &self,
        machine: &Machine,
        lan: &Way,
        main: &Way,
    ) -> Result<(Route, PathBuf, Vec<String>), Vec<Attempt>> {
        let near = self.attempt(machine, lan);
        tokio::pin!(near);
        let mut first = timeout(STAGGER, &mut near).await.ok();
        if first.is_none() && self.has_tcp(machine, lan) {
            first = timeout(LAN_ALONE, &mut near).await.ok();
        }
        let mut lan_failed = match first {
            Some(Ok(socket)) => return Ok((lan.route, socket, Vec::new())),
            Some(Err(attempt)) => Some(attempt),
            None => None,
        };
        let far = self.attempt(machine, main);
        tokio::pin!(far);
        loop {
            tokio::select! {
                result = &mut far => {
                    return match result {
                        Ok(socket) => {
                            let notes = lan_failed.iter().filter_map(|attempt| note(machine, attempt)).collect();
                            Ok((main.route, socket, notes))
                        }
                        Err(main_failed) => match lan_failed {
                            Some(lan_failed) => Err(vec![lan_failed, main_failed]),
                            None => match near.await {
                                Ok(socket) => Ok((lan.route, socket, Vec::new())),
                                Err(lan_failed) => Err(vec![lan_failed, main_failed]),
                            },
                        },
                    };
                }
                result = &mut near, if lan_failed.is_none() => match result {
                    Ok(socket) => return Ok((lan.route, socket, Vec::new())),
                    Err(attempt) => lan_failed = Some(attempt),
                },
            }
        }
    }

    /// The short name of a connection's files: kept ones by what they connect to, others by the run.
    fn name(&self, machine: &Machine, way: &Way) -> String {
        let run = if self.options.keep.is_some() { "" } else { self.run.as_str() };
        let port = machine.ssh_port.map_or(String::new(), |port| port.to_string());
        let parts = [machine.name.as_str(), &way.host, &machine.user, &port, &self.includes.join(" "), run];
        let digest = Sha256::digest(parts.join("\n").as_bytes());
        let word = digest.iter().take(8).fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        format!("{word:016x}{}", way.route.letter())
    }

    fn has_tcp(&self, machine: &Machine, way: &Way) -> bool {
        let log = self.directory.join(self.name(machine, way)).with_extension("log");
        master_log::has_tcp(&master_log::read(&log))
    }

    /// Starts one ssh master and waits until it is authenticated and listens. When the future is dropped, ssh is killed.
    ///
    /// ssh is started here and not by the `openssh` crate, which leaves a child behind when a race is lost, lets Ctrl-C reach it, and makes socket paths
    /// that are too long for macOS; the crate speaks to the master from then on.
    async fn attempt(&self, machine: &Machine, way: &Way) -> Result<PathBuf, Attempt> {
        let options = &self.options;
        let socket = self.directory.join(self.name(machine, way));
        let log = socket.with_extension("log");
        let config = socket.with_extension("conf");
        let includes: Vec<&str> = self.includes.iter().map(String::as_str).collect();
        // A first contact is made by the machine's own name only: a LAN address may be a stranger's.
        let host_keys = if way.route == Route::Lan { HostKeys::Strict } else { options.host_keys };
        // ssh's own words about a connection that hangs are better than ours: it gives up a little earlier.
        let connect_timeout = options.timeout.mul_f64(0.75).max(Duration::from_secs(1));
        let text = ssh_config::text(&Settings {
            machine,
            way,
            host_keys,
            connect_timeout,
            persist: options.keep.unwrap_or(LINGER),
            socket: &socket,
            includes: &includes,
        });
        let failed = |trouble: Trouble, said: Vec<String>| Attempt {
            route: way.route,
            host: way.host.clone(),
            port: machine.ssh_port,
            user: machine.user.clone(),
            trouble,
            said,
        };
        let local = |error: std::io::Error| failed(Trouble::Ssh, vec![error.to_string()]);
        drop(std::fs::remove_file(&socket));
        fs::write_scratch(&config, text.as_bytes(), 0o600).map_err(local)?;
        fs::write_scratch(&log, b"", 0o600).map_err(local)?;
        let stderr = fs::append(&log).map_err(local)?;
        let mut command = process::command("ssh");
        command.arg("-F").arg(&config).arg("-E").arg(&log).args(["-M", "-N", "-f"]).arg(machine.name.as_str());
        command.stderr(Stdio::from(stderr));
        let ended = timeout(options.timeout, command.status()).await;
        let text = master_log::read(&log);
        match ended {
            Ok(Ok(status)) if status.success() => {
                drop(std::fs::remove_file(&config));
                Ok(socket)
            }
            Ok(Ok(_)) => Err(master_log::completed_by(&text, failed(Trouble::of(&text), master_log::said(&text)))),
            Ok(Err(error)) => Err(failed(Trouble::Ssh, vec![format!("ssh cannot be started: {error}")])),
            Err(_) => {
                let seconds = options.timeout.as_secs_f64();
                let trouble = if master_log::has_tcp(&text) { Trouble::Stalled } else { Trouble::TimedOut };
                Err(master_log::completed_by(&text, failed(trouble, vec![format!("given up after {seconds} s")])))
            }
        }
    }
}

/// Asks a master to end once nobody uses it.
async fn end(socket: &Path) {
    let session = Session::resume_mux(socket.to_owned().into_boxed_path(), None);
    drop(session.close().await);
    drop(std::fs::remove_file(socket.with_extension("log")));
}

/// What an operator should know about a LAN address that was not used.
fn note(machine: &Machine, attempt: &Attempt) -> Option<String> {
    let what = match attempt.trouble {
        Trouble::HostKeyChanged => "is another computer (its SSH host key is not the known one)",
        Trouble::Auth => "refused our keys",
        _ => return None,
    };
    Some(format!("{}: {} (lan) {what}; the tailnet was used", machine.name, attempt.host))
}
