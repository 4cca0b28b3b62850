//! `templates/clock.sh` against an independent computation with jiff.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Host, shells, told};

/// Minutes since 1970-01-01 00:00 of the zone's wall clock.
fn wall(zone: &TimeZone, minute: i64) -> i64 {
    let at = Timestamp::from_second(minute * 60).expect("in range");
    minute + i64::from(zone.to_offset(at).seconds()) / 60
}

/// The latest wall-clock minute that was shown in the last four hours up to the instant, minute by minute.
fn shown(zone: &TimeZone, second: i64) -> i64 {
    let now = second.div_euclid(60);
    (now - 240..=now).map(|minute| wall(zone, minute)).max().expect("not empty")
}

#[test]
fn the_latest_time_that_the_clock_has_shown() {
    let script = format!(
        "PATH=/usr/bin:/bin:/usr/sbin:/sbin\n{}\nzone=$1\nshift\nfor at in \"$@\"; do shown_minute \"$zone\" \"$at\"; echo \"$SHOWN\"; done\n",
        include_str!("../../../templates/clock.sh")
    );
    // Around both changes of 2026 and 2027, by the minute where it matters, and on plain days.
    let cases = [
        ("America/New_York", ["2026-11-01T06:00:00Z", "2027-03-14T07:00:00Z", "2026-07-01T12:00:00Z"]),
        ("Australia/Lord_Howe", ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z", "2026-12-31T23:59:00Z"]),
        ("Antarctica/Troll", ["2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z", "2028-02-29T00:00:00Z"]),
        ("UTC", ["2026-11-23T09:00:00Z", "2000-03-01T00:00:00Z", "1999-12-31T23:59:00Z"]),
    ];
    let host = Host::at(0);
    for (place, (zone, instants)) in cases.into_iter().enumerate() {
        let rules = TimeZone::get(zone).expect("a zone");
        let mut seconds: Vec<i64> = Vec::new();
        for instant in instants {
            let around = instant.parse::<Timestamp>().expect("an instant").as_second();
            seconds.extend(
                [
                    -7_261, -3_600, -1_800, -61, -60, -1, 0, 1, 59, 60, 1_799, 3_540, 3_600, 5_400, 7_199, 7_200,
                    10_740, 10_860,
                ]
                .map(|by| around + by),
            );
        }
        let mut arguments = vec![zone.to_owned()];
        arguments.extend(seconds.iter().map(i64::to_string));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // One shell a zone: the arithmetic is POSIX's in all of them.
        let shells = shells();
        let output = host.run(&shells[place % shells.len()], &script, &arguments);
        let wanted: String =
            seconds.iter().map(|second| format!("{}\n", shown(&rules, *second))).collect::<Vec<_>>().concat();
        assert_eq!(told(&output), format!("exit Some(0)\n{wanted}"), "{zone}");
    }
}

#[test]
fn zones_that_are_none_are_not_known() {
    let script = format!(
        "{}\nfor zone in \"$@\"; do zone_known \"$zone\" && echo \"$zone\"; done\ntrue\n",
        include_str!("../../../templates/clock.sh")
    );
    let host = Host::at(0);
    for shell in shells() {
        let output = host.run(
            &shell,
            &script,
            &["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/Berlin"],
        );
        assert_eq!(told(&output), "exit Some(0)\nEurope/Berlin\n");
    }
}
