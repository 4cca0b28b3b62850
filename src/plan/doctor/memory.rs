//! Wired memory that nobody owns, and a GPU limit that a boot forgets (omlx.md 9, #2184; docs/lints.md L13).

use serde_json::Value;

use super::{Examined, Finding, Mend, codes};
use crate::fleet::{Bytes, layout};

/// What macOS itself keeps wired at most on an idle machine, beside a sixteenth of its memory. A threshold of our own, set above the 2.4 GiB that the one real capture
/// of a 16 GB machine shows wired (facts/macos.md 3.4); no machine with more memory was seen idle.
const SYSTEM: u64 = 4 << 30;

pub(super) fn rules(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    wired(examined, all);
    gpu_limit(examined, all);
}

fn wired(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let observed = examined.observed;
    let (Some(wired), Some(memory)) = (observed.memory.wired, observed.hardware.memory) else { return };
    let system = SYSTEM.saturating_add(memory.get() / 16);
    let runs = observed.jobs.get(&layout::label("omlx")).is_some_and(|job| job.pid.is_some())
        || observed.foreign.iter().any(|foreign| foreign.pid.is_some());
    let held =
        observed.engine.models.got().and_then(|models| models.get("current_model_memory")).and_then(Value::as_u64);
    // A running oMLX also wires caches and scratch, which it does not count: a quarter of the memory is left to them.
    let (owned, allowed) = match (runs, held) {
        (false, _) => (0, system),
        (true, Some(held)) => (held, system.saturating_add(memory.get() / 4)),
        (true, None) => return,
    };
    let unowned = wired.get().saturating_sub(owned);
    if unowned <= allowed {
        return;
    }
    let by = if runs { format!("oMLX holds {}", Bytes(owned)) } else { "no oMLX runs".to_owned() };
    let is_locked = observed.checkup.as_ref().and_then(|checkup| checkup.filevault) == Some(true);
    let restart = if is_locked { "sudo fdesetup authrestart" } else { "sudo shutdown -r now" };
    all.push(
        Finding::new(
            &codes::WIRED_UNOWNED,
            format!("{wired} are wired and {by}: only a restart of the machine frees the rest"),
        )
        .mended(Mend::There(restart.to_owned())),
    );
}

fn gpu_limit(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let machine = examined.machine;
    let Some(set) = examined.observed.hardware.gpu_limit else { return };
    let has_daemon = examined.observed.jobs.contains_key(&layout::label("gpu-limit"));
    if has_daemon {
        return;
    }
    let (message, mend) = if machine.gpu_limit.is_some() {
        (
            format!("the GPU limit is {set} now, and no daemon sets it at a boot"),
            format!("fleetctl apply --on {}", machine.name),
        )
    } else {
        let mebibytes = set.get() >> 20;
        (
            format!(
                "the GPU limit is {set} now, set by hand; a boot forgets it. gpu_limit = \"{mebibytes}MB\" in [machines.{}] keeps it",
                machine.name
            ),
            "fleetctl edit".to_owned(),
        )
    };
    all.push(Finding::new(&codes::GPU_LIMIT_LOST, message).mended(Mend::Here(mend)));
}
