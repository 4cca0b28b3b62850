//! A wall-clock time of a day as an instant.

use jiff::civil::Date;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use crate::fleet::{TimeOfDay, Zone};

/// The instant at which the wall clock of the zone first shows the time or, where the clock jumps over it, a later one (fleet.md, Time):
/// inside the gap of spring the first minute after the gap, in the repeated hour of autumn the first occurrence.
///
/// So the order of wall-clock times is the order of their instants, and edges inside one gap happen together.
/// `None` only at the ends of jiff's calendar (years -9999 and 9999).
pub fn edge(date: Date, time: TimeOfDay, zone: &Zone) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_wrap, reason = "hours and minutes are below 60")]
    let wall = date.at(time.hour() as i8, time.minute() as i8, 0, 0);
    match zone.rules().to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        // `before` is the offset in force before the clock was turned back: the first of the two occurrences.
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // By the old offset the time lies at or after the jump, so the jump is the last transition up to there. `preceding` excludes its
            // argument, hence the second.
            let not_before_the_jump = before.to_timestamp(wall).ok()?;
            let behind = not_before_the_jump.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.rules().preceding(behind).next().map(|jump| jump.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(zone: &str, day: Date, time: &str) -> String {
        let zone = Zone::new(zone).expect("a zone");
        edge(day, time.parse().expect("a time"), &zone).expect("an instant").to_string()
    }

    #[test]
    fn spring_gap_is_the_first_minute_after_it() {
        // New York, 2027-03-14: 02:00 EST becomes 03:00 EDT at 07:00 UTC.
        for time in ["02:00", "02:01", "02:30", "02:59", "03:00"] {
            assert_eq!(at("America/New_York", date(2027, 3, 14), time), "2027-03-14T07:00:00Z", "{time}");
        }
        assert_eq!(at("America/New_York", date(2027, 3, 14), "01:59"), "2027-03-14T06:59:00Z");
        assert_eq!(at("America/New_York", date(2027, 3, 14), "03:01"), "2027-03-14T07:01:00Z");
        // Lord Howe turns by half an hour: 02:00 (+10:30) becomes 02:30 (+11).
        assert_eq!(at("Australia/Lord_Howe", date(2026, 10, 4), "02:10"), "2026-10-03T15:30:00Z");
        // Beirut skips midnight itself.
        assert_eq!(at("Asia/Beirut", date(2027, 3, 28), "00:15"), "2027-03-27T22:00:00Z");
        // Samoa skipped a whole day.
        assert_eq!(at("Pacific/Apia", date(2011, 12, 30), "12:00"), "2011-12-30T10:00:00Z");
    }

    #[test]
    fn autumn_hour_is_its_first_occurrence() {
        assert_eq!(at("America/New_York", date(2026, 11, 1), "01:30"), "2026-11-01T05:30:00Z");
        assert_eq!(at("Europe/Berlin", date(2026, 10, 25), "02:00"), "2026-10-25T00:00:00Z");
        assert_eq!(at("Europe/Berlin", date(2026, 10, 25), "03:00"), "2026-10-25T02:00:00Z");
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_panic() {
        let zone = Zone::new("Pacific/Kiritimati").expect("a zone");
        let _: Option<Timestamp> = edge(Date::MIN, "00:00".parse().expect("a time"), &zone);
        let zone = Zone::new("Pacific/Pago_Pago").expect("a zone");
        let _: Option<Timestamp> = edge(Date::MAX, "23:59".parse().expect("a time"), &zone);
    }
}
