//! One time, with its open windows found once: for whoever asks about many slots or machines.

use jiff::Timestamp;

use super::state::{route_among, state_among};
use super::{BoundRoute, MachineState, Opening, next_boundary, open_windows};
use crate::fleet::{Fleet, Machine, Slot};

/// A fleet at a time.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    fleet: &'a Fleet,
    at: Timestamp,
    open: Vec<Opening<'a>>,
    next_boundary: Option<Timestamp>,
}

impl<'a> Moment<'a> {
    /// Finds the windows that are open at `at`.
    pub fn new(fleet: &'a Fleet, at: Timestamp) -> Self {
        Self { fleet, at, open: open_windows(fleet, at), next_boundary: next_boundary(fleet, at) }
    }

    /// The same windows at a later time; `None` once a boundary lies between.
    pub fn later(&self, at: Timestamp) -> Option<Self> {
        let is_between = at >= self.at && self.next_boundary.is_none_or(|boundary| at < boundary);
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
        self.next_boundary
    }

    /// See [`super::state_at`].
    pub fn state(&self, machine: &'a Machine) -> MachineState<'a> {
        state_among(self.fleet, machine, &self.open)
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
    fn a_later_moment_is_the_one_that_a_new_look_would_find() {
        let fleet = testing::example();
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let noon = Moment::new(&fleet, at("2026-11-23T12:00:00-05:00"));
        let same = |moment: &Moment<'_>, new: &Moment<'_>| {
            (moment.at, &moment.open, moment.next_boundary) == (new.at, &new.open, new.next_boundary)
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
