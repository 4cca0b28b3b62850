//! What can go wrong between the laptop and a machine, told apart by ssh's own words.

use std::fmt;

use super::directory::DirectoryError;
use super::route::Route;
use crate::fleet::MachineName;

/// Kinds of trouble while connecting, in the words of json.md's `reach.state` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The name does not resolve.
    Name,
    /// The port is closed.
    Refused,
    /// No way there.
    NoRoute,
    /// Nothing came back in time.
    TimedOut,
    /// The connection was taken, and then nothing came.
    Stalled,
    /// The server hung up before anything was agreed (too many connections, a server that refuses this laptop).
    Closed,
    /// No key was accepted, or the account may not log in.
    Auth,
    /// The key under this name is another than the one in `known_hosts`.
    HostKeyChanged,
    /// `known_hosts` has no key under this name.
    HostKeyUnknown,
    /// The control socket cannot be made.
    ControlPath,
    /// ssh itself cannot be run or does not understand its configuration.
    Ssh,
    /// None of these.
    Other,
}

impl Trouble {
    /// Tells by ssh's words; the order is that of the measurements (facts 6.1): a later text may occur beside an earlier one.
    pub(super) fn of(log: &str) -> Self {
        let has = |text: &str| log.contains(text);
        if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
            Self::HostKeyChanged
        } else if has("Host key verification failed") || has("host key is known for") {
            Self::HostKeyUnknown
        } else if has("Permission denied (") || has("Too many authentication failures") {
            Self::Auth
        } else if has("too long for Unix domain socket") || has("unix_listener: cannot") {
            Self::ControlPath
        } else if has("Bad configuration option") || has("Bad owner or permissions") || has("terminating, ") {
            Self::Ssh
        } else if has("timed out during banner exchange") || has("banner exchange: ") {
            Self::Stalled
        } else if has("timed out") {
            if has("Connection established") { Self::Stalled } else { Self::TimedOut }
        } else if has("Connection refused") {
            Self::Refused
        } else if has("Could not resolve") {
            Self::Name
        } else if has("unreachable") || has("No route") {
            Self::NoRoute
        } else if has("closed by") || has("reset by") {
            // The key was good and the account was not let in: "Only these users" of Remote Login.
            if has("Server accepts key") { Self::Auth } else { Self::Closed }
        } else {
            Self::Other
        }
    }
}

/// One attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// By which way.
    pub route: Route,
    /// The host that was dialled.
    pub host: String,
    /// The port, as far as it is known: the file's, or what ssh said that it dialled.
    pub port: Option<u16>,
    /// The user.
    pub user: String,
    /// What kind of trouble.
    pub trouble: Trouble,
    /// ssh's own words, without its debugging, one line a line.
    pub said: Vec<String>,
}

impl fmt::Display for Attempt {
    /// `mac-mini1.example.ts.net port 22 as ops: connection refused`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, " port {port}")?;
        }
        write!(f, " as {}: ", self.user)?;
        f.write_str(match self.trouble {
            Trouble::Name => "the name does not resolve",
            Trouble::Refused => "connection refused",
            Trouble::NoRoute => "no route to it",
            Trouble::TimedOut => "no answer in time",
            Trouble::Stalled => "it takes the connection and then says nothing",
            Trouble::Closed => "the server hung up at once",
            Trouble::Auth => "it refused our keys",
            Trouble::HostKeyChanged => "its SSH host key is not the known one",
            Trouble::HostKeyUnknown => "its SSH host key is not known yet",
            Trouble::ControlPath => "ssh cannot make its control socket",
            Trouble::Ssh => "ssh cannot be used",
            Trouble::Other => return f.write_str(self.said.last().map_or("ssh ended without a word", String::as_str)),
        })?;
        // ssh's last line says it in its own words; the texts above already say the plain ones.
        let plain = matches!(self.trouble, Trouble::Refused | Trouble::TimedOut | Trouble::HostKeyChanged);
        match self.said.last() {
            Some(said) if !plain => write!(f, " ({said})"),
            _ => Ok(()),
        }
    }
}

/// A machine that could not be connected to. Its hints say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConnectError {
    /// The machine.
    pub machine: MachineName,
    /// What was tried, in the order of preference; the last one decides.
    pub attempts: Vec<Attempt>,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: cannot connect", self.machine)?;
        for (at, attempt) in self.attempts.iter().enumerate() {
            write!(f, "{} {attempt}", if at == 0 { " to" } else { "; nor to" })?;
        }
        Ok(())
    }
}

impl ConnectError {
    /// The trouble that decides what to say about the machine: a host key before a refusal before everything else.
    pub fn trouble(&self) -> Trouble {
        let all = || self.attempts.iter().map(|attempt| attempt.trouble);
        let main = self.attempts.last().map_or(Trouble::Other, |attempt| attempt.trouble);
        if matches!(main, Trouble::HostKeyChanged | Trouble::HostKeyUnknown | Trouble::Auth) {
            return main;
        }
        all().find(|trouble| matches!(trouble, Trouble::Auth)).unwrap_or(main)
    }

    /// What to do next, one line each; the first is the most likely.
    pub fn hints(&self) -> Vec<String> {
        let machine = &self.machine;
        let Some(main) = self.attempts.iter().find(|attempt| attempt.trouble == self.trouble()) else {
            return Vec::new();
        };
        let port = main.port.filter(|port| *port != 22).map_or(String::new(), |port| format!("-p {port} "));
        let line = |text: String| vec![text];
        match self.trouble() {
            Trouble::Name => line(format!(
                "is this computer on the tailnet, with MagicDNS on? `tailscale status`; is `{}` the right name?",
                main.host
            )),
            Trouble::Refused => line(format!(
                "on {machine}: System Settings, General, Sharing, Remote Login must be on; is the port right?"
            )),
            Trouble::NoRoute | Trouble::TimedOut => {
                line(format!("is {machine} awake and on the network? `tailscale ping {}`", main.host))
            }
            Trouble::Stalled => line(format!(
                "{machine} is frozen or out of memory, or something else listens on that port; try `ssh {port}{}@{}`",
                main.user, main.host
            )),
            Trouble::Closed => {
                line(format!("try `ssh -v {port}{}@{}`; too many connections at once, perhaps", main.user, main.host))
            }
            Trouble::Auth => vec![
                format!(
                    "put your public key there: `ssh-copy-id {port}{}@{}`; is it in your agent?",
                    main.user, main.host
                ),
                format!("on {machine}: is {} among the users that Remote Login allows?", main.user),
            ],
            Trouble::HostKeyChanged => vec![
                format!(
                    "nothing was sent. Compare, on {machine} itself: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`"
                ),
                format!("if the machine was set up anew: `ssh-keygen -R {machine}`, then once more with --accept-new"),
            ],
            Trouble::HostKeyUnknown => vec![
                format!(
                    "known_hosts has no key under the name {machine} (the name in [machines], whatever address is dialled)"
                ),
                "for a first contact, once the network is one that you trust: the same command with --accept-new"
                    .to_owned(),
            ],
            Trouble::ControlPath => line("set XDG_RUNTIME_DIR to a short private directory".to_owned()),
            Trouble::Ssh => {
                line("is OpenSSH installed, and does your ~/.ssh/config work with it? `ssh -G localhost`".to_owned())
            }
            Trouble::Other => line(format!("try `ssh -v {port}{}@{}`", main.user, main.host)),
        }
    }
}

/// Why a script gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The control sockets have no place.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// sudo refused the one command.
    #[error("{machine}: sudo refused `{command}`: {said}", command = super::sudo::COMMAND)]
    Sudo {
        /// The machine.
        machine: MachineName,
        /// sudo's own words.
        said: String,
    },
    /// The login shell did not run the script.
    #[error("{machine}: the shell there did not run the script (exit {code}): {said}")]
    Shell {
        /// The machine.
        machine: MachineName,
        /// What the shell said.
        said: String,
        /// Its exit code.
        code: i32,
    },
    /// The connection ended before the script had said its last word; what it does on the machine is not known.
    #[error("{machine}: the connection was cut while the script ran{}", if .said.is_empty() { String::new() } else { format!(": {}", .said) })]
    Cut {
        /// The machine.
        machine: MachineName,
        /// What came back before.
        said: String,
        /// What the script had printed.
        partial: Vec<u8>,
    },
    /// It took too long.
    #[error("{machine}: no end of the script within {seconds} s")]
    Deadline {
        /// The machine.
        machine: MachineName,
        /// The time that it had, in seconds.
        seconds: u64,
        /// What the script had printed.
        partial: Vec<u8>,
    },
    /// It printed more than it may.
    #[error("{machine}: the script printed more than {limit} bytes")]
    TooMuch {
        /// The machine.
        machine: MachineName,
        /// The limit, bytes.
        limit: usize,
    },
    /// The local side failed.
    #[error("{machine}: cannot start the shell")]
    Local {
        /// The machine.
        machine: MachineName,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The multiplexer failed.
    #[error("{machine}: the SSH connection refused another channel")]
    Channel {
        /// The machine.
        machine: MachineName,
        /// Why.
        #[source]
        source: openssh::Error,
    },
}

impl RunError {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Connect(error) => error.hints(),
            Self::Sudo { machine, .. } => vec![
                format!(
                    "on {machine}, once, with `sudo visudo -f /etc/sudoers.d/fleetctl`: {}",
                    super::sudo::line("USER")
                ),
                "with USER the login user; `fleetctl doctor` checks it".to_owned(),
            ],
            Self::Cut { .. } | Self::Deadline { .. } => {
                vec!["nothing is lost: `fleetctl status` says what is true on the machine now".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of facts 6.1, as measured.
    #[test]
    fn trouble_is_told_by_sshs_words() {
        for (log, trouble) in [
            ("ssh: connect to host 127.0.0.1 port 2298: Connection refused\r\n", Trouble::Refused),
            ("ssh: connect to host H port 22: Operation timed out\r\n", Trouble::TimedOut),
            ("ssh: connect to host H port 22: Connection timed out\r\n", Trouble::TimedOut),
            ("Connection timed out during banner exchange\r\nConnection to H port P timed out\r\n", Trouble::Stalled),
            (
                "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by H port P",
                Trouble::Closed,
            ),
            ("kex_exchange_identification: read: Connection reset by peer", Trouble::Closed),
            ("ssh: Could not resolve hostname X: nodename nor servname provided, or not known", Trouble::Name),
            ("ssh: connect to host H port 22: Network is unreachable", Trouble::NoRoute),
            ("ssh: connect to host H port 22: No route to host", Trouble::NoRoute),
            ("root@127.0.0.1: Permission denied (publickey).", Trouble::Auth),
            (
                "No ED25519 host key is known for [H]:P and you have requested strict checking.\r\nHost key verification failed.",
                Trouble::HostKeyUnknown,
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.",
                Trouble::HostKeyChanged,
            ),
            ("unix_listener: path \"x\" too long for Unix domain socket", Trouble::ControlPath),
            ("debug1: Server accepts key: x\r\nConnection closed by 1.2.3.4 port 22", Trouble::Auth),
            ("", Trouble::Other),
        ] {
            assert_eq!(Trouble::of(log), trouble, "{log}");
        }
    }
}
