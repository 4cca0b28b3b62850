//! launchd's definition of a daemon as typed values, and the plist that they become.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Content, Entry, LoadedDefinition, Owner, Text, Unit, UnitKind};
use crate::fleet::layout;
use crate::schedule::CalendarTime;

/// launchd.plist(5), the keys that we use; absent means launchd's default. Keys are written in this order.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Daemon {
    /// Unique in the system domain.
    pub(super) label: String,
    /// argv; no shell, absolute program.
    pub(super) program_arguments: Vec<String>,
    /// Who runs it; absent is root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_name: Option<String>,
    /// Visible to every reader of `launchctl print`: never a secret.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) environment_variables: BTreeMap<String, String>,
    /// A missing one is exit 78, and the job never runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_directory: Option<String>,
    /// Whether it starts when loaded, so also at boot.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) run_at_load: bool,
    /// Whether it is always started again.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) keep_alive: bool,
    /// Seconds; counted from load, lost while asleep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_interval: Option<u32>,
    /// Times of the machine's own clock; missed ones run once at wake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) start_calendar_interval: Vec<Calendar>,
    /// Unset is Standard: light throttling. Never Background: it clamps Metal (facts/macos.md 1.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) process_type: Option<&'static str>,
    /// Seconds from SIGTERM to SIGKILL; the system's own value is 5 on present macOS.
    #[serde(rename = "ExitTimeOut", skip_serializing_if = "Option::is_none")]
    pub(super) exit_timeout: Option<u32>,
    /// Seconds between two spawns at least; default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) throttle_interval: Option<u32>,
    /// An integer is decimal: 63 is 077.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) umask: Option<u32>,
    /// Limits by launchd's names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) soft_resource_limits: BTreeMap<&'static str, u64>,
    /// The unit's log.
    pub(super) standard_out_path: String,
    /// The same file: launchd opens both for appending.
    pub(super) standard_error_path: String,
}

/// A dictionary of `StartCalendarInterval`: an absent key matches everything, so the minute is always given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Calendar {
    /// 0 is Sunday.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weekday: Option<u8>,
    /// 0 to 23.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hour: Option<u8>,
    /// 0 to 59.
    pub(super) minute: u8,
}

impl From<CalendarTime> for Calendar {
    fn from(at: CalendarTime) -> Self {
        Self {
            weekday: at.weekday.map(crate::fleet::Weekday::launchd),
            hour: Some(at.time.hour()),
            minute: at.time.minute(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde's skip_serializing_if asks for")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Daemon {
    /// A daemon of ours by its short name, with its log.
    pub(super) fn new(unit: &str, program_arguments: Vec<String>) -> Self {
        Self {
            label: layout::label(unit),
            program_arguments,
            standard_out_path: layout::log_path(unit),
            standard_error_path: layout::log_path(unit),
            ..Self::default()
        }
    }

    /// Run by this user, in that home.
    pub(super) fn run_by(mut self, user: &str, home: &str) -> Self {
        self.user_name = Some(user.to_owned());
        self.environment_variables.insert("HOME".to_owned(), home.to_owned());
        self
    }

    /// The plist as launchd reads it. The crate ends at `</plist>`; a text file ends with a newline.
    fn plist(&self) -> String {
        let mut bytes = Vec::new();
        // Writing strings, numbers and booleans into memory cannot fail; should it ever, an empty plist is refused by the golden tests and by launchd.
        if plist::to_writer_xml(&mut bytes, self).is_err() {
            bytes.clear();
        }
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The file and the unit. `reads`: other entries that the daemon reads at start only.
    pub(super) fn into_unit(self, name: &str, kind: UnitKind, reads: Vec<String>) -> (Entry, Unit) {
        let path = layout::plist_path(name);
        let entry = Entry {
            path: path.clone(),
            owner: Owner::root(),
            mode: 0o644,
            content: Content::Whole(Text::literal(self.plist())),
        };
        let log_owner = self.user_name.as_deref().map_or_else(Owner::root, Owner::staff);
        let unit = Unit {
            name: name.to_owned(),
            label: self.label,
            kind,
            plist: path,
            log: (self.standard_out_path.clone(), log_owner),
            program: None,
            reads,
            reloads: Vec::new(),
            ready: None,
            loaded: LoadedDefinition {
                arguments: self.program_arguments,
                working_directory: self.working_directory,
                stdout: Some(self.standard_out_path),
                username: self.user_name,
                environment: self.environment_variables,
                exit_timeout: self.exit_timeout.map(u64::from),
                minimum_runtime: self.throttle_interval.map(u64::from),
            },
        };
        (entry, unit)
    }
}
