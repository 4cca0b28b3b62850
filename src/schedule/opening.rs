//! When windows open and close.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::edge;
use crate::fleet::{Fleet, Schedule, TimeOfDay, Weekday, Zone};

/// One opening of a window: `[start, end)`. It belongs to the day on which it starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening<'a> {
    /// Whose window.
    pub schedule: &'a Schedule,
    /// The day it belongs to, in the fleet's zone.
    pub day: Date,
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant outside again.
    pub end: Timestamp,
}

impl<'a> Opening<'a> {
    /// The opening of a schedule on a day; `None` when it does not start that day, or when a skipped day leaves nothing of it.
    fn on_day(schedule: &'a Schedule, day: Date, zone: &Zone) -> Option<Self> {
        if !schedule.days.contains(Weekday::of(day)) {
            return None;
        }
        let last = if schedule.window.crosses_midnight() { day.tomorrow().ok()? } else { day };
        let start = edge(day, schedule.window.start, zone)?;
        let end = edge(last, schedule.window.end, zone)?;
        (start < end).then_some(Self { schedule, day, start, end })
    }

    /// Whether the instant lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Orders openings by when they started. Two that a gap of spring lets start together keep the order of their wall-clock times.
    pub(super) fn started(&self) -> (Timestamp, Date, TimeOfDay) {
        (self.start, self.day, self.schedule.window.start)
    }
}

/// The days on which an opening that touches `[from, to]` can have started: a window lasts at most a day, and where the clock is turned back
/// over midnight, the date of an instant can be a day behind the last one that began.
fn days_around(from: Timestamp, to: Timestamp, zone: &Zone) -> impl Iterator<Item = Date> + use<> {
    let date = |at: Timestamp| zone.rules().to_datetime(at).date();
    let first = date(from).yesterday().unwrap_or(Date::MIN);
    let first = first.yesterday().unwrap_or(first);
    let last = date(to).tomorrow().unwrap_or(Date::MAX);
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

/// The openings whose stretch touches `[from, to]`, by start, at one start in the order of declaration.
pub fn openings_between(fleet: &Fleet, from: Timestamp, to: Timestamp) -> Vec<Opening<'_>> {
    let mut openings = Vec::new();
    if fleet.schedules.is_empty() {
        return openings;
    }
    for day in days_around(from, to, &fleet.timezone) {
        for schedule in fleet.schedules.iter() {
            openings.extend(
                Opening::on_day(schedule, day, &fleet.timezone)
                    .filter(|opening| opening.start <= to && opening.end >= from),
            );
        }
    }
    openings.sort_by_key(Opening::started);
    openings
}

/// The windows open at a time, the latest started last.
pub fn open_windows(fleet: &Fleet, at: Timestamp) -> Vec<Opening<'_>> {
    let mut open = openings_between(fleet, at, at);
    open.retain(|opening| opening.contains(at));
    open
}

/// The first instant after `after` at which a window opens or closes; `None` without schedules.
pub fn next_boundary(fleet: &Fleet, after: Timestamp) -> Option<Timestamp> {
    // Every window starts at least once a week; a skipped day can put that off by one more week.
    const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 15);
    let to = after.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
    openings_between(fleet, after, to)
        .iter()
        .flat_map(|opening| [opening.start, opening.end])
        .filter(|boundary| *boundary > after)
        .min()
}
