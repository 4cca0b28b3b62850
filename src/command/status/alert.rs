//! The alerts of status: their codes, and when each is raised.

use crate::diagnostic::{Code, Severity};
use crate::ui::json::{Alert, Step};

macro_rules! alerts {
    ($($name:ident = $id:literal, $severity:ident, $title:literal, $explanation:literal;)*) => {
        $(pub(crate) static $name: Code = Code { id: $id, severity: Severity::$severity, title: $title, explanation: $explanation };)*

        /// Every code of this verb.
        pub(crate) fn codes() -> impl Iterator<Item = &'static Code> {
            [$(&$name),*].into_iter()
        }
    };
}

alerts! {
    UNREACHABLE = "unreachable", Error, "the machine does not answer",
        "No SSH connection came about within --timeout, by none of the machine's ways (lan, tailnet name, address). The message says what was dialled and what came back.\n\nIs it awake and on the tailnet? `tailscale ping MACHINE`. Does Remote Login run? System Settings, General, Sharing.";
    AUTH_FAILED = "auth-failed", Error, "the machine refused our SSH keys",
        "The machine answered and accepted none of the keys of your agent and ~/.ssh, or the account is not among the users that Remote Login allows.\n\n`ssh-copy-id USER@HOST` puts your key there.";
    HOST_KEY = "host-key", Error, "the machine's SSH host key is not the known one",
        "Keys are looked up under the machine's name in [machines], whatever address is dialled. A changed key means that another computer answers, or that the machine was set up anew; nothing was sent to it.\n\nCompare on the machine itself: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`. If it is right, `ssh-keygen -R MACHINE` and once more with --accept-new. A key that is not known yet is accepted by --accept-new too.";
    PROBE_FAILED = "probe-failed", Error, "the machine could not be asked",
        "The connection stands, but the probe gave no usable answer: the login shell did not run it, or the connection was cut. The message holds what came back.";
    PROBE_INCOMPLETE = "probe-incomplete", Warning, "a part of the answer is missing",
        "A tool is missing on the machine, a file could not be read, or something hung and was given up. What depends on it is shown as unknown.";
    SUDO_REFUSED = "sudo-refused", Error, "sudo does not allow the one command",
        "Status needs no root, but apply does: it runs `/usr/bin/sudo -n -H /bin/sh -s`. What only root may read (generations, other users' key files, other users' ports) is not shown.\n\nOn the machine: `sudo visudo -f /etc/sudoers.d/fleetctl`, with the line `USER ALL=(root) NOPASSWD: /bin/sh -s`.";
    OMLX_NOT_INSTALLED = "omlx-not-installed", Error, "oMLX is not installed",
        "[omlx].program is not on the machine or is not executable. Install the declared release, or correct `program`.";
    OMLX_FOREIGN = "omlx-foreign", Error, "another oMLX has the machine",
        "A Homebrew service, the app, a hand-made job or a process of no job runs oMLX there, and our daemon does not. Two servers on one port load all their models before one of them dies.\n\n`fleetctl adopt MACHINE` takes a job over and keeps the names that it serves. A process of no job cannot be adopted: `fleetctl doctor MACHINE` has the command that ends it, then apply.";
    NEVER_APPLIED = "never-applied", Error, "the machine is declared and was never applied to",
        "The file names the machine, and nothing of fleetctl's is on it: no generation, no daemon. `fleetctl plan --on MACHINE` shows what it would get, `fleetctl apply --on MACHINE` brings it there.";
    OMLX_STOPPED = "omlx-stopped", Error, "oMLX does not run",
        "launchd does not have the daemon, or it ended and stays so, and nobody stopped it with `fleetctl stop`.\n\n`fleetctl apply` brings it back; `fleetctl start MACHINE` when its files are there.";
    OMLX_HELD = "omlx-held", Note, "oMLX was stopped by hand",
        "`fleetctl stop` stopped the daemon; it stays so over a reboot and an apply. `fleetctl start MACHINE` ends the hold.";
    OMLX_STARTING = "omlx-starting", Note, "oMLX is starting",
        "Its process runs and does not answer yet. 0.3.8 opens its port only after the pinned models are loaded: one to two seconds per GB.";
    OMLX_CRASHING = "omlx-crashing", Error, "oMLX crashes again and again",
        "launchd starts the daemon anew each time it ends. The message says how it ended last; exit 78 is a log file, a working directory or a program that launchd cannot open.\n\n`fleetctl logs MACHINE` shows its last words.";
    OMLX_UNRESPONSIVE = "omlx-unresponsive", Error, "oMLX does not answer soundly",
        "Its process runs, but what comes back is a time-out, an HTTP error or not oMLX's JSON. 0.3.8 may be silent for minutes while it loads a model or under load.";
    OMLX_OTHER_RELEASE = "omlx-other-release", Error, "the machine runs another release of oMLX than declared",
        "Formats, ranges and rules differ between releases, so apply refuses such a machine. Change [omlx].version (or [machines.NAME.omlx].version), or install the declared release.";
    OMLX_KEY_REFUSED = "omlx-key-refused", Error, "oMLX refused the key of its own settings.json",
        "The probe asks oMLX with the key that stands in the machine's settings.json. That the running server refuses it means that the file was changed since it started, or that OMLX_API_KEY is set in its environment.";
    SETTINGS_MALFORMED = "settings-malformed", Error, "oMLX's settings.json is not JSON",
        "The running server does not notice, but 0.3.8 starts with such a file as if it were empty: on 127.0.0.1:8000 and without an API key, and then overwrites it.\n\n`fleetctl apply` keeps the broken file aside and writes a sound one.";
    SERVICE_STOPPED = "service-stopped", Error, "the gateway or the resolver does not run",
        "[gateway] or [resolver] names the machine, and the daemon has no process there. The message says what launchd knows of it.\n\n`fleetctl logs MACHINE gateway` shows its last words. Where its program is missing, `fleetctl doctor MACHINE` says how it gets there; then apply.";
    NAME_NOT_LISTED = "name-not-listed", Error, "a declared name is not served",
        "oMLX does not list the name: its link or weights are missing, or it has not looked since they came. `fleetctl plan` says what is missing.";
    RESIDENT_NOT_LOADED = "resident-not-loaded", Warning, "a resident name is not loaded",
        "The name should be loaded now, by [serve] or by the open window, and it neither is nor is being loaded. oMLX may have failed to load it (`fleetctl logs MACHINE`), or it was evicted. `fleetctl load NAME` loads it.";
    NAME_HELD = "name-held", Note, "a resident name was unloaded by hand",
        "`fleetctl unload` took it out; the schedule and apply leave it so. `fleetctl load NAME` ends the hold.";
    UNDECLARED_NAME = "undeclared-name", Note, "oMLX serves names that the file does not declare",
        "They were put there by hand, or by another tool. fleetctl leaves them alone; they take memory that capacity does not count.";
    WEIGHTS_MISSING = "weights-missing", Error, "declared weights are not on the machine",
        "The directory below [omlx].weights is not there, so the names that need it cannot load. `fleetctl models sync` copies it from the hub.";
    WEIGHTS_INCOMPLETE = "weights-incomplete", Error, "declared weights are incomplete",
        "The safetensors index names files that are not there (a broken download or copy), or config.json or the tensors are missing. `fleetctl models sync` completes them.";
    MEMORY_WARN = "memory-pressure", Warning, "macOS is under memory pressure",
        "kern.memorystatus_vm_pressure_level is 2. Models may be evicted, and everything slows down.";
    MEMORY_CRITICAL = "memory-pressure-critical", Error, "macOS is under critical memory pressure",
        "kern.memorystatus_vm_pressure_level is 4: macOS kills processes next. Unload a model, or shorten contexts.";
    SWAP_USED = "swap-used", Warning, "the machine swaps",
        "More than 1 GiB of swap is in use. Weights that macOS swaps out are read back at the speed of the disk.";
    NO_HEADROOM = "no-headroom", Warning, "the residents leave no room for their declared contexts",
        "headroom.context_bytes is below 0: with every resident at its reserved context, caches, states and scratch exceed the limit. `fleetctl capacity` shows the arithmetic.";
    EXPECTATION_MISSED = "expectation-missed", Warning, "the machine was slower than the slot expects",
        "The last `fleetctl bench` of the slot's first choice, within a week, missed what `expect` of the slot asks for. Once more: `fleetctl bench SLOT --check`; `fleetctl bench SLOT --history` shows since when.\n\nA DFlash name that had one prompt at DFLASH_MAX_CTX runs without DFlash until it is loaded again; other loaded models, memory pressure and heat slow everything down.";
    GPU_LIMIT_DIFFERS = "gpu-limit-differs", Warning, "the GPU limit is not the declared one",
        "iogpu.wired_limit_mb is lost at each boot and set again by the daemon dev.fleetctl.gpu-limit; the machine has another value now. `fleetctl apply`, or `fleetctl restart MACHINE gpu-limit`.";
    DISK_LOW = "disk-low", Warning, "little disk space is left",
        "Less than 10 GiB are free on the volume of the weights or of fleetctl's state. oMLX's cache on disk takes up to a tenth of it.";
    CLOCK_ZONE = "clock-zone", Warning, "the machine's zone is not the declared one",
        "launchd's calendar follows the machine's own zone, so jobs and windows may start at the wrong hour. Set `timezone` of the machine, or its clock.";
    CLOCK_OFF = "clock-off", Warning, "the machine's clock is off",
        "It differs from this computer's by more than a minute. Windows and jobs follow the machine's clock.";
    SCHEDULE_FAILED = "schedule-failed", Error, "what the clock wants loaded cannot be loaded",
        "The reconciler on the machine could not bring oMLX to the resident set of this time. It went back to the set before, and tries again after 15 minutes, then after twice the time, up to 4 hours; the message holds what oMLX said.\n\n`fleetctl logs MACHINE schedule` shows each try, `fleetctl capacity` whether the set fits. `fleetctl restart MACHINE schedule` tries at the next tick only; `fleetctl load NAME` loads one name now.";
    SCHEDULE_POSTPONED = "schedule-postponed", Warning, "what the clock wants waits until oMLX is idle",
        "A boundary has passed, and the reconciler waits for the requests that run: nothing is cut. It looks again every 15 minutes for up to 10. If it never gets idle, something holds a connection open: `fleetctl status` shows running requests, `fleetctl unload NAME --force` cuts them.";
    SCHEDULE_BROKEN = "schedule-broken", Error, "the reconciler cannot read its table",
        "STATE/schedule/table.json was edited, emptied or cut, or names a zone that the machine does not know. Residents stay as they are until `fleetctl apply` writes it anew.";
    SCHEDULE_SILENT = "schedule-silent", Warning, "the reconciler has not looked for a while",
        "It looks at every boundary and every 15 minutes, and last did so more than 35 minutes ago: its daemon does not run, or the machine slept. `fleetctl logs MACHINE schedule` shows its last words; `fleetctl restart MACHINE schedule` starts it.";
    JOB_FAILED = "job-failed", Error, "a job's last run failed",
        "Its command ended with another code than 0. Some codes are the wrapper's: 69, no candidate of its slot answered within five minutes; 78, its environment file cannot be read; 124, its timeout ended it; 126 and 127, the command is not executable or not there.\n\n`fleetctl jobs log JOB` shows what it printed, `fleetctl jobs run JOB` runs it again; the alert goes when a run ends with 0.";
    JOB_CUT = "job-cut", Error, "a job's last run has no end",
        "It began, does not run any more, and nobody recorded how it ended: the machine went down under it, or its wrapper was killed. `fleetctl jobs run JOB` runs it again.";
    JOB_MISSED = "job-missed", Warning, "a job was due and did not start",
        "The machine slept or was off at its time, or the run before was still going: launchd does not make up for that at a boot, and after a wake the job's time has passed. `fleetctl jobs run JOB` runs it now. `pmset -a sleep 0` and `pmset -a autorestart 1` keep a Mac there at night.";
    DRIFTED = "drifted", Warning, "the machine is not what the file says",
        "`fleetctl plan --on MACHINE` shows every difference, `fleetctl apply` mends it.";
    PATH_BLOCKED = "path-blocked", Error, "something is in the way of what is declared",
        "A path that fleetctl writes, or reads to compare, is taken: a directory lies where a link belongs, a file may not be read by the login user, oMLX's base path belongs to another user (it was started once under sudo, say). fleetctl moves nothing that it did not put there and takes no file from its owner, so `plan` and `apply` end in an error until it is mended by hand; the message names each path, `fleetctl doctor MACHINE` has the commands.\n\nDirectories of fleetctl's own (/usr/local/var/fleetctl, /usr/local/libexec/fleetctl, /Library/Logs/fleetctl, BASE/serve) with a wrong owner or mode that can still be read are no obstacle: `apply` sets them right.";
    APPLY_RUNNING = "apply-running", Note, "an apply is at work",
        "The machine's lock is held. `fleetctl apply` from anywhere attaches to it or says whose it is.";
    APPLY_REVERTED = "apply-reverted", Warning, "the last apply was reverted",
        "Its gate was not met, so the machine went back to the generation before. The message holds the reason.";
    APPLY_REVERT_FAILED = "apply-revert-failed", Error, "the last apply failed, and so did its revert",
        "The machine is in neither generation for certain. The message holds the reason; `fleetctl apply` brings it to what the file says.";
    APPLY_ENDED_UNSEEN = "apply-ended-unseen", Note, "an apply of yours ended while nobody watched",
        "The laptop was closed, killed or cut while the machine worked, and the machine went on by itself. The message says how it ended, as the machine's own result has it. The next `fleetctl apply` says it too and closes the receipt on this laptop.";
    STATE_UNREADABLE = "state-unreadable", Warning, "a file of fleetctl's own state is not what it should be",
        "A file below /usr/local/var/fleetctl was edited, emptied or cut. Nothing is lost: the next apply writes it anew and keeps what it cannot explain.";
}

/// An alert of a code.
pub(crate) fn alert(code: &'static Code, message: impl Into<String>) -> Alert {
    let next = step(code);
    Alert {
        code: code.id,
        severity: code.severity.as_str(),
        message: message.into(),
        hints: Vec::new(),
        next,
        unit: None,
    }
}

/// What to do first about it; `None` where its message says all.
fn step(code: &'static Code) -> Option<Step> {
    let is_one_of = |codes: &[&'static Code]| codes.iter().any(|other| other.id == code.id);
    match () {
        () if is_one_of(&[&OMLX_FOREIGN]) => Some(Step::Adopt),
        () if is_one_of(&[&OMLX_CRASHING]) => Some(Step::Logs),
        () if is_one_of(&[&SCHEDULE_FAILED, &SCHEDULE_SILENT]) => Some(Step::ScheduleLogs),
        () if is_one_of(&[&JOB_FAILED, &JOB_CUT, &JOB_MISSED]) => Some(Step::Jobs),
        () if is_one_of(&[
            &NEVER_APPLIED,
            &OMLX_STOPPED,
            &SETTINGS_MALFORMED,
            &SCHEDULE_BROKEN,
            &GPU_LIMIT_DIFFERS,
            &DRIFTED,
            &APPLY_REVERTED,
            &APPLY_REVERT_FAILED,
        ]) =>
        {
            Some(Step::Plan)
        }
        () if code.severity == Severity::Error || is_one_of(&[&DISK_LOW, &CLOCK_ZONE, &CLOCK_OFF]) => {
            Some(Step::Doctor)
        }
        () => None,
    }
}
