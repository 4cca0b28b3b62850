//! Times and durations for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::fleet::Fleet;

/// `Mon 23 Nov 02:00 (America/New_York)`: a time on the fleet's clock, with the zone.
pub(super) fn clock_face(at: Timestamp, fleet: &Fleet) -> String {
    format!("{} ({})", short_face(at, fleet.timezone.rules()), fleet.timezone.name())
}

/// `Mon 23 Nov 02:00`.
pub fn short_face(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %d %b %H:%M").to_string()
}

/// How long something took: `3 s`, `2 min`, `3 h 5 min`.
pub fn took(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    match minutes {
        _ if seconds < 99.5 => format!("{seconds:.0} s"),
        _ if minutes < 100.0 => format!("{minutes:.0} min"),
        _ => format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0),
    }
}

/// Roughly how long: `about 8 s`, `about 2 min`.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 99.5 { format!("about {:.0} s", seconds.max(1.0)) } else { format!("about {:.0} min", seconds / 60.0) }
}
