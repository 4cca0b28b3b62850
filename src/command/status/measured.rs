//! From what a machine was seen to hold to what capacity asks of it.

use crate::capacity::{Measured, MeasuredWeights, WeightsState};
use crate::fleet::{Bytes, Fleet, Machine};
use crate::observe::{self, Observed};
use crate::omlx::api::ModelsStatus;

/// Facts for capacity. Where oMLX says how large a model is, that counts before the probe's own sum: it is what oMLX does its arithmetic with
/// (1.05 times the safetensors; facts/omlx.md 6.1).
pub(crate) fn measured(
    fleet: &Fleet,
    machine: &Machine,
    observed: &Observed,
    models: Option<&ModelsStatus>,
) -> Measured {
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
            .filter_map(|served| models?.get(served.name.as_str())?.estimated_size)
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
