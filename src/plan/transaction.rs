//! What execution does on one machine: every decision is made here, none is left to the runner.
//!
//! Holds no secret: texts keep their holes until `execute` fills them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fleet::{MachineName, Release, ServedName};
use crate::render::{Owner, Text, UnitKind};

/// One transaction of one machine (machine.md, How it changes).
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// The machine that it is for; a payload for another is refused there.
    pub machine: MachineName,
    /// The user whose oMLX it is.
    pub user: String,
    /// oMLX's base path.
    pub base: String,
    /// What the plan saw and must still hold when the runner has the lock: else exit 6, nothing touched.
    pub found: Vec<Found>,
    /// Directories to make, parents first: path, owner, mode.
    pub directories: Vec<(String, Owner, u32)>,
    /// Directories that are there, whose owner and mode are set; going back sets them as they were.
    pub rights: Vec<(String, Owner, u32)>,
    /// Files of ours to write, whole.
    pub puts: Vec<Put>,
    /// oMLX's files to change by key.
    pub merges: Vec<Merge>,
    /// Links to set: path, target, owner.
    pub links: Vec<(String, String, Owner)>,
    /// Paths of ours to remove.
    pub removes: Vec<String>,
    /// What happens to which daemon, in order.
    pub units: Vec<UnitStep>,
    /// What is done through oMLX's API while it runs, in order. Empty when oMLX is restarted.
    pub live: Vec<Live>,
    /// What must be idle first.
    pub drain: Drain,
    /// Labels of timed daemons that must not be running when they are restarted or removed: nothing is cut.
    pub idle_units: Vec<String>,
    /// What must be true in the end.
    pub gate: Gate,
    /// The new `STATE/manifest.json`.
    pub manifest: String,
    /// For the record: every key that fleetctl has set in oMLX's files (RFC 6901 pointers by path), so that a later apply can remove what is no longer declared.
    pub keys_written: BTreeMap<String, Vec<String>>,
    /// oMLX's TCP port on the machine.
    pub port: u16,
    /// Whether the machine has this build's runner as `LIB/runner`: then it need not travel.
    pub has_runner: bool,
}

impl Transaction {
    /// One that carries nothing: a rollback, whose files the machine has, and the start of a removal.
    pub fn empty(machine: MachineName, user: String, base: String, gate: Gate) -> Self {
        Self {
            machine,
            user,
            base,
            found: Vec::new(),
            directories: Vec::new(),
            rights: Vec::new(),
            puts: Vec::new(),
            merges: Vec::new(),
            links: Vec::new(),
            removes: Vec::new(),
            units: Vec::new(),
            live: Vec::new(),
            drain: Drain::Engine,
            idle_units: Vec::new(),
            gate,
            manifest: String::new(),
            keys_written: BTreeMap::new(),
            port: 0,
            has_runner: false,
        }
    }
}

/// What the plan saw at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing was there.
    Missing(String),
    /// A file of ours with this SHA-256 (hex).
    Bytes {
        /// Its path.
        path: String,
        /// SHA-256 of its bytes, hex.
        sha256: String,
    },
    /// A link.
    Link {
        /// Its path.
        path: String,
        /// Where it pointed.
        target: String,
    },
    /// One of oMLX's files: the owned keys must still be what they were in `bytes`.
    Keys {
        /// Its path.
        path: String,
        /// The owned keys that matter (those about to change), as names from the top.
        keys: Vec<Vec<String>>,
        /// The file as the plan saw it; held in memory only (it may hold oMLX's key), never in a saved plan.
        bytes: FoundBytes,
    },
}

/// A found file's bytes; `Debug` does not show them.
#[derive(Clone, PartialEq)]
pub struct FoundBytes(pub Vec<u8>);

impl std::fmt::Debug for FoundBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FoundBytes({} bytes)", self.0.len())
    }
}

/// A file of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Where.
    pub path: String,
    /// Whose.
    pub owner: Owner,
    /// Permission bits, set before the content is there.
    pub mode: u32,
    /// What; holes are filled by `execute`, but for `{{secret-key}}`, which the runner makes on the machine.
    pub text: Text,
}

/// A change by key in one of oMLX's files. Made on the machine, at the last moment, so that no other key is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// The file.
    pub path: String,
    /// Whose.
    pub owner: Owner,
    /// Keys to set: names from the top, and the value as JSON text on one line.
    pub set: Vec<(Vec<String>, Text)>,
    /// Keys to remove.
    pub remove: Vec<Vec<String>>,
    /// The whole file, for a machine where it is missing or malformed (then the malformed one is kept aside).
    pub fresh: Text,
    /// Whether the file that was found is malformed and must be kept aside.
    pub keep_aside: bool,
}

/// What happens to a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitAction {
    /// Not loaded: bootstrap it.
    Start,
    /// bootout, wait until it is gone, bootstrap.
    Restart,
    /// Runs on, and reads its files again: SIGHUP.
    Reload,
    /// bootout; its plist goes.
    Remove,
    /// Not ours: disabled and booted out before ours starts; its plist stays, and going back loads it again.
    TakeOver,
    /// Held by hand: its files are switched, it is not started.
    LeaveHeld,
}

/// A daemon and what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitStep {
    /// Short name.
    pub name: String,
    /// launchd's label.
    pub label: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its plist.
    pub plist: String,
    /// Its log file and that file's owner.
    pub log: Option<(String, Owner)>,
    /// What happens.
    pub action: UnitAction,
    /// What answers 200 once it can serve; `None` where there is nothing to ask.
    pub ready: Option<Text>,
}

/// A step through oMLX's API. Bodies are JSON on one line; `undo` restores what the plan saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// Look for models again without unloading any (facts: the zz-rescan way, by release).
    Rescan,
    /// PUT /admin/api/models/NAME/settings with changed keys only.
    Settings {
        /// The name.
        name: ServedName,
        /// Changed keys; null clears.
        body: Text,
        /// What they were.
        undo: Text,
    },
    /// Create or replace NAME's profile through the API (0.3.8 reads `model_profiles.json` at start only).
    Profile {
        /// The name.
        name: ServedName,
        /// The profile's name.
        profile: String,
        /// The whole profile; `None` deletes it.
        body: Option<Text>,
        /// What it was.
        undo: Option<Text>,
    },
    /// POST /admin/api/global-settings with changed keys only (flat names).
    Global {
        /// Changed keys.
        body: Text,
        /// What they were, but for the API key, which no plan holds.
        undo: Text,
        /// Whether the API key is among them: it is undone from the saved settings.json, on the machine.
        changes_key: bool,
    },
    /// Apply NAME's stored profile: it names the profile that is active; every value is already in effect.
    ApplyProfile {
        /// The name.
        name: ServedName,
        /// The profile's name.
        profile: String,
    },
    /// Wait until idle, unload, and load again when it was loaded or is resident now.
    Reload {
        /// The name.
        name: ServedName,
        /// Whether it is loaded again.
        load: bool,
    },
    /// Load a name that should be resident and is not.
    Load {
        /// The name.
        name: ServedName,
    },
    /// Unload a name that is no longer declared, once idle.
    Unload {
        /// The name.
        name: ServedName,
    },
}

/// What must be idle before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Nothing that runs is disturbed.
    None,
    /// oMLX as a whole (restart, or models that are unloaded): no running or waiting request by its counters and no established connection on its port.
    Engine,
}

/// What must be true in the end, else the machine reverts (machine.md, Gate).
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Whether oMLX is asked at all: not while it is held or not declared.
    pub engine: bool,
    /// The declared release.
    pub release: Release,
    /// `http://HOST:PORT` on the machine itself.
    pub url: Text,
    /// The time it may take.
    pub within: Duration,
    /// Names that must be listed.
    pub listed: Vec<ServedName>,
    /// Names that must be loaded; on a machine with windows the reconciler's script says which (`by_clock`).
    pub resident: Vec<ServedName>,
    /// Whether residents are decided by the clock on the machine.
    pub by_clock: bool,
    /// Changed names that are asked for one token or one embedding.
    pub ask: Vec<Ask>,
}

/// A name that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The name.
    pub name: ServedName,
    /// Whether it is an embedding name: then one embedding, not one token.
    pub embedding: bool,
    /// Neither resident nor loaded before: asked only after a restart, only if it fits, and its failure is reported without failing the gate.
    pub optional: bool,
}
