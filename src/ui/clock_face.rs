//! Times and durations for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::fleet::Fleet;

/// `Mon 23 Nov 02:00 (America/New_York)`: a time on the fleet's clock, with the zone.
pub(super) fn clock_face(at: Timestamp, fleet: &Fleet) -> String {
    format!("{} ({})", short_face(at, fleet.timezone.rules()), fleet.timezone.name())
}

/// `Mon 23 Nov 02:00`.
pub(super) fn short_face(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %d %b %H:%M").to_string()
}

/// Roughly how long: `about 8 s`, `about 2 min`.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 99.5 { format!("about {:.0} s", seconds.max(1.0)) } else { format!("about {:.0} min", seconds / 60.0) }
}
