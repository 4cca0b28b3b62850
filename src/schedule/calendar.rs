//! On which times of a machine's own clock a time of the fleet's can fall: what launchd's `StartCalendarInterval` is given.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};

use super::edge;
use crate::fleet::{TimeOfDay, Weekday, Weekdays, Zone};

/// A recurring time of a machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarTime {
    /// The day of the week; `None` is every day.
    pub weekday: Option<Weekday>,
    /// The time.
    pub time: TimeOfDay,
}

/// The years over which the rules of both zones are looked at: a rendered file must not depend on the day on which it is rendered, and zone
/// databases spell transitions out up to 2037.
const YEARS: (i16, i16) = (2026, 2037);

/// Every time of a clock in `machine` on which `at` on those days of a clock in `fleet` can fall, sorted.
///
/// Both changes of DST in either zone are in it; also, where `at` can lie in a gap, the minute after the gap. So more times may be named than
/// on any one day are meant: what is started by them asks the fleet's clock whether it is its time.
pub fn calendar_times(fleet: &Zone, machine: &Zone, at: TimeOfDay, days: Weekdays) -> Vec<CalendarTime> {
    let is_daily = days == Weekdays::DAILY;
    let mut times = BTreeSet::new();
    for day in telling_days(fleet, machine).into_iter().filter(|day| days.contains(Weekday::of(*day))) {
        if let Some((time, date)) = local_time(day, at, fleet, machine) {
            times.insert(CalendarTime { weekday: (!is_daily).then(|| Weekday::of(date)), time });
        }
    }
    times.into_iter().collect()
}

/// What the machine's clock and calendar show when it is `at` on that day in the fleet's zone.
fn local_time(day: Date, at: TimeOfDay, fleet: &Zone, machine: &Zone) -> Option<(TimeOfDay, Date)> {
    let local = machine.rules().to_datetime(edge(day, at, fleet)?);
    let time = TimeOfDay::new(u8::try_from(local.hour()).ok()?, u8::try_from(local.minute()).ok()?)?;
    Some((time, local.date()))
}

/// Days that show every relation of the two clocks on every weekday: between two transitions of either zone it does not change, so the week
/// before and the week behind each of them are enough. Two clocks of one zone differ on no day; only a time that a transition skips is another
/// one, on its own day.
fn telling_days(fleet: &Zone, machine: &Zone) -> BTreeSet<Date> {
    let first = date(YEARS.0, 1, 1);
    let start =
        fleet.rules().to_ambiguous_timestamp(first.at(0, 0, 0, 0)).compatible().unwrap_or(Timestamp::UNIX_EPOCH);
    let jumps = |zone: &Zone| -> Vec<Date> {
        let jumps = zone.rules().following(start).map(|jump| fleet.rules().to_datetime(jump.timestamp()).date());
        jumps.take_while(|day| day.year() <= YEARS.1).collect()
    };
    let around = |day: Date, reach: i64| (-reach..=reach).filter_map(move |offset| day.checked_add(offset.days()).ok());
    let mut days: BTreeSet<Date> = around(first, 7).collect();
    if fleet.name() == machine.name() {
        days.extend(jumps(fleet).into_iter().flat_map(|day| around(day, 1)));
    } else {
        days.extend(jumps(fleet).into_iter().chain(jumps(machine)).flat_map(|day| around(day, 7)));
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(fleet: &str, machine: &str, at: &str, days: Weekdays) -> Vec<String> {
        let zone = |name| Zone::new(name).expect("a zone");
        let shown = |time: CalendarTime| match time.weekday {
            None => time.time.to_string(),
            Some(day) => format!("{} {}", day.short(), time.time),
        };
        calendar_times(&zone(fleet), &zone(machine), at.parse().expect("a time"), days).into_iter().map(shown).collect()
    }

    #[test]
    fn one_zone_without_a_jump_at_that_time_is_one_time() {
        assert_eq!(times("America/New_York", "America/New_York", "04:15", Weekdays::DAILY), ["04:15"]);
        assert_eq!(
            times("America/New_York", "America/New_York", "04:15", Weekdays::of([Weekday::Sunday])),
            ["sun 04:15"]
        );
    }

    #[test]
    fn a_time_in_the_gap_also_names_the_minute_after_it() {
        assert_eq!(times("America/New_York", "America/New_York", "02:15", Weekdays::DAILY), ["02:15", "03:00"]);
    }

    #[test]
    fn another_zone_sees_both_sides_of_each_change() {
        // New York is 5 or 4 hours behind UTC.
        assert_eq!(
            times("America/New_York", "UTC", "22:00", Weekdays::of([Weekday::Sunday])),
            ["mon 02:00", "mon 03:00"]
        );
        // Berlin is 6 hours ahead, 5 for the weeks in which only one of them has changed.
        assert_eq!(times("America/New_York", "Europe/Berlin", "01:15", Weekdays::DAILY), ["06:15", "07:15"]);
        assert_eq!(
            times("Europe/Berlin", "America/Los_Angeles", "05:00", Weekdays::of([Weekday::Monday])),
            ["sun 20:00", "sun 21:00"]
        );
    }
}
