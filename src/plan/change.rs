//! What differs, what will be done about it, what that disturbs, and why.

use super::Transaction;
use crate::fleet::{MachineName, ServedName};

/// What kind of thing changes (json.md, `plan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// A file of ours.
    File,
    /// A symbolic link.
    Link,
    /// A launchd daemon.
    Service,
    /// A key of one of oMLX's files.
    Setting,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Create,
    Update,
    Remove,
}

impl Action {
    /// As JSON documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }
}

/// What the cheapest way to do it disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbs {
    /// No request notices.
    Nothing,
    /// The named models are unloaded and loaded again, once idle.
    Reload,
    /// The daemon is drained, stopped and started.
    Restart,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing.
    pub kind: ChangeKind,
    /// The path, or for a service its label.
    pub path: String,
    /// For a setting: its key, dotted.
    pub key: Option<String>,
    /// What is done.
    pub action: Action,
    /// What it disturbs.
    pub disturbs: Disturbs,
    /// The served names that a reload touches.
    pub names: Vec<ServedName>,
    /// Why, and why this way.
    pub reason: String,
    /// A unified diff, secrets redacted.
    pub diff: Option<String>,
}

impl Change {
    /// In one line, for the history.
    pub fn line(&self) -> String {
        let action = match self.action {
            Action::Create => "+",
            Action::Update => "~",
            Action::Remove => "-",
        };
        let key = self.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
        format!("{action} {}{key}", self.path)
    }
}

/// Something that is left as it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path (with `#key` for a setting).
    pub path: String,
    /// Why it is left.
    pub reason: String,
}

/// How a machine stands to the fleet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "json.md's own words")]
pub enum PlanState {
    InSync,
    Changes,
    Refused,
    Unreachable,
    Error,
}

/// The plan for one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct MachinePlan {
    /// The machine.
    pub machine: MachineName,
    /// How it stands.
    pub state: PlanState,
    /// Why it is refused, unreachable or in error, and what to do.
    pub detail: Option<String>,
    /// What will change, in the order of path.
    pub changes: Vec<Change>,
    /// What is left alone although one might expect otherwise.
    pub kept: Vec<Kept>,
    /// What stands in the way of what is declared, and a person must move: with any, nothing is done.
    pub obstacles: Vec<String>,
    /// What is worth knowing besides (another release's news, a stale definition…).
    pub notes: Vec<String>,
    /// What execution does; only with `Changes`.
    pub transaction: Option<Transaction>,
}

/// The plan for the fleet, machines in the order of declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One a machine.
    pub machines: Vec<MachinePlan>,
}
