//! What one machine should hold.

use super::{Placeholder, Text};
use crate::fleet::MachineName;

/// Who owns a path on the machine, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The user.
    pub user: String,
    /// The group.
    pub group: String,
}

impl Owner {
    /// `root:wheel`
    pub fn root() -> Self {
        Self { user: "root".to_owned(), group: "wheel".to_owned() }
    }

    /// `USER:staff`
    pub fn staff(user: &str) -> Self {
        Self { user: user.to_owned(), group: "staff".to_owned() }
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.user, self.group)
    }
}

/// Everything that one machine should hold, and the daemons that should be loaded there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The machine.
    pub machine: MachineName,
    /// Files and links, sorted by path, each path once.
    pub entries: Vec<Entry>,
    /// Directories that must exist first (log directory, STATE, serve…), parents before children.
    pub directories: Vec<(String, Owner, u32)>,
    /// The daemons, oMLX first.
    pub units: Vec<Unit>,
}

impl Bundle {
    /// The entry at a path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &self.entries[at])
    }
}

/// One file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path on the machine.
    pub path: String,
    /// Its owner.
    pub owner: Owner,
    /// Its permission bits; of no meaning for a link.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
}

/// What an entry holds, and how far it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Ours, byte for byte.
    Whole(Text),
    /// oMLX's own file: ours by key.
    Keys(OwnedDocument),
    /// A symbolic link.
    Link {
        /// Absolute.
        target: String,
    },
}

/// Which of oMLX's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OmlxFile {
    /// settings.json
    Settings,
    /// `model_settings.json`
    ModelSettings,
    /// `model_profiles.json`
    ModelProfiles,
}

/// The keys of one of oMLX's files that are ours, and what the whole file is on a machine that has none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedDocument {
    /// Which file.
    pub file: OmlxFile,
    /// Every owned key, also those that must be absent, in the order of the file.
    pub keys: Vec<OwnedKey>,
    /// The file in oMLX's own byte form, holding just the wanted keys (and what that form demands, as `version`).
    pub fresh: Text,
}

/// A key that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKey {
    /// Names from the top: `["models", "extract-2b", "ttl_seconds"]`.
    pub path: Vec<String>,
    /// What it should be.
    pub wanted: Wanted,
    /// What the declared release takes an absent key for: a found key with this value equals an absent one.
    pub default: Option<serde_json::Value>,
    /// How far a found value must agree.
    pub hold: Hold,
}

/// How far a found value of an owned key must agree with the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It must be the wanted one.
    Value,
    /// It must be there: what oMLX makes of it later (a profile's `updated_at`) is no drift.
    Presence,
}

/// What an owned key should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This value.
    Value(serde_json::Value),
    /// A value that render cannot know; as a JSON string.
    Hole(Placeholder),
    /// Not there (or its default).
    Absent,
}

/// What kind of daemon a unit is: what "healthy" means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// oMLX itself: the gate of machine.md.
    Omlx,
    /// Runs all the time (gateway, resolver).
    Resident,
    /// Runs at boot, at times or at intervals, and ends (schedule, rotate, jobs, gpu-limit).
    Timed,
}

/// A launchd daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Short name, as typed: `omlx`, `schedule`, `job.wiki-lint`.
    pub name: String,
    /// launchd's label: `dev.fleetctl.` and the short name.
    pub label: String,
    /// What it is.
    pub kind: UnitKind,
    /// The path of its plist; an [`Entry`] of the bundle.
    pub plist: String,
    /// Its log file and that file's owner: made by the runner before bootstrap (launchd exits 78 where it cannot open it).
    pub log: (String, Owner),
    /// A program of its own that must be on the machine (the router, fleetctl itself): where it is not, the unit is left out and that is said.
    pub program: Option<String>,
    /// Other entries that it reads at start only: a change of one is a restart of the unit.
    pub reads: Vec<String>,
    /// Other entries that it reads again on SIGHUP, and cuts nobody off: a change of these alone is that signal.
    pub reloads: Vec<String>,
    /// A URL, as the machine itself reaches it, that answers 200 once the unit can serve.
    pub ready: Option<Text>,
    /// What `launchctl print` must show of the loaded definition: `arguments`, `working directory`, environment… as (name, value); see `observe`.
    pub loaded: LoadedDefinition,
}

/// The parts of a definition that `launchctl print` shows of a loaded job (facts: launchctl print), to tell a stale definition from the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedDefinition {
    /// `arguments = {…}`
    pub arguments: Vec<String>,
    /// `working directory`
    pub working_directory: Option<String>,
    /// `stdout path`
    pub stdout: Option<String>,
    /// `username`
    pub username: Option<String>,
    /// `environment = {…}`; launchd adds its own variables.
    pub environment: std::collections::BTreeMap<String, String>,
    /// `exit timeout`, seconds
    pub exit_timeout: Option<u64>,
    /// `minimum runtime`, seconds (`ThrottleInterval`)
    pub minimum_runtime: Option<u64>,
}
