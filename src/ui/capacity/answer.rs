//! What the page is drawn of.

use crate::capacity::{Finding, MachineCapacity};
use crate::fleet::Fleet;

/// What `capacity` shows.
pub struct CapacityAnswer<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The machines asked about.
    pub machines: &'a [MachineCapacity],
    /// What is to be said of them.
    pub findings: &'a [Finding],
}
