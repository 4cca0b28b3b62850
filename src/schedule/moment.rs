//! One time, with its open windows found once: for whoever asks about many slots or machines.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};

use super::state::{deciding, route_among, states_among};
use super::{BoundRoute, MachineState, Opening, next_boundary, open_windows};
use crate::fleet::{Fleet, Machine, Schedule, Served, Slot};

/// A fleet at a time. What only some askers want is found when the first of them asks.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    fleet: &'a Fleet,
    at: Timestamp,
    open: Vec<Opening<'a>>,
    next_boundary: OnceLock<Option<Timestamp>>,
    states: Arc<OnceLock<HashMap<&'a str, MachineState<'a>>>>,
}

impl<'a> Moment<'a> {
    /// Finds the windows that are open at `at`.
    pub fn new(fleet: &'a Fleet, at: Timestamp) -> Self {
        Self::with_open(fleet, at, open_windows(fleet, at))
    }

    /// The same for one of many times of a period, whose openings ([`super::openings_between`]) were found once.
    pub fn among(fleet: &'a Fleet, at: Timestamp, openings: &[Opening<'a>]) -> Self {
        // They stand in the order of their starts, and none lasts two days.
        let earliest = at.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
        let first = openings.partition_point(|opening| opening.start < earliest);
        let started = openings[first..].iter().take_while(|opening| opening.start <= at);
        Self::with_open(fleet, at, started.copied().filter(|opening| opening.contains(at)).collect())
    }

    fn with_open(fleet: &'a Fleet, at: Timestamp, open: Vec<Opening<'a>>) -> Self {
        Self { fleet, at, open, next_boundary: OnceLock::new(), states: Arc::default() }
    }

    /// The same windows at a later time; `None` once a boundary lies between.
    pub fn later(&self, at: Timestamp) -> Option<Self> {
        let is_between = at >= self.at && self.next_boundary().is_none_or(|boundary| at < boundary);
        is_between.then(|| Self { at, ..self.clone() })
    }

    /// The fleet.
    pub fn fleet(&self) -> &'a Fleet {
        self.fleet
    }

    /// The time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The windows open, the latest started last.
    pub fn open(&self) -> &[Opening<'a>] {
        &self.open
    }

    /// See [`next_boundary`].
    pub fn next_boundary(&self) -> Option<Timestamp> {
        *self.next_boundary.get_or_init(|| next_boundary(self.fleet, self.at))
    }

    /// The open window that decides the machine's resident set; `None` is the baseline.
    pub fn window(&self, machine: &Machine) -> Option<&'a Schedule> {
        deciding(machine, &self.open).map(|(schedule, _)| schedule)
    }

    /// See [`super::state_at`]; a machine of another fleet keeps nothing loaded.
    pub fn state(&self, machine: &Machine) -> MachineState<'a> {
        self.known(machine).cloned().unwrap_or(MachineState { window: None, resident: Vec::new() })
    }

    /// Whether the engine that answers for the name is resident on a machine of the fleet.
    pub fn is_resident(&self, machine: &Machine, served: &Served) -> bool {
        let engine = served.name.engine();
        self.known(machine).is_some_and(|state| state.resident.iter().any(|resident| resident.name == engine))
    }

    fn known(&self, machine: &Machine) -> Option<&MachineState<'a>> {
        self.states.get_or_init(|| states_among(self.fleet, &self.open)).get(machine.name.as_str())
    }

    /// See [`super::bound_route`].
    pub fn route(&self, slot: &'a Slot) -> BoundRoute<'a> {
        route_among(slot, &self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_moment_among_the_openings_of_a_period_is_the_one_that_a_new_look_would_find() {
        let fleet = testing::example();
        let monday: Timestamp = "2026-03-02T00:00:00-05:00".parse().expect("a time");
        let at = |hours: i64| monday + SignedDuration::from_hours(hours);
        let openings = crate::schedule::openings_between(&fleet, monday, at(14 * 24));
        for moment in (0..14 * 24).map(|hours| Moment::among(&fleet, at(hours), &openings)) {
            assert_eq!(moment.open, Moment::new(&fleet, moment.at).open, "{}", moment.at);
        }
    }

    #[test]
    fn a_later_moment_is_the_one_that_a_new_look_would_find() {
        let fleet = testing::example();
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let noon = Moment::new(&fleet, at("2026-11-23T12:00:00-05:00"));
        let same = |moment: &Moment<'_>, new: &Moment<'_>| {
            (moment.at, &moment.open, moment.next_boundary()) == (new.at, &new.open, new.next_boundary())
        };
        for text in ["2026-11-23T12:00:00-05:00", "2026-11-24T00:29:59-05:00"] {
            let later = noon.later(at(text)).expect("no boundary between");
            assert!(same(&later, &Moment::new(&fleet, at(text))), "{text}");
        }
        for text in ["2026-11-23T11:59:59-05:00", "2026-11-24T00:30:00-05:00", "2026-12-01T12:00:00-05:00"] {
            assert!(noon.later(at(text)).is_none(), "{text}");
        }
    }
}
