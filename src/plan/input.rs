//! What the planner is given.

use crate::fleet::{Fleet, Machine};
use crate::observe::Observed;
use crate::render::{Bundle, Values};

/// How the fleet file at hand stands to the one that was applied last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// No revision is known on one side: nothing can be said.
    Unknown,
    /// The same revision, or a descendant.
    Current,
    /// Its revision is an ancestor of the applied one (named): refused without `--allow-older`.
    Older(String),
}

/// Everything that decides the plan of one machine.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The machine.
    pub machine: &'a Machine,
    /// What it should hold.
    pub bundle: &'a Bundle,
    /// What it holds.
    pub observed: &'a Observed,
    /// What fills the holes. What holds a secret that is not among them is taken as it is found.
    pub values: &'a Values,
    /// The time: it decides which names are resident now.
    pub now: jiff::Timestamp,
    /// How the fleet file stands to the applied one.
    pub lineage: &'a Lineage,
    /// Whether an older fleet file may be applied.
    pub allow_older: bool,
}
