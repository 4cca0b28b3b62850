//! The codes of doctor's own findings. Those that status raises too stand with status.

use crate::diagnostic::{Code, Severity};

macro_rules! findings {
    ($($name:ident = $id:literal, $severity:ident, $title:literal, $explanation:literal;)*) => {
        $(
            #[doc = $title]
            pub(crate) static $name: Code = Code { id: $id, severity: Severity::$severity, title: $title, explanation: $explanation };
        )*

        /// Every code of doctor's own.
        pub(crate) fn codes() -> impl Iterator<Item = &'static Code> {
            [$(&$name),*].into_iter()
        }
    };
}

findings! {
    PATH_RELAYED = "path-relayed", Warning, "the tailnet relays the connection",
        "Tailscale found no direct path to the machine, so every packet takes the way over a relay (DERP): tens of Mbit/s at best, and more delay. `tailscale ping MACHINE` tries for a direct path and says which one it got. UDP port 41641 blocked by a router or firewall on either side is the usual reason.";
    TAILSCALE_DOWN = "tailscale-down", Warning, "tailscale does not run on the machine",
        "The machine was reached another way. From elsewhere it cannot be reached, and a `bind = \"tailnet\"` cannot come up. The App Store's variant starts only after a login at the screen; the open-source tailscaled starts at boot.";
    TAILSCALE_KEY_EXPIRES = "tailscale-key-expires", Warning, "the machine's tailnet key expires soon",
        "In less than 14 days the machine leaves the tailnet until somebody logs in on it again. Disable key expiry for servers in the admin console, or tag the node: tagged nodes have no expiry.";
    TAILSCALE_KEY_EXPIRED = "tailscale-key-expired", Error, "the machine's tailnet key has expired",
        "The machine is off the tailnet until somebody logs in on it again (`tailscale up`). Disable key expiry for servers in the admin console afterwards.";
    SSH_NOT_AT_BOOT = "ssh-not-at-boot", Error, "Remote Login will not come back after a boot",
        "launchd's store has com.openssh.sshd disabled: the SSH server of this connection is there only until the machine restarts.";
    FILEVAULT_ON = "filevault-on", Warning, "FileVault stops each boot until somebody unlocks it",
        "With FileVault on, a Mac waits before it boots: after a power cut nothing of it is on the network until its password is typed at its own screen (macOS 26 also takes it over SSH). Automatic restart does not help.\n\nFor a planned restart, `sudo fdesetup authrestart` unlocks once. A server behind a locked door may do without FileVault: that is the operator's decision.";
    SLEEPS = "machine-sleeps", Warning, "the machine sleeps when nobody uses it",
        "`pmset -g` shows a sleep timer. A sleeping Mac answers nothing, and its clocks and windows do not fire. tailscale shows it online for minutes more.";
    NO_AUTO_RESTART = "no-auto-restart", Warning, "the machine stays off after a power cut",
        "`pmset -g` shows autorestart 0: when power comes back, the Mac stays off until somebody presses its button.";
    LOW_POWER = "low-power-mode", Warning, "Low Power Mode is on",
        "macOS clocks the GPU down; tokens come slower than the machine could.";
    AUTOMATIC_UPDATES = "automatic-updates", Note, "macOS updates itself",
        "Automatic updates may restart the machine at night, and every model is loaded anew. Update by hand, in a window, instead.";
    OMLX_STALE = "omlx-stale", Error, "an oMLX process that belongs to no job is left over",
        "A process of an earlier start lives on outside launchd, beside our daemon or beside another oMLX (alone it is `omlx-foreign`). It holds memory, often the port, and every new daemon then dies with Errno 48 and is started again and again. Later releases call themselves omlx-server, so `pkill omlx` misses them.";
    OMLX_SECOND = "omlx-second", Error, "a second oMLX is loaded beside ours",
        "Two servers on one port load all their models before one of them dies, and each start takes the memory of the other. Stopping and disabling the other one keeps its definition where it is.";
    OMLX_RESTART_PENDING = "omlx-restart-pending", Warning, "oMLX was upgraded and still runs the old release",
        "What is installed is not what runs: the process of the old release keeps going, with files of its keg gone. A restart ends that; the declared release decides whether apply accepts the new one.";
    PORT_TAKEN = "port-taken", Error, "something else holds oMLX's port",
        "The daemon cannot bind its port. 0.3.8 loads all pinned models first, fails, and is started again.";
    PORT_OPEN = "port-open", Error, "oMLX answers the whole network without a key",
        "settings.json on the machine has a host that is reached from the network and no API key (or key checking is off): everybody on it may use the models and read their names. A declared `bind` other than loopback with an `api_key` mends it.";
    PORT_UNGUARDED = "port-unguarded", Warning, "oMLX has no key on an address of the network",
        "The fleet file binds oMLX to an address that others reach, without `api_key`. Only the tailnet's access rules, or the network's own, keep others from it. Give it a key, or bind it to loopback.";
    DAEMON_THROTTLED = "daemon-throttled", Warning, "launchd holds a daemon back",
        "After crashes in a row launchd lets more and more time pass before the next start, up to 20 minutes. Stopping and loading it anew (a restart) ends that; the crash itself stands in its log.";
    DAEMON_CANNOT_OPEN = "daemon-cannot-open", Error, "launchd cannot start a daemon (exit 78)",
        "launchd ends a job with 78 (EX_CONFIG) before it runs when its log cannot be opened, its working directory cannot be entered, or its program is missing. Nothing is logged. An apply makes directories and logs anew.";
    WIRED_UNOWNED = "wired-unowned", Warning, "much memory is wired and no process owns it",
        "A killed process with a large model can leave its memory wired until the next boot (oMLX #2184, #2855). What is wired is compared with what oMLX says that it holds.\n\nOnly a restart of the machine frees it.";
    GPU_LIMIT_LOST = "gpu-limit-not-persisted", Warning, "the GPU limit is lost at the next boot",
        "iogpu.wired_limit_mb is set now and nothing sets it at a boot (there is no sysctl.conf on current macOS). After the next boot the system's own, lower rule holds, and models that fit today do not.\n\nWrite `gpu_limit` in [machines.NAME]: fleetctl then installs a daemon that sets it at each boot.";
    WEIGHTS_NOT_PERMITTED = "weights-not-permitted", Error, "macOS does not let the weights be read",
        "macOS guards /Volumes, the Desktop, Documents and Downloads. The login user may not list the directory of the weights. Full Disk Access is given at the machine's screen: System Settings, Privacy & Security, Full Disk Access, for sshd-keygen-wrapper and for the python of oMLX. It cannot be given over SSH.";
    WEIGHTS_EXTERNAL = "weights-on-external-disk", Warning, "the weights lie on an external disk",
        "SSH sessions and launchd's jobs have separate rights there: what works over SSH may hang or fail with EPERM in the daemon until the python of oMLX has Full Disk Access. The disk is also mounted after the daemons start at a boot. Weights on the internal disk have neither problem.";
    WEIGHTS_UNREADABLE = "weights-unreadable", Error, "the directory of the weights cannot be read",
        "`[omlx].weights` on the machine is missing, is no directory, or may not be listed by the login user.";
    LOG_UNWRITABLE = "log-unwritable", Error, "a daemon's log cannot be opened",
        "launchd opens a daemon's log as the daemon's user before it starts it. A missing file in root's directory, another owner, or a missing directory (which launchd makes with mode 0744) is exit 78 with nothing logged.";
    SECRET_MISSING = "secret-missing", Error, "a secret of the fleet file cannot be had",
        "The fleet file names where each secret comes from (`env:NAME`, `file:PATH`, a command). Here it gives nothing, so nothing that needs it can be planned or applied, and oMLX cannot be asked.";
    CHECKUP_INCOMPLETE = "checkup-incomplete", Note, "a part of the examination did not end",
        "A tool on the machine hung (a dead mount, tailscale) and was given up. --timeout gives it longer.";
}
