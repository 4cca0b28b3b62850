//! Which names each machine serves: found in one pass over [serve], because most rules ask it of every machine.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::{Declared, MachineName, Served};

/// For each machine, the places in [serve] of what it serves. Found when it is first asked for; a clone finds it anew, since its fleet may be changed.
#[derive(Default)]
pub struct Placement(OnceLock<ByMachine>);

#[derive(Default)]
struct ByMachine {
    served: HashMap<MachineName, Vec<usize>>,
    resident: HashMap<MachineName, Vec<usize>>,
}

impl Placement {
    /// The places of the names that a machine serves, in the order of declaration.
    pub(super) fn served(&self, served: &Declared<Served>, machine: &MachineName) -> &[usize] {
        self.found(served).served.get(machine).map_or(&[], Vec::as_slice)
    }

    /// The places of the names that are resident on a machine outside every window, in the order of declaration.
    pub(super) fn resident(&self, served: &Declared<Served>, machine: &MachineName) -> &[usize] {
        self.found(served).resident.get(machine).map_or(&[], Vec::as_slice)
    }

    fn found(&self, served: &Declared<Served>) -> &ByMachine {
        self.0.get_or_init(|| {
            let mut found = ByMachine::default();
            for (place, served) in served.iter().enumerate() {
                for machine in &served.on {
                    found.served.entry(machine.clone()).or_default().push(place);
                }
                for machine in &served.resident_on {
                    found.resident.entry(machine.clone()).or_default().push(place);
                }
            }
            found
        })
    }
}

impl Clone for Placement {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Placement {
    /// It follows from the fleet.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Placement")
    }
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn it_is_what_each_name_says() {
        let mut fleet = testing::example();
        for removed in [None, Some("embed-arctic")] {
            fleet = fleet.clone();
            fleet.served =
                fleet.served.iter().filter(|served| Some(served.name.as_str()) != removed).cloned().collect();
            for machine in fleet.machines.iter().map(|machine| &machine.name) {
                let on: Vec<_> = fleet.served.iter().filter(|served| served.is_on(machine)).collect();
                let resident: Vec<_> = fleet.served.iter().filter(|served| served.is_resident_on(machine)).collect();
                assert!(!on.is_empty());
                assert_eq!(fleet.served_on(machine).collect::<Vec<_>>(), on);
                assert_eq!(fleet.baseline_residents(machine).collect::<Vec<_>>(), resident);
            }
        }
    }
}
