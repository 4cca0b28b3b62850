//! Every rule of time against a walk along the wall clock, minute by minute, and against examples by hand.

use jiff::civil::{Date, DateTime, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::fixture::{fleet, job, rebinding, schedule};
use super::{
    bound_route, next_boundary, next_run, open_windows, period_end, previous_run, state_at, ties, transitions,
};
use crate::fleet::{Fleet, Schedule, TimeOfDay, Weekday, Weekdays, Zone};

/// Zones whose clocks change by an hour in both hemispheres, by half an hour, and over midnight; with a stretch of days around a change.
const CHANGES: [(&str, Date); 10] = [
    ("America/New_York", date(2027, 3, 12)),
    ("America/New_York", date(2026, 10, 30)),
    ("Europe/Berlin", date(2027, 3, 26)),
    ("Europe/Berlin", date(2026, 10, 23)),
    ("Australia/Lord_Howe", date(2026, 10, 2)),
    ("Australia/Lord_Howe", date(2027, 4, 2)),
    ("Asia/Beirut", date(2027, 3, 26)),
    ("Asia/Beirut", date(2026, 10, 23)),
    ("America/St_Johns", date(2010, 11, 5)),
    ("Pacific/Apia", date(2011, 12, 28)),
];

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Eleven days of a clock, minute by minute. Shares nothing with `edge` but the conversion of an instant to a clock's face.
struct Walk(Vec<(Timestamp, DateTime)>);

impl Walk {
    /// From three days before noon of `first`.
    fn new(first: Date, zone: &Zone) -> Self {
        let noon = first.at(12, 0, 0, 0).to_zoned(zone.rules().clone()).expect("an instant").timestamp();
        let start = noon - SignedDuration::from_hours(72);
        Self((0..11 * 24 * 60).map(|n| start + MINUTE * n).map(|at| (at, zone.rules().to_datetime(at))).collect())
    }

    /// The first minute at which the clock shows the wall-clock time or a later one.
    fn to(&self, wall: DateTime) -> Timestamp {
        // A start a day or two earlier spares most of the walk; clocks jump by a day at most.
        let skip = self.0.partition_point(|(_, face)| face.date() < wall.date().yesterday().expect("a day"));
        self.0[skip.saturating_sub(1_500)..].iter().find(|(_, face)| *face >= wall).expect("within the walk").0
    }

    /// The five days from noon of the first on.
    fn minutes(&self) -> impl Iterator<Item = Timestamp> {
        self.0[72 * 60..(72 + 5 * 24) * 60].iter().map(|(at, _)| *at)
    }
}

/// Each window's openings around the walk, by walking: (schedule's place, nominal start, start, end).
fn openings(fleet: &Fleet, first: Date, walk: &Walk) -> Vec<(usize, DateTime, Timestamp, Timestamp)> {
    let face = |day: Date, time: TimeOfDay| {
        day.at(i8::try_from(time.hour()).expect("small"), i8::try_from(time.minute()).expect("small"), 0, 0)
    };
    let mut found = Vec::new();
    let mut day = first.yesterday().expect("a day");
    for _ in 0..8 {
        for (place, schedule) in fleet.schedules.iter().enumerate() {
            if schedule.days.contains(Weekday::of(day)) {
                let (opens, closes) = (face(day, schedule.window.start), face(day, schedule.window.end));
                let closes =
                    if closes <= opens { face(day.tomorrow().expect("a day"), schedule.window.end) } else { closes };
                let (start, end) = (walk.to(opens), walk.to(closes));
                if start < end {
                    found.push((place, opens, start, end));
                }
            }
        }
        day = day.tomorrow().expect("a day");
    }
    found
}

/// Schedules that decide residents of `m0`, of `m1`, of both or of neither, and rebind `s` or not.
fn schedules() -> impl Strategy<Value = Vec<Schedule>> {
    // Edges crowd around the hours in which clocks change.
    let time = || prop_oneof![3 => 0_u16..240, 1 => 1_380_u16..1_440, 1 => 0_u16..1_440];
    let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let one =
        (time(), time(), 0_u8..4, 0_usize..5, any::<bool>(), prop::sample::subsequence(Weekday::ALL.to_vec(), 0..=7))
            .prop_filter("a window has a length", |(start, end, ..)| start != end);
    prop::collection::vec(one, 1..5).prop_map(move |all| {
        let sets: [Option<&[&str]>; 5] = [None, Some(&[]), Some(&["b"]), Some(&["c", "a"]), Some(&["d"])];
        let mut built = Vec::new();
        for (place, (start, end, on, set, rebinds, days)) in all.into_iter().enumerate() {
            let on: &[&str] = [&["m0"][..], &["m1"], &["m0", "m1"], &["m1", "m0"]][usize::from(on)];
            let days = if days.is_empty() { Weekdays::DAILY } else { Weekdays::of(days) };
            let mut schedule = schedule(&format!("w{place}"), on, (&text(start), &text(end)), days, sets[set]);
            if rebinds {
                schedule.slots.push(rebinding("s", [&["b"][..], &["c"], &["d"], &["a", "b"]][place % 4]));
            }
            built.push(schedule);
        }
        built
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// State, route, boundaries and transitions agree with the walk at every minute of five days around a change of the clock.
    #[test]
    fn agrees_with_a_walk_along_the_clock(place in 0..CHANGES.len(), schedules in schedules()) {
        let (zone, first) = CHANGES[place];
        let mut fleet = fleet(zone);
        fleet.schedules = schedules.into_iter().collect();
        let walk = Walk::new(first, &fleet.timezone);
        let openings = openings(&fleet, first, &walk);
        let minutes: Vec<Timestamp> = walk.minutes().collect();
        let all: Vec<&Schedule> = fleet.schedules.iter().collect();
        let slot = fleet.slots.get("s").expect("the slot");
        let mut expected_boundaries = Vec::new();
        let mut expected_changes = Vec::new();
        let mut last = None;
        for at in &minutes {
            let mut open: Vec<_> = openings.iter().filter(|(_, _, start, end)| start <= at && at < end).collect();
            open.sort_by_key(|(place, opens, start, _)| (*start, *opens, *place));
            let winner = |wants: &dyn Fn(&Schedule) -> bool| open.iter().rev().map(|found| all[found.0]).find(|schedule| wants(schedule));
            let mut seen = Vec::new();
            for machine in fleet.machines.iter() {
                let expected = winner(&|schedule| schedule.resident.is_some() && schedule.on.contains(&machine.name));
                let mut names: Vec<&str> = match expected.and_then(|schedule| schedule.resident.as_ref()) {
                    None => vec!["a"],
                    Some(names) => names.iter().map(crate::fleet::ServedName::as_str).collect(),
                };
                names.sort_unstable();
                let state = state_at(&fleet, machine, *at);
                let got: Vec<&str> = state.resident.iter().map(|served| served.name.as_str()).collect();
                prop_assert_eq!(state.window.map(|window| &window.name), expected.map(|window| &window.name), "{} {}", machine.name, at);
                prop_assert_eq!(&got, &names, "{} {}", machine.name, at);
                seen.push((state.window.map(|window| window.name.clone()), got.join(" ")));
            }
            let expected = winner(&|schedule| !schedule.slots.is_empty());
            let bound = bound_route(&fleet, slot, *at);
            prop_assert_eq!(bound.window.map(|window| &window.name), expected.map(|window| &window.name), "{}", at);
            prop_assert_eq!(bound.route, expected.map_or(slot.route.as_slice(), |window| window.slots[0].route.as_slice()));
            let here = (seen, bound.route.to_vec());
            if last.as_ref().is_some_and(|last| *last != here) {
                expected_changes.push(*at);
            }
            last = Some(here);
            if openings.iter().any(|(_, _, start, end)| start == at || end == at) {
                expected_boundaries.push(*at);
            }
        }
        let (start, end) = (minutes[0], minutes[minutes.len() - 1]);
        let mut boundaries = Vec::new();
        let mut at = start - MINUTE;
        while let Some(next) = next_boundary(&fleet, at).filter(|next| *next <= end) {
            boundaries.push(next);
            at = next;
        }
        prop_assert_eq!(boundaries, expected_boundaries);
        let mut changes: Vec<Timestamp> = transitions(&fleet, start + MINUTE, end + MINUTE).iter().map(|found| found.at).collect();
        changes.dedup();
        prop_assert_eq!(changes, expected_changes);
    }

    /// The transitions of a period, laid over the state at its start, give the state at its end; cut in two, they are the same.
    #[test]
    fn transitions_lead_from_state_to_state(place in 0..CHANGES.len(), schedules in schedules(), hours in 1_i64..200, cut in 0_i64..200) {
        let (zone, first) = CHANGES[place];
        let mut fleet = fleet(zone);
        fleet.schedules = schedules.into_iter().collect();
        let from = Walk::new(first, &fleet.timezone).0[0].0;
        let to = from + SignedDuration::from_hours(hours);
        let all = transitions(&fleet, from, to);
        for machine in fleet.machines.iter() {
            let mut resident: Vec<&str> = Vec::new();
            resident.extend(state_at(&fleet, machine, from - MINUTE).resident.iter().map(|served| served.name.as_str()));
            for found in all.iter().filter(|found| found.machine.name == machine.name) {
                resident.retain(|name| !found.unload.iter().any(|served| served.name == *name));
                for served in &found.load {
                    prop_assert!(!resident.contains(&served.name.as_str()), "loaded twice");
                    resident.push(served.name.as_str());
                }
                resident.sort_unstable();
                let names: Vec<&str> = found.resident.iter().map(|served| served.name.as_str()).collect();
                prop_assert_eq!(&resident, &names);
            }
            let names: Vec<&str> = state_at(&fleet, machine, to - MINUTE).resident.iter().map(|served| served.name.as_str()).collect();
            prop_assert_eq!(resident, names);
        }
        let middle = (from + SignedDuration::from_hours(cut)).min(to);
        let mut parts = transitions(&fleet, from, middle);
        parts.extend(transitions(&fleet, middle, to));
        prop_assert_eq!(parts, all);
    }

    /// A job is due once on each of its days, at the first minute the clock shows its time or has passed it.
    #[test]
    fn jobs_agree_with_the_walk(place in 0..CHANGES.len(), minutes in prop_oneof![0_u16..240, 0_u16..1_440], days in prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7)) {
        let (zone, first) = CHANGES[place];
        let fleet = fleet(zone);
        let job = job("j", &format!("{:02}:{:02}", minutes / 60, minutes % 60), Weekdays::of(days));
        let walk = Walk::new(first, &fleet.timezone);
        let mut due = Vec::new();
        let mut day = first.yesterday().expect("a day");
        for _ in 0..7 {
            if job.days.contains(Weekday::of(day)) {
                let face = day.at(i8::try_from(job.at.hour()).expect("small"), i8::try_from(job.at.minute()).expect("small"), 0, 0);
                due.push(walk.to(face));
            }
            day = day.tomorrow().expect("a day");
        }
        due.dedup();
        for pair in due.windows(2) {
            prop_assert_eq!(next_run(&fleet, &job, pair[0]), Some(pair[1]));
            prop_assert_eq!(next_run(&fleet, &job, pair[1] - MINUTE), Some(pair[1]));
            prop_assert_eq!(previous_run(&fleet, &job, pair[1] - MINUTE), Some(pair[0]));
            prop_assert_eq!(previous_run(&fleet, &job, pair[1]), Some(pair[1]));
        }
    }
}

fn day_and_night() -> Fleet {
    let mut fleet = fleet("America/New_York");
    let mut night = schedule("night", &["m0"], ("00:30", "06:30"), Weekdays::DAILY, Some(&["c", "b"]));
    night.slots.push(rebinding("s", &["b"]));
    fleet.schedules = [night].into_iter().collect();
    fleet
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

#[test]
fn a_day_has_its_two_transitions() {
    let fleet = day_and_night();
    let from = at("2026-11-23T17:00:00Z");
    let to = period_end(&fleet, from, 1).expect("an end");
    let told: Vec<String> = transitions(&fleet, from, to)
        .iter()
        .map(|found| {
            let names = |all: &[&crate::fleet::Served]| {
                all.iter().map(|served| served.name.as_str()).collect::<Vec<_>>().join(",")
            };
            format!(
                "{} {} {:?} [{}] +{} -{} {} {:?}",
                found.at,
                found.machine.name,
                found.window.map(|window| window.name.as_str()),
                names(&found.resident),
                names(&found.load),
                names(&found.unload),
                found.cost.bytes,
                found.rebinds
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    2026-11-24T05:30:00Z m0 Some("night") [b,c] +b,c -a 5.0 GiB {SlotName("s"): [ServedName("b")]}
    2026-11-24T11:30:00Z m0 None [a] +a -b,c 1.0 GiB {SlotName("s"): [ServedName("a")]}
    "#);
}

#[test]
fn a_period_excludes_its_end_and_follows_the_wall_clock() {
    let fleet = day_and_night();
    let from = at("2026-11-23T05:30:00Z"); // 00:30, the very start of the window
    let to = period_end(&fleet, from, 1).expect("an end");
    let times: Vec<String> = transitions(&fleet, from, to).iter().map(|found| found.at.to_string()).collect();
    assert_eq!(times, ["2026-11-23T05:30:00Z", "2026-11-23T11:30:00Z"]);
    // Over the change of spring a day has 23 hours.
    assert_eq!(period_end(&fleet, at("2027-03-14T05:00:00Z"), 1), Some(at("2027-03-15T04:00:00Z")));
    assert!(transitions(&fleet, to, from).is_empty(), "a period that runs backwards is empty");
}

#[test]
fn a_window_across_midnight_belongs_to_the_day_it_starts() {
    let mut fleet = fleet("Europe/Berlin");
    let friday = Weekdays::of([Weekday::Friday]);
    fleet.schedules = [schedule("late", &["m0"], ("22:00", "02:00"), friday, Some(&["b"]))].into_iter().collect();
    let machine = fleet.machines.get("m0").expect("m0");
    let is_open = |text: &str| state_at(&fleet, machine, at(text)).window.is_some();
    assert!(is_open("2026-11-27T21:00:00Z"), "Friday 22:00");
    assert!(is_open("2026-11-28T00:59:59Z"), "Saturday 01:59:59");
    assert!(!is_open("2026-11-28T01:00:00Z"), "Saturday 02:00");
    assert!(!is_open("2026-11-27T00:30:00Z"), "Friday 01:30 would be Thursday's");
    assert_eq!(next_boundary(&fleet, at("2026-11-28T01:00:00Z")), Some(at("2026-12-04T21:00:00Z")));
}

#[test]
fn no_schedule_no_boundary() {
    let fleet = fleet("UTC");
    assert_eq!(next_boundary(&fleet, at("2026-11-23T05:30:00Z")), None);
    assert!(open_windows(&fleet, at("2026-11-23T05:30:00Z")).is_empty());
    for extreme in [Timestamp::MIN, Timestamp::MAX] {
        assert!(transitions(&day_and_night(), extreme, extreme).is_empty());
        drop((next_boundary(&day_and_night(), extreme), open_windows(&day_and_night(), extreme)));
        let job = job("j", "01:00", Weekdays::DAILY);
        let _: (Option<Timestamp>, Option<Timestamp>) =
            (next_run(&fleet, &job, extreme), previous_run(&fleet, &job, extreme));
    }
}

#[test]
fn windows_that_start_together_are_found() {
    let mut fleet = fleet("UTC");
    let weekend = Weekdays::of([Weekday::Saturday, Weekday::Sunday]);
    let mut other_slot = schedule("d", &["m1"], ("01:00", "02:00"), Weekdays::of([Weekday::Monday]), None);
    other_slot.slots.push(rebinding("s", &["b"]));
    let mut same_slot = schedule("e", &["m0"], ("01:00", "05:00"), Weekdays::of([Weekday::Monday]), None);
    same_slot.slots.push(rebinding("s", &["c"]));
    fleet.schedules = [
        schedule("a", &["m0"], ("00:30", "06:30"), weekend, Some(&["b"])),
        schedule("b", &["m0", "m1"], ("00:30", "01:30"), Weekdays::of([Weekday::Sunday]), Some(&["c"])),
        schedule("c", &["m1"], ("00:30", "01:30"), Weekdays::of([Weekday::Monday]), Some(&["c"])),
        other_slot,
        same_slot,
    ]
    .into_iter()
    .collect();
    let told: Vec<String> =
        ties(&fleet).iter().map(|tie| format!("{} {} {:?}", tie.first.name, tie.second.name, tie.shared)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    a b Machine(MachineName("m0"))
    d e Slot(SlotName("s"))
    "#);
}
