//! The states of the windows that a gateway's routes can be in.

use jiff::Timestamp;
use jiff::civil::date;

use crate::fleet::{Fleet, Rank, Schedule, Slot, Zone};
use crate::schedule::{Opening, open_windows, openings_between};

/// The name of the state in which no window rebinds a slot.
pub const BASELINE: &str = "baseline";

/// A state of the windows: those open that rebind a slot, the latest started last.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayState<'a> {
    /// Their names joined by "+", or [`BASELINE`]: the name of the state's configuration file. A slug never holds a "+".
    pub key: String,
    /// The windows.
    pub windows: Vec<&'a Schedule>,
}

impl<'a> GatewayState<'a> {
    fn new(open: &[Opening<'a>]) -> Self {
        let rebinding = open.iter().map(|opening| opening.schedule).filter(|schedule| !schedule.slots.is_empty());
        let windows: Vec<&Schedule> = rebinding.collect();
        let names: Vec<&str> = windows.iter().map(|schedule| schedule.name.as_str()).collect();
        let key = if names.is_empty() { BASELINE.to_owned() } else { names.join("+") };
        Self { key, windows }
    }

    /// The route of a slot in this state.
    pub fn route(&self, slot: &'a Slot) -> &'a [Rank] {
        let rebindings = self.windows.iter().rev().flat_map(|schedule| &schedule.slots);
        rebindings
            .into_iter()
            .find(|rebinding| rebinding.slot == slot.name)
            .map_or(&slot.route, |rebinding| &rebinding.route)
    }
}

/// The state at a time.
pub fn state_of(fleet: &Fleet, at: Timestamp) -> GatewayState<'_> {
    GatewayState::new(&open_windows(fleet, at))
}

/// Every state that the fleet can be in, the baseline first, the others in the order of the week.
///
/// A plain week of a clock that never changes shows them all: instants follow the wall clock in order, so two windows that are open together on a
/// day with a jump are open together on a plain day as well, and in the same order.
pub fn states(fleet: &Fleet) -> Vec<GatewayState<'_>> {
    let mut found = vec![GatewayState { key: BASELINE.to_owned(), windows: Vec::new() }];
    let Ok(utc) = Zone::new("UTC") else { return found };
    let plain = Fleet { timezone: utc, ..fleet.clone() };
    // Monday to the Monday after next: whatever starts on a Sunday has ended by then.
    let at = |day| date(2026, 6, day).to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    let (Ok(from), Ok(to)) = (at(1), at(15)) else { return found };
    let openings = openings_between(&plain, from, to);
    for boundary in openings.iter().map(|opening| opening.start).chain(openings.iter().map(|opening| opening.end)) {
        let open: Vec<Opening<'_>> = openings.iter().copied().filter(|opening| opening.contains(boundary)).collect();
        let key = GatewayState::new(&open).key;
        if found.iter().all(|state| state.key != key) {
            let windows = key.split('+').filter_map(|name| fleet.schedules.get(name)).collect();
            found.push(GatewayState { key, windows });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::{Weekday, Weekdays};
    use crate::schedule::fixture;
    use crate::testing;

    #[test]
    fn the_example_has_a_day_and_a_night() {
        let fleet = testing::example();
        let keys: Vec<String> = states(&fleet).into_iter().map(|state| state.key).collect();
        assert_eq!(keys, ["baseline", "night"]);
        let at = |text: &str| state_of(&fleet, text.parse().expect("a time")).key;
        assert_eq!(at("2026-11-23T12:00:00-05:00"), "baseline");
        assert_eq!(at("2026-11-23T00:30:00-05:00"), "night");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

        /// Whatever the hour of the year, also around changes of the clock, its state is among those that are rendered, with its routes.
        #[test]
        fn no_hour_has_a_state_of_its_own(
            windows in prop::collection::vec((0_u16..1_440, 0_u16..1_440, prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7)), 1..5),
            hours in prop::collection::vec(0_i64..8_760, 30),
        ) {
            let mut fleet = fixture::fleet("America/New_York");
            let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            for (place, (start, end, days)) in windows.into_iter().enumerate().filter(|(_, (start, end, _))| start != end) {
                let mut window = fixture::schedule(&format!("w{place}"), &["m0"], (&text(start), &text(end)), Weekdays::of(days), None);
                window.slots.push(fixture::rebinding(["s", "t"][place % 2], &[["a", "b", "c", "d"][place]]));
                fleet.schedules.insert(window);
            }
            let known = states(&fleet);
            let around_changes = ["2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"];
            let new_year: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
            let times = hours.into_iter().map(|hour| new_year + jiff::SignedDuration::from_hours(hour));
            for at in times.chain(around_changes.map(|text| text.parse().expect("a time"))) {
                let now = state_of(&fleet, at);
                let rendered = known.iter().find(|state| state.key == now.key);
                prop_assert!(rendered.is_some(), "{at}: {}", now.key);
                for slot in fleet.slots.iter() {
                    let bound = crate::schedule::bound_route(&fleet, slot, at);
                    prop_assert_eq!(rendered.map(|state| state.route(slot)), Some(bound.route), "{}", at);
                }
            }
        }
    }
}
