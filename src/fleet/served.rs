//! A served name: one weights directory under one profile, on some machines.

use std::time::Duration;

use super::{Keyed, MachineName, ProfileName, ServedName, WeightsName};

/// An entry of [serve].
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Its key in [serve]: the model id that clients type.
    pub name: ServedName,
    /// The weights.
    pub model: WeightsName,
    /// The profile.
    pub profile: ProfileName,
    /// The machines that serve it, in the order of the selectors, then as declared.
    pub on: Vec<MachineName>,
    /// The machines of `on` where it is resident outside every window: loaded at start, never evicted.
    pub resident_on: Vec<MachineName>,
    /// Unloaded after this idle time.
    pub ttl: Option<Duration>,
    /// Requests at full context that capacity reserves for.
    pub concurrency: u32,
}

impl Served {
    /// Whether the machine serves this name.
    pub fn is_on(&self, machine: &MachineName) -> bool {
        self.on.contains(machine)
    }

    /// Whether the name is resident on the machine outside every window.
    pub fn is_resident_on(&self, machine: &MachineName) -> bool {
        self.resident_on.contains(machine)
    }
}

impl Keyed for Served {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
