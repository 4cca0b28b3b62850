//! From what a machine was seen to hold to what capacity asks of it, and what that changes.

use crate::capacity::{self, MachineCapacity, Measured, MeasuredWeights, WeightsState};
use crate::fleet::{Bytes, Fleet, Machine};
use crate::observe::{self, Observed};
use crate::omlx::api::ModelsStatus;

/// Facts for capacity. Where oMLX says how large a model is, that counts before the probe's own sum: it is what oMLX does its arithmetic with
/// (1.05 times the safetensors; facts/omlx.md 6.1).
pub fn measured(fleet: &Fleet, machine: &Machine, observed: &Observed) -> Measured {
    let models: Option<ModelsStatus> =
        observed.engine.models.got().and_then(|value| serde_json::from_value(value.clone()).ok());
    let mut measured = Measured {
        ram: observed.hardware.memory,
        gpu_wired_limit: observed.hardware.gpu_limit.or(observed.hardware.memory.map(|_| Bytes(0))),
        available: observed.memory.available,
        ..Measured::default()
    };
    for weights in fleet.weights.iter() {
        let Some(fact) = observed.weights.get(&Fleet::weights_path(machine, weights)) else { continue };
        let served = fleet.served_on(&machine.name).filter(|served| served.model == weights.name);
        let counted = served
            .filter_map(|served| models.as_ref()?.get(served.name.as_str())?.estimated_size)
            .max()
            .map(|estimated| Bytes(estimated / 105 * 100 + estimated % 105 * 100 / 105));
        let state = match fact.state {
            observe::WeightsState::Complete => WeightsState::Present,
            observe::WeightsState::Incomplete | observe::WeightsState::Broken => WeightsState::Incomplete,
            observe::WeightsState::Missing => WeightsState::Missing,
        };
        let entry = MeasuredWeights { bytes: counted.or(fact.bytes.map(Bytes)), config: fact.config.clone(), state };
        measured.weights.insert(weights.name.clone(), entry);
    }
    measured
}

/// What the machine's own sizes, shapes and limits say and the declared ones do not: sets that do not fit, contexts without room, names that cannot load.
pub(super) fn surprises(fleet: &Fleet, machine: &Machine, observed: &Observed) -> Vec<String> {
    let measured = measured(fleet, machine, observed);
    let (declared, found) = (capacity::assess(fleet, machine, None), capacity::assess(fleet, machine, Some(&measured)));
    let mut said = Vec::new();
    for (declared, now) in declared.windows.iter().zip(&found.windows) {
        let when = now.window.as_ref().map_or_else(String::new, |window| format!(" in the window {window}"));
        if declared.fits && !now.fits {
            let names = now.resident.iter().map(|resident| resident.served.as_str());
            said.push(format!(
                "by the sizes on the machine the resident names{when} ({}) do not fit: {} of {}; fleetctl capacity --measured shows the sum",
                names.collect::<Vec<_>>().join(", "),
                residents(&found, now),
                found.budget.limit,
            ));
            continue;
        }
        let short = |left: Option<i64>| left.filter(|left| *left < 0);
        if let (None, Some(missing)) = (short(declared.headroom.context), short(now.headroom.context)) {
            said.push(format!(
                "by the sizes on the machine {} are missing{when} for the contexts that the residents declare",
                Bytes(missing.unsigned_abs())
            ));
        }
        for (declared, now) in declared.loadable.iter().zip(&now.loadable) {
            if declared.fits && !now.fits {
                said.push(format!("by the sizes on the machine {} cannot load{when}: there is no room", now.served));
            }
        }
    }
    said
}

fn residents(capacity: &MachineCapacity, window: &capacity::WindowCapacity) -> Bytes {
    capacity::estimated_sum(window.resident.iter().filter_map(|resident| capacity.footprint(&resident.served)))
}
