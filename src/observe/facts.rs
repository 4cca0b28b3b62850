//! What a machine holds, as one probe saw it. Values only: partial, dated, and honest about what could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::Checkup;
use crate::fleet::{Bytes, MachineName};

/// By which way the machine was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Its `lan` address.
    Lan,
    /// Its tailnet name.
    Tailnet,
    /// The `address` of the file.
    Address,
    /// It is this computer.
    Local,
}

/// Who and what the machine says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Login user.
    pub user: String,
    /// The user's real home.
    pub home: String,
    /// `sw_vers -productVersion`, if it is macOS.
    pub macos: Option<String>,
    /// `kern.boottime`, seconds since 1970.
    pub boot_time: Option<i64>,
    /// The machine's clock, seconds since 1970.
    pub now: i64,
    /// The zone of the machine's clock, from /etc/localtime.
    pub zone: Option<String>,
    /// `tailscale ip -4`, if it answered.
    pub tailnet_ip: Option<IpAddr>,
}

/// sysctl's view of the hardware.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// `hw.memsize`
    pub memory: Option<Bytes>,
    /// `machdep.cpu.brand_string`
    pub chip: Option<String>,
    /// `hw.ncpu`
    pub cores: Option<u32>,
    /// `iogpu.wired_limit_mb` in bytes; `None` when 0 (the system's default rule).
    pub gpu_limit: Option<Bytes>,
}

/// Memory, all in bytes (macos.md 3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// free + file-backed + purgeable: reclaimable now.
    pub available: Option<Bytes>,
    /// Wired.
    pub wired: Option<Bytes>,
    /// Held by the compressor.
    pub compressed: Option<Bytes>,
    /// Swap in use.
    pub swap_used: Option<Bytes>,
    /// `kern.memorystatus_vm_pressure_level`: 1 normal, 2 warn, 4 critical.
    pub pressure: Option<u8>,
}

/// A path on the machine. `Debug` does not show bytes: oMLX's settings.json holds its key.
#[derive(Clone, PartialEq, Eq)]
pub enum FileFact {
    /// Nothing there.
    Missing,
    /// A regular file.
    File {
        /// Owning user, by name (or number).
        user: String,
        /// Owning group, by name (or number).
        group: String,
        /// Permission bits.
        mode: u32,
        /// SHA-256 of its bytes, hex; `None` when it could not be read.
        sha256: Option<String>,
        /// Its bytes, where the probe brought them: text below 1 MB that is read (oMLX's files, fleetctl's state) or differs from what is declared.
        /// `None` where its hash is the declared one, where it holds a secret of ours, and where it could not be read.
        bytes: Option<Vec<u8>>,
    },
    /// A symbolic link.
    Link {
        /// Where it points.
        target: String,
    },
    /// A directory.
    Directory {
        /// Owning user.
        user: String,
        /// Owning group.
        group: String,
        /// Permission bits.
        mode: u32,
    },
    /// Something else (socket, device).
    Other,
    /// The machine would not say.
    Unreadable,
}

impl fmt::Debug for FileFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::File { user, group, mode, sha256, bytes } => {
                let bytes = bytes.as_ref().map(Vec::len);
                write!(f, "File({user}:{group} {mode:04o} {sha256:?}, {bytes:?} bytes)")
            }
            Self::Link { target } => write!(f, "Link({target:?})"),
            Self::Directory { user, group, mode } => write!(f, "Directory({user}:{group} {mode:04o})"),
            Self::Other => f.write_str("Other"),
            Self::Unreadable => f.write_str("Unreadable"),
        }
    }
}

/// A job as `launchctl print system/LABEL` shows it (macos.md 2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchdJob {
    /// `path`: the plist that was read at bootstrap.
    pub path: Option<String>,
    /// `state`
    pub state: String,
    /// `pid`
    pub pid: Option<u32>,
    /// `runs`
    pub runs: Option<u64>,
    /// `last exit code`
    pub last_exit: Option<i32>,
    /// `last terminating signal`, its number.
    pub last_signal: Option<i32>,
    /// `successive crashes`
    pub successive_crashes: Option<u64>,
    /// `program`
    pub program: Option<String>,
    /// `arguments`
    pub arguments: Vec<String>,
    /// `working directory`
    pub working_directory: Option<String>,
    /// `stdout path`
    pub stdout: Option<String>,
    /// `username`
    pub username: Option<String>,
    /// `environment`
    pub environment: BTreeMap<String, String>,
    /// `exit timeout`, seconds.
    pub exit_timeout: Option<u64>,
    /// `minimum runtime`, seconds.
    pub minimum_runtime: Option<u64>,
    /// `spawn type`
    pub spawn_type: Option<String>,
}

/// What one of oMLX's addresses gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It was not asked (nothing listens, or another answer made it pointless).
    NotAsked,
    /// An answer of the expected shape.
    Got(T),
    /// Anything else.
    Failed(AnswerError),
}

impl<T> Answer<T> {
    /// The answer, if there is one.
    pub fn got(&self) -> Option<&T> {
        match self {
            Self::Got(value) => Some(value),
            Self::NotAsked | Self::Failed(_) => None,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nothing listens (curl 7).
    #[error("connection refused")]
    Refused,
    /// No answer in time (curl 28).
    #[error("no answer in time")]
    TimedOut,
    /// The key was not accepted (401, 403).
    #[error("the API key was not accepted (HTTP {0})")]
    Unauthorised(u16),
    /// Another HTTP status.
    #[error("HTTP {0}")]
    Status(u16),
    /// 200 with a body of another shape; the text says how.
    #[error("an answer that is not oMLX's: {0}")]
    Malformed(String),
    /// Anything else that curl says.
    #[error("{0}")]
    Other(String),
}

/// oMLX's own answers, through the address it is bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineAnswers {
    /// GET /health, raw JSON.
    pub health: Answer<serde_json::Value>,
    /// GET /api/status, raw JSON.
    pub status: Answer<serde_json::Value>,
    /// GET /v1/models/status, raw JSON.
    pub models: Answer<serde_json::Value>,
}

/// Who listens on a TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOwner {
    /// Its pid.
    pub pid: u32,
    /// Its user, if shown.
    pub user: Option<String>,
    /// Its command line, as ps shows it.
    pub command: String,
}

/// An oMLX that is not ours: a launchd job, a Homebrew service, the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignEngine {
    /// The launchd label, where it is a job.
    pub label: Option<String>,
    /// The launchd domain, where it is a job: `system`, or an agent's `gui/UID` or `user/UID`.
    pub domain: Option<String>,
    /// The plist, where there is one.
    pub plist: Option<String>,
    /// The pid, where it runs.
    pub pid: Option<u32>,
    /// Its command line.
    pub command: String,
}

impl ForeignEngine {
    /// What launchctl calls the job: the bare label of a daemon, `gui/UID/LABEL` of an agent. `None` where no job runs it.
    pub fn target(&self) -> Option<String> {
        let (domain, label) = (self.domain.as_deref()?, self.label.as_deref()?);
        Some(if domain == "system" { label.to_owned() } else { format!("{domain}/{label}") })
    }
}

/// A TCP connection to oMLX's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The other end, `address:port`.
    pub peer: String,
}

/// What sudo says to the login user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sudo {
    /// The rule covers our one command.
    Allowed,
    /// It does not; sudo's own words.
    Refused(String),
}

/// Who holds the machine's lock (`STATE/lock`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// `user@host` of the laptop.
    pub holder: String,
    /// Seconds since 1970.
    pub since: Option<i64>,
    /// Whether the holder is provably gone (another boot, or no such process).
    pub dead: bool,
}

/// How far weights are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsState {
    /// Everything that the index names.
    Complete,
    /// The index names a file that is missing.
    Incomplete,
    /// No directory.
    Missing,
    /// A directory without config.json or safetensors, a loop, or not readable.
    Broken,
}

/// A weights directory on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsFact {
    /// Absolute path as asked.
    pub path: String,
    /// How far it is there.
    pub state: WeightsState,
    /// Sum of the top-level safetensors, bytes.
    pub bytes: Option<u64>,
    /// Its config.json, if readable and below 1 MB.
    pub config: Option<String>,
}

/// Everything that one probe saw on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The machine's key in the fleet file.
    pub machine: MachineName,
    /// When, by the laptop's clock.
    pub taken_at: jiff::Timestamp,
    /// By which way.
    pub path: Path,
    /// Who it is.
    pub identity: Identity,
    /// What it is made of.
    pub hardware: Hardware,
    /// Its memory.
    pub memory: Memory,
    /// Bytes free on the volume of the weights and on that of STATE.
    pub disk_free: BTreeMap<String, u64>,
    /// Paths that were asked for, and what is there. A path that was not asked for is absent.
    pub files: BTreeMap<String, FileFact>,
    /// Paths below `BASE/serve` that are there, declared or not.
    pub serve_entries: BTreeSet<String>,
    /// Our labels (`dev.fleetctl.*`) that are loaded.
    pub jobs: BTreeMap<String, LaunchdJob>,
    /// Labels that launchd's store disables.
    pub disabled: BTreeSet<String>,
    /// oMLX that is not ours.
    pub foreign: Vec<ForeignEngine>,
    /// Listeners on the ports of our units.
    pub listeners: BTreeMap<u16, Vec<PortOwner>>,
    /// Established connections on oMLX's port; `None` when it could not be observed.
    pub connections: Option<Vec<Connection>>,
    /// Whether the declared program of oMLX is there and executable.
    pub program_present: Option<bool>,
    /// Which of the other daemons' programs are there and executable; `None` when it could not be told.
    pub programs: Option<BTreeSet<String>>,
    /// The release installed there, as far as it can be told without running it (Homebrew keg, dist-info).
    pub installed_release: Option<String>,
    /// What oMLX answered.
    pub engine: EngineAnswers,
    /// How long our daemon's process has run, seconds.
    pub engine_uptime: Option<u64>,
    /// Weights that the fleet file declares for this machine, by path.
    pub weights: BTreeMap<String, WeightsFact>,
    /// `STATE/manifest.json`, parsed JSON.
    pub manifest: Option<serde_json::Value>,
    /// `STATE/record.json`, parsed JSON.
    pub record: Option<serde_json::Value>,
    /// `STATE/result.json`, parsed JSON.
    pub result: Option<serde_json::Value>,
    /// `STATE/held.json`, parsed JSON.
    pub held: Option<serde_json::Value>,
    /// `STATE/schedule/state.json`, parsed JSON.
    pub schedule: Option<serde_json::Value>,
    /// `STATE/jobs/JOB.json` by job, parsed JSON.
    pub job_runs: BTreeMap<String, serde_json::Value>,
    /// Who applies right now.
    pub lock: Option<Lock>,
    /// Numbers of the kept generations.
    pub generations: Vec<u32>,
    /// What sudo says; `None` when it was not asked.
    pub sudo: Option<Sudo>,
    /// What only doctor asks; `None` when it was not asked.
    pub checkup: Option<Checkup>,
    /// What the probe could not do, in its own words (sanitised when shown).
    pub notes: Vec<String>,
}
