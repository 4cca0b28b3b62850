//! What goes wrong, and when.
//!
//! The moment is chosen, not hoped for: on the host, `mv` is a wrapper that does its work and then waits when the name it made is the chosen one. The runner's states
//! are names that it makes with `mv`, so the wrapper stops it right behind any of them. Product code knows nothing of it.

use std::time::Duration;

use super::host::Host;

/// The runner's states that can be reached, in order; `staged` is the upload's own rename.
pub(crate) const STATES: [&str; 10] =
    ["staged", "verified", "locked", "saved", "switched", "restarted", "gated", "committed", "reverting", "reverted"];

/// Every fault of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the state is held a moment and let go.
    Nothing,
    /// Every SSH connection of the host is ended.
    ConnectionCut,
    /// The laptop's process is killed.
    LaptopKilled,
    /// The runner is killed.
    RunnerKilled,
    /// The power goes away: processes gone, /tmp empty, daemons started by launchd.
    Reboot,
    /// No byte more on the disk, until the runner has ended.
    DiskFull,
    /// Nothing can be written for some seconds.
    ReadOnly,
    /// sudo asks for a password.
    SudoRevoked,
    /// oMLX dies at each start.
    OmlxCrashes,
    /// oMLX starts and its port never opens.
    OmlxHangs,
    /// The next answers of launchctl: bootstrap 5.
    Launchctl5,
    /// bootout 36.
    Launchctl36,
    /// bootstrap 37.
    Launchctl37,
    /// bootstrap 113.
    Launchctl113,
    /// The clock jumps a year ahead.
    ClockJumps,
    /// A person edits a file of ours.
    PersonEdits,
    /// A second apply by somebody else.
    SecondApply,
}

impl Fault {
    pub(crate) const ALL: [Self; 17] = [
        Self::Nothing,
        Self::ConnectionCut,
        Self::LaptopKilled,
        Self::RunnerKilled,
        Self::Reboot,
        Self::DiskFull,
        Self::ReadOnly,
        Self::SudoRevoked,
        Self::OmlxCrashes,
        Self::OmlxHangs,
        Self::Launchctl5,
        Self::Launchctl36,
        Self::Launchctl37,
        Self::Launchctl113,
        Self::ClockJumps,
        Self::PersonEdits,
        Self::SecondApply,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::ConnectionCut => "SSH connection killed",
            Self::LaptopKilled => "laptop process SIGKILLed",
            Self::RunnerKilled => "runner SIGKILLed",
            Self::Reboot => "host rebooted",
            Self::DiskFull => "disk full",
            Self::ReadOnly => "read-only file system",
            Self::SudoRevoked => "sudo revoked",
            Self::OmlxCrashes => "oMLX crashing at start",
            Self::OmlxHangs => "oMLX hanging",
            Self::Launchctl5 => "launchctl answering 5",
            Self::Launchctl36 => "launchctl answering 36",
            Self::Launchctl37 => "launchctl answering 37",
            Self::Launchctl113 => "launchctl answering 113",
            Self::ClockJumps => "clock jumped by a year",
            Self::PersonEdits => "a person editing a managed file",
            Self::SecondApply => "a second apply",
        }
    }
}

/// Installs the wrapper.
pub(crate) fn install(host: &Host) {
    host.sh(r#"
set -e
mkdir -p /var/hold /System/Library/Lab/held
[ -e /System/Library/Lab/held/mv ] && exit 0
ln -s "$(readlink /bin/mv)" /System/Library/Lab/held/mv
rm /bin/mv
cat >/bin/mv <<'E'
#!/bin/sh
[ -e /var/hold/at ] || exec /System/Library/Lab/held/mv "$@"
/System/Library/Lab/held/mv "$@"
code=$?
for last; do :; done
IFS= read -r at </var/hold/at
case $last in
*/apply/at."$at" | */fleetctl/"$at")
	: >/var/hold/reached
	while [ -e /var/hold/at ]; do sleep 0.1; done
	;;
esac
exit $code
E
chmod 755 /bin/mv
"#);
}

/// The next time that the state is reached, everything stops behind it.
pub(crate) fn hold_at(host: &Host, state: &str) {
    let name = if state == "staged" { "apply" } else { state };
    host.sh(&format!("rm -f /var/hold/reached; printf '%s\\n' {name} >/var/hold/at"));
}

/// From one held state to the next.
pub(crate) fn hold_next(host: &Host, state: &str) {
    host.sh(&format!("rm -f /var/hold/reached; printf '%s\\n' {state} >/var/hold/next; rm -f /var/hold/at; sleep 0.3; cp /var/hold/next /var/hold/at"));
}

pub(crate) fn is_held(host: &Host) -> bool {
    host.is_soon("[ -e /var/hold/reached ]", Duration::from_mins(1))
}

pub(crate) fn let_go(host: &Host) {
    host.sh("rm -f /var/hold/at");
}

/// The file that a person edits.
pub(crate) const EDITED: &str = "/usr/local/libexec/fleetctl/rotate";

/// Makes it go wrong. The laptop's own faults are the caller's.
pub(crate) fn inject(host: &Host, fault: Fault) {
    match fault {
        Fault::Nothing | Fault::LaptopKilled | Fault::SecondApply => {}
        Fault::ConnectionCut => host.lab("fault", &["kill-ssh"]),
        Fault::RunnerKilled => {
            // Whoever works on it: the runner, or the upload where there is no runner yet.
            host.sh("rm -f /var/hold/at; pid=$(launchctl print system/dev.fleetctl.apply 2>/dev/null | sed -n 's/^\tpid = //p'); [ -z \"$pid\" ] || kill -KILL $pid");
        }
        Fault::Reboot => {
            let_go(host);
            host.lab("reboot", &["--hard"]);
        }
        Fault::DiskFull => host.lab("fault", &["disk-full"]),
        Fault::ReadOnly => host.lab(
            "fault",
            &[
                "read-only",
                "/usr/local/var/fleetctl",
                "/usr/local/libexec",
                "/Library/LaunchDaemons",
                "/Users/ops/.omlx",
            ],
        ),
        Fault::SudoRevoked => host.lab("fault", &["sudo", "revoked"]),
        Fault::OmlxCrashes => omlx(host, r#"{"crash_at_start": true}"#),
        Fault::OmlxHangs => omlx(host, r#"{"hang": true, "hang_at_start": true}"#),
        Fault::Launchctl5 => host.lab("fault", &["launchctl", "bootstrap", "5", "2"]),
        Fault::Launchctl36 => host.lab("fault", &["launchctl", "bootout", "36", "2"]),
        Fault::Launchctl37 => host.lab("fault", &["launchctl", "bootstrap", "37", "2"]),
        Fault::Launchctl113 => host.lab("fault", &["launchctl", "bootstrap", "113", "1"]),
        Fault::ClockJumps => host.lab("clock", &["--offset", "31536000"]),
        Fault::PersonEdits => drop(host.sh(&format!("printf '# edited\\n' >>{EDITED}"))),
    }
}

fn omlx(host: &Host, control: &str) {
    host.sh(&format!("printf '%s' '{control}' >/var/lab/omlx/.8000 && /System/Library/Lab/held/mv -f /var/lab/omlx/.8000 /var/lab/omlx/8000.json && chmod 644 /var/lab/omlx/8000.json"));
}

/// Makes it right again.
pub(crate) fn heal(host: &Host, fault: Fault) {
    match fault {
        Fault::DiskFull => host.lab("heal", &["disk-full"]),
        Fault::ReadOnly => host.lab("heal", &["read-only"]),
        Fault::SudoRevoked => host.lab("heal", &["sudo"]),
        Fault::OmlxCrashes => drop(host.sh("rm -f /var/lab/omlx/8000.json")),
        // One that hangs does so until it ends.
        Fault::OmlxHangs => drop(host.sh("rm -f /var/lab/omlx/8000.json; curl -s --max-time 2 http://127.0.0.1:8000/health >/dev/null || launchctl kickstart -k system/dev.fleetctl.omlx || true")),
        Fault::Launchctl5 | Fault::Launchctl36 | Fault::Launchctl37 | Fault::Launchctl113 => {
            host.lab("heal", &["launchctl"]);
        }
        Fault::ClockJumps => host.lab("clock", &["--offset", "0"]),
        _ => {}
    }
}

/// Whether the runner can only end when the fault has.
pub(crate) fn must_heal_first(fault: Fault) -> bool {
    matches!(fault, Fault::ReadOnly)
}
