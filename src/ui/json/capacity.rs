//! `fleetctl capacity --json`: `fleetctl.capacity/1`.

use serde::Serialize;

use crate::capacity::{Footprint, Headroom, Loadable, MachineCapacity, WindowCapacity};
use crate::fleet::ServedName;

/// The document.
#[derive(Debug, Serialize)]
pub struct CapacityDocument {
    schema: &'static str,
    machines: Vec<MachineEntry>,
}

#[derive(Debug, Serialize)]
struct MachineEntry {
    name: String,
    windows: Vec<WindowEntry>,
}

#[derive(Debug, Serialize)]
struct WindowEntry {
    name: Option<String>,
    limit_bytes: u64,
    limit_by: &'static str,
    resident: Vec<ResidentEntry>,
    scratch_bytes: Option<u64>,
    headroom: HeadroomEntry,
    fits: bool,
    loadable: Vec<LoadableEntry>,
    swap_sets: Vec<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct ResidentEntry {
    served: String,
    weights_bytes: u64,
    draft_bytes: u64,
    kv_bytes: Option<u64>,
    state_bytes: Option<u64>,
    source: &'static str,
}

/// The three headrooms, as `status` has them too.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "json.md's names")]
pub struct HeadroomEntry {
    load_bytes: i64,
    context_bytes: Option<i64>,
    system_bytes: Option<i64>,
}

#[derive(Debug, Serialize)]
struct LoadableEntry {
    served: String,
    fits: bool,
    largest_context_tokens: Option<u64>,
    evicts: Vec<String>,
}

impl CapacityDocument {
    /// The machines in the order given.
    pub fn new(machines: &[MachineCapacity]) -> Self {
        Self { schema: "fleetctl.capacity/1", machines: machines.iter().map(MachineEntry::new).collect() }
    }
}

impl MachineEntry {
    fn new(machine: &MachineCapacity) -> Self {
        let windows = machine.windows.iter().map(|window| WindowEntry::new(machine, window)).collect();
        Self { name: machine.machine.to_string(), windows }
    }
}

impl WindowEntry {
    fn new(machine: &MachineCapacity, window: &WindowCapacity) -> Self {
        let resident = window.resident.iter().filter_map(|resident| machine.footprint(&resident.served));
        Self {
            name: window.window.as_ref().map(ToString::to_string),
            limit_bytes: machine.budget.limit.get(),
            limit_by: machine.budget.by.as_str(),
            resident: resident.map(ResidentEntry::new).collect(),
            scratch_bytes: window.scratch_bytes,
            headroom: HeadroomEntry::new(window.headroom),
            fits: window.fits,
            loadable: window.loadable.iter().map(LoadableEntry::new).collect(),
            swap_sets: window.swap_sets.iter().map(|set| names(&set.names)).collect(),
        }
    }
}

impl ResidentEntry {
    fn new(footprint: &Footprint) -> Self {
        Self {
            served: footprint.served.to_string(),
            weights_bytes: footprint.weights_bytes.get(),
            draft_bytes: footprint.draft_bytes.get(),
            kv_bytes: footprint.kv_bytes,
            state_bytes: footprint.state_bytes,
            source: footprint.source.as_str(),
        }
    }
}

impl HeadroomEntry {
    /// Bytes; below 0 is too much, null is not known.
    pub fn new(headroom: Headroom) -> Self {
        Self { load_bytes: headroom.load, context_bytes: headroom.context, system_bytes: headroom.system }
    }
}

impl LoadableEntry {
    fn new(loadable: &Loadable) -> Self {
        Self {
            served: loadable.served.to_string(),
            fits: loadable.fits,
            largest_context_tokens: loadable.largest_context,
            evicts: names(&loadable.evicts),
        }
    }
}

fn names(names: &[ServedName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::assess;
    use crate::testing;

    #[test]
    fn the_document_of_a_machine() {
        let fleet = testing::example();
        let mini3 = assess(&fleet, fleet.machines.get("mac-mini3").expect("declared"), None);
        let document = serde_json::to_string_pretty(&CapacityDocument::new(&[mini3])).expect("a document");
        insta::assert_snapshot!(document, @r#"
        {
          "schema": "fleetctl.capacity/1",
          "machines": [
            {
              "name": "mac-mini3",
              "windows": [
                {
                  "name": null,
                  "limit_bytes": 54116587929,
                  "limit_by": "omlx",
                  "resident": [
                    {
                      "served": "dense-librarian",
                      "weights_bytes": 28991029248,
                      "draft_bytes": 0,
                      "kv_bytes": 1290797056,
                      "state_bytes": 153944064,
                      "source": "catalogue"
                    }
                  ],
                  "scratch_bytes": 12884901888,
                  "headroom": {
                    "load_bytes": 25125558681,
                    "context_bytes": 10795915673,
                    "system_bytes": null
                  },
                  "fits": true,
                  "loadable": [],
                  "swap_sets": []
                }
              ]
            }
          ]
        }
        "#);
    }
}
