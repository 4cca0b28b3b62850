//! The SSH configuration of one connection, generated: our lines first, then the operator's own.

use std::path::Path;
use std::time::Duration;

use super::route::Way;
use crate::fleet::Machine;

/// Whether a host key that is not known yet may be added to the operator's `known_hosts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// Nothing is added: an unknown or changed key ends the attempt.
    Strict,
    /// `--accept-new`: the first contact adds the key; a changed one still ends the attempt.
    AcceptNew,
}

/// What a configuration says.
pub(super) struct Settings<'a> {
    pub(super) machine: &'a Machine,
    pub(super) way: &'a Way,
    pub(super) host_keys: HostKeys,
    pub(super) connect_timeout: Duration,
    pub(super) persist: Duration,
    pub(super) socket: &'a Path,
    /// The operator's own files, in the order in which ssh itself would read them.
    pub(super) includes: &'a [&'a str],
}

/// The text of the file (`ssh_config(5)`). The first value of an option wins, so ours stand before the Include, in a block of the machine's name alone:
/// a `ProxyJump` of the operator's reads the same file (`ssh -F`) and must not take our `HostName`.
///
/// `-F` makes ssh skip both the operator's and the system's file, so both are included, in ssh's own order. `Match final` makes ssh read everything once more
/// under the name that is dialled: a block of the operator's for `*.ts.net` or for an address holds as well as one for the machine's name.
pub(super) fn text(settings: &Settings<'_>) -> String {
    let machine = settings.machine;
    let strict = match settings.host_keys {
        HostKeys::Strict => "yes",
        HostKeys::AcceptNew => "accept-new",
    };
    let mut text = format!("# Written by fleetctl for one connection.\nHost {}\n", machine.name);
    let mut line = |key: &str, value: &str| {
        text.extend(["  ", key, " ", value, "\n"]);
    };
    line("HostName", &word(&settings.way.host.replace('%', "%%")));
    line("HostKeyAlias", machine.name.as_str());
    line("User", &word(&machine.user));
    if let Some(port) = machine.ssh_port {
        line("Port", &port.to_string());
    }
    line("StrictHostKeyChecking", strict);
    // Nothing is added to known_hosts behind the operator's back, and nothing but known_hosts vouches for a key.
    line("UpdateHostKeys", "no");
    line("VerifyHostKeyDNS", "no");
    line("CheckHostIP", "no");
    line("BatchMode", "yes");
    line("ConnectTimeout", &settings.connect_timeout.as_secs().max(1).to_string());
    line("ConnectionAttempts", "1");
    line("ServerAliveInterval", "5");
    line("ServerAliveCountMax", "3");
    // A question of 20 kB fits into the first window of a TCP connection (RFC 6928: ten segments) only when it is compressed; else it costs a round trip more.
    line("Compression", "yes");
    line("ControlMaster", "yes");
    line("ControlPath", &word(&settings.socket.to_string_lossy().replace('%', "%%")));
    line("ControlPersist", &format!("{}s", settings.persist.as_secs().max(1)));
    // What an operator may have set for sessions by hand and that would hurt here.
    for (key, value) in [
        ("ClearAllForwardings", "yes"),
        ("ForwardAgent", "no"),
        ("ForwardX11", "no"),
        ("PermitLocalCommand", "no"),
        ("RemoteCommand", "none"),
        ("RequestTTY", "no"),
        ("Tunnel", "no"),
        ("VisualHostKey", "no"),
        // The log tells how far a connection came; it is what an error quotes.
        ("LogLevel", "DEBUG1"),
    ] {
        line(key, value);
    }
    text.push_str("Match final\nHost *\n");
    for include in settings.includes {
        text.extend(["  Include ", include, "\n"]);
    }
    text
}

/// A value as one argument of `ssh_config(5)`: in double quotes, with the quote and the backslash escaped. Control characters cannot occur: `config` refuses them.
pub(super) fn word(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:%@+".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    let safe: String = value.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", safe.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::route::Route;
    use crate::transport::testing::machine;

    #[test]
    fn ours_first_then_the_operators() {
        let mut machine = machine("mac-mini1", "mac-mini1.example.ts.net");
        machine.ssh_port = Some(2222);
        machine.user = "o \"p\\s".to_owned();
        let text = text(&Settings {
            machine: &machine,
            way: &Way { route: Route::Tailnet, host: "fe80::1%en0".to_owned() },
            host_keys: HostKeys::Strict,
            connect_timeout: Duration::from_millis(300),
            persist: Duration::from_mins(10),
            socket: Path::new("/tmp/a b/s%d"),
            includes: &["~/.ssh/config", "/etc/ssh/ssh_config"],
        });
        insta::assert_snapshot!(text, @r#"
        # Written by fleetctl for one connection.
        Host mac-mini1
          HostName fe80::1%%en0
          HostKeyAlias mac-mini1
          User "o \"p\\s"
          Port 2222
          StrictHostKeyChecking yes
          UpdateHostKeys no
          VerifyHostKeyDNS no
          CheckHostIP no
          BatchMode yes
          ConnectTimeout 1
          ConnectionAttempts 1
          ServerAliveInterval 5
          ServerAliveCountMax 3
          Compression yes
          ControlMaster yes
          ControlPath "/tmp/a b/s%%d"
          ControlPersist 600s
          ClearAllForwardings yes
          ForwardAgent no
          ForwardX11 no
          PermitLocalCommand no
          RemoteCommand none
          RequestTTY no
          Tunnel no
          VisualHostKey no
          LogLevel DEBUG1
        Match final
        Host *
          Include ~/.ssh/config
          Include /etc/ssh/ssh_config
        "#);
    }
}
