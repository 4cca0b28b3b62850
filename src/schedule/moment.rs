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
