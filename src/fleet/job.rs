//! A job: a timed command, as a launchd daemon.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{JobName, Keyed, MachineName, SlotName, TimeOfDay, Weekdays};

/// An entry of [jobs].
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its key in [jobs].
    pub name: JobName,
    /// The machines that run it.
    pub on: Vec<MachineName>,
    /// When, in the fleet's zone.
    pub at: TimeOfDay,
    /// On which days.
    pub days: Weekdays,
    /// The command, as argv; the program is absolute.
    pub run: Vec<String>,
    /// The slot whose address and model it is given.
    pub slot: Option<SlotName>,
    /// Who runs it; `None` is the machine's user.
    pub user: Option<String>,
    /// Added to its environment.
    pub environment: BTreeMap<String, String>,
    /// It is ended after this time.
    pub timeout: Option<Duration>,
}

impl Keyed for Job {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
