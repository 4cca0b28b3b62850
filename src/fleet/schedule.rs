//! A schedule: what is resident, and where slots go, while a window is open.

use super::{Keyed, MachineName, Rank, ScheduleName, ServedName, SlotName, TimeOfDay, Weekdays};

/// A daily stretch of wall-clock time in the fleet's zone: `[start, end)`, across midnight when `end` is not after `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it opens.
    pub start: TimeOfDay,
    /// When it closes; never equal to `start`.
    pub end: TimeOfDay,
}

impl Window {
    /// Whether it closes on the day after it opened.
    pub fn crosses_midnight(self) -> bool {
        self.end <= self.start
    }
}

/// A slot's route while a window is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebinding {
    /// The slot.
    pub slot: SlotName,
    /// Its route meanwhile.
    pub route: Vec<Rank>,
}

/// An entry of [schedules].
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its key in [schedules].
    pub name: ScheduleName,
    /// The machines whose resident set it decides.
    pub on: Vec<MachineName>,
    /// When it is open.
    pub window: Window,
    /// The days on which it starts.
    pub days: Weekdays,
    /// The machines' whole resident set while it is open; `None` leaves it as it is outside.
    pub resident: Option<Vec<ServedName>>,
    /// Slots rebound meanwhile.
    pub slots: Vec<Rebinding>,
}

impl Keyed for Schedule {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
