//! The answer of the resolver.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Reason;
use crate::fleet::{Bytes, Machine, Schedule, Served, ServedName, Slot};

/// A load that a request to the chosen name would wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct Load<'a> {
    /// The name.
    pub served: &'a ServedName,
    /// Where.
    pub machine: &'a Machine,
    /// Bytes to read: weights and drafts, as declared.
    pub bytes: Bytes,
    /// A rough estimate, seconds.
    pub seconds: f64,
}

/// Where the slot goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<'a> {
    /// The name.
    pub served: &'a Served,
    /// The machine.
    pub machine: &'a Machine,
    /// The rank in the route in force, from 0.
    pub rank: usize,
    /// The place within the rank, from 0: what a cursor is advanced by.
    pub place: usize,
    /// `http://HOST:PORT/v1`.
    pub base_url: String,
    /// Why the answer is less than the first choice; `None` when it is not.
    pub degraded: Option<String>,
    /// What a request must carry.
    pub overlay: Map<String, Value>,
    /// What must be loaded first.
    pub loads: Vec<Load<'a>>,
}

/// A candidate that was not chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected<'a> {
    /// The name.
    pub served: &'a Served,
    /// The machine.
    pub machine: &'a Machine,
    /// The rank in the route in force; for [`Reason::Window`] in the slot's own route.
    pub rank: usize,
    /// Why.
    pub reason: Reason,
    /// What came back from the machine, where that says more.
    pub detail: Option<String>,
}

/// How a slot is (json.md, status and simulate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotState {
    /// No candidate.
    Down,
    /// Answered by another model than the first choice.
    Degraded,
    /// Answered as declared.
    Ok,
}

impl SlotState {
    /// As JSON documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Ok => "ok",
        }
    }
}

/// The answer for one slot at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution<'a> {
    /// The slot.
    pub slot: &'a Slot,
    /// The time it was asked for.
    pub at: Timestamp,
    /// The open window whose route is in force; `None` is the slot's own.
    pub window: Option<&'a Schedule>,
    /// Where it goes; `None` when nobody can answer.
    pub choice: Option<Choice<'a>>,
    /// Why, in words.
    pub reason: String,
    /// Every other candidate, rank by rank.
    pub rejected: Vec<Rejected<'a>>,
    /// Until when the answer may be kept; `None` for ever, as far as the fleet file says.
    pub valid_until: Option<Timestamp>,
}

impl Resolution<'_> {
    /// How the slot is.
    pub fn state(&self) -> SlotState {
        match &self.choice {
            None => SlotState::Down,
            Some(choice) if choice.degraded.is_some() => SlotState::Degraded,
            Some(_) => SlotState::Ok,
        }
    }
}
