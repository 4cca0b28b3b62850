//! `--at TIME`: HH:MM today in the fleet's zone, or RFC 3339.

use jiff::Timestamp;

use super::Context;
use crate::error::CommandError;
use crate::fleet::{TimeOfDay, Zone};
use crate::schedule;

impl Context {
    /// The time that a verb is about: `--at`, else now. Errors: usage.
    pub(crate) fn time(&self, at: Option<&str>, zone: &Zone) -> Result<Timestamp, CommandError> {
        let now = self.clock.now();
        at.map_or(Ok(now), |text| parse(text, now, zone))
    }
}

/// Reads a time. One that today's clock jumps over is the first minute behind the jump, one that it shows twice the first (fleet.md, Time).
fn parse(text: &str, now: Timestamp, zone: &Zone) -> Result<Timestamp, CommandError> {
    let refused = || {
        CommandError::usage(format!("--at {text:?} is no time"))
            .hint("write HH:MM (today, in the fleet's zone) or RFC 3339, as 2026-11-23T02:00:00-05:00")
    };
    if let Ok(time) = text.parse::<TimeOfDay>() {
        let today = zone.rules().to_datetime(now).date();
        return schedule::edge(today, time, zone).ok_or_else(refused);
    }
    // RFC 3339 has a date, a time and an offset; jiff reads more than that.
    let is_shaped = text.len() >= 20 && text.is_ascii() && !text.contains(['[', ' ']);
    if is_shaped { text.parse().map_err(|_| refused()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let zone = Zone::new("America/New_York").expect("a zone");
        // The day of the spring change.
        let now = "2027-03-14T15:00:00Z".parse().expect("a time");
        parse(text, now, &zone).ok().map(|at| at.to_string())
    }

    #[test]
    fn a_time_of_today_or_an_instant() {
        for (text, at) in [
            ("00:30", Some("2027-03-14T05:30:00Z")),
            ("02:30", Some("2027-03-14T07:00:00Z")),
            ("23:59", Some("2027-03-15T03:59:00Z")),
            ("2026-11-01T01:30:00-04:00", Some("2026-11-01T05:30:00Z")),
            ("2026-11-01T01:30:00Z", Some("2026-11-01T01:30:00Z")),
            ("2026-11-01T01:30:00.5Z", Some("2026-11-01T01:30:00.5Z")),
            ("25:00", None),
            ("2:30", None),
            ("", None),
            ("now", None),
            ("2026-11-01", None),
            ("2026-11-01T01:30:00", None),
            ("2026-02-30T01:30:00Z", None),
            ("2026-11-01T01:30:00Z[UTC]", None),
            ("2026-11-01 01:30:00Z", None),
            ("\u{1b}[31m02:30", None),
        ] {
            assert_eq!(read(text).as_deref(), at, "{text}");
        }
    }
}
