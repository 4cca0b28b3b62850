//! What status holds a machine against.

use jiff::Timestamp;

use crate::fleet::{Fleet, Machine};
use crate::render::Values;
use crate::schedule::Moment;

/// What a machine is held against.
pub(super) struct Declared<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) moment: &'a Moment<'a>,
    pub(super) now: Timestamp,
    /// The secrets at hand.
    pub(super) values: &'a Values,
}
