//! What the resolver service knows: the fleet, a warm snapshot, whose turn it is, what it has counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::clock::Clock;
use crate::fleet::{Fleet, MachineName, Slot};
use crate::schedule::Moment;
use crate::slot::{self, Cursor, LEASE, MachineHealth, Resolution, Snapshot};
use crate::ui::SlotCounters;

/// Shared by the probers, which write the snapshot, and the answers, which read it.
pub(super) struct Service {
    /// Lives as long as the process, so that a moment that borrows it can be kept.
    fleet: &'static Fleet,
    clock: Clock,
    /// The windows as last found: finding them is most of what an answer would cost, and holds until the next boundary.
    moment: RwLock<Moment<'static>>,
    snapshot: RwLock<Snapshot>,
    /// By slot, in the order of declaration.
    turns: Vec<Turn>,
}

#[derive(Default)]
struct Turn {
    cursor: Mutex<Cursor>,
    answered: AtomicU64,
    without_candidate: AtomicU64,
}

impl Service {
    pub(super) fn new(fleet: Fleet, clock: Clock) -> Self {
        let snapshot = Snapshot { taken_at: clock.now(), lease: Some(LEASE), machines: BTreeMap::new() };
        let turns = fleet.slots.iter().map(|_| Turn::default()).collect();
        let fleet: &'static Fleet = Box::leak(Box::new(fleet));
        let moment = RwLock::new(Moment::new(fleet, clock.now()));
        Self { fleet, clock, moment, snapshot: RwLock::new(snapshot), turns }
    }

    pub(super) fn fleet(&self) -> &Fleet {
        self.fleet
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The fleet now.
    fn moment(&self) -> Moment<'static> {
        let now = self.clock.now();
        let known = self.moment.read().unwrap_or_else(PoisonError::into_inner).later(now);
        known.unwrap_or_else(|| {
            let found = Moment::new(self.fleet, now);
            *self.moment.write().unwrap_or_else(PoisonError::into_inner) = found.clone();
            found
        })
    }

    /// Publishes what is believed of a machine.
    pub(super) fn publish(&self, machine: &MachineName, health: MachineHealth) {
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        snapshot.machines.insert(machine.clone(), health);
    }

    pub(super) fn snapshot(&self) -> RwLockReadGuard<'_, Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every machine has been asked at least once.
    pub(super) fn is_warm(&self) -> bool {
        self.snapshot().machines.len() == self.fleet.machines.len()
    }

    /// Answers for a slot, and takes its turn.
    pub(super) fn resolve<T>(&self, slot: &str, then: impl FnOnce(&Resolution<'_>) -> T) -> Option<T> {
        let turn = self.turns.get(self.fleet.slots.position(slot)?)?;
        let slot = self.fleet.slots.get(slot)?;
        let snapshot = self.snapshot();
        let moment = self.moment();
        let mut cursor = lock(&turn.cursor);
        let resolution = slot::resolve_in(&moment, slot, &snapshot, &cursor);
        let counter = match &resolution.choice {
            Some(choice) => {
                cursor.advance(choice.rank, choice.place);
                &turn.answered
            }
            None => &turn.without_candidate,
        };
        drop(cursor);
        counter.fetch_add(1, Ordering::Relaxed);
        Some(then(&resolution))
    }

    /// Every slot as it would be answered now; takes nobody's turn.
    pub(super) fn look<T>(&self, mut then: impl FnMut(&Resolution<'_>, SlotCounters) -> T) -> Vec<T> {
        let snapshot = self.snapshot();
        let moment = self.moment();
        let look = |(slot, turn): (&Slot, &Turn)| {
            let slot = self.fleet.slots.get(&slot.name)?;
            let cursor = lock(&turn.cursor).clone();
            let counters = SlotCounters {
                answered: turn.answered.load(Ordering::Relaxed),
                without_candidate: turn.without_candidate.load(Ordering::Relaxed),
            };
            Some(then(&slot::resolve_in(&moment, slot, &snapshot, &cursor), counters))
        };
        self.fleet.slots.iter().zip(&self.turns).filter_map(look).collect()
    }
}

/// A panic while the lock was held can have left at most an old turn behind.
fn lock(cursor: &Mutex<Cursor>) -> MutexGuard<'_, Cursor> {
    cursor.lock().unwrap_or_else(PoisonError::into_inner)
}
