//! The bar of a window and what stands under it.

use crate::capacity::{Footprint, MachineCapacity, WindowCapacity};
use crate::fleet::Bytes;
use crate::ui::stacked_bar::{FREE, Part};

/// Weights, drafts, caches and states, scratch: what a bar is made of.
pub(super) fn parts(capacity: &MachineCapacity, window: &WindowCapacity) -> [(&'static str, Part); 4] {
    let sum = |of: fn(&Footprint) -> u64| {
        let residents = window.resident.iter().filter_map(|resident| capacity.footprint(&resident.served));
        residents.map(of).fold(0, u64::saturating_add)
    };
    let part = |name, sign, amount| (name, Part { sign, amount });
    [
        part("weights", '█', sum(|footprint| footprint.weights_bytes.get())),
        part("drafts", '▓', sum(|footprint| footprint.draft_bytes.get())),
        part(
            "caches",
            '▒',
            sum(|footprint| footprint.kv_bytes.unwrap_or(0).saturating_add(footprint.state_bytes.unwrap_or(0))),
        ),
        part("scratch", '░', window.scratch_bytes.unwrap_or(0)),
    ]
}

/// The signs of the bar, each with its amount.
pub(super) fn legend(parts: &[(&str, Part)], window: &WindowCapacity) -> String {
    let mut said: Vec<String> = parts
        .iter()
        .filter(|(_, part)| part.amount > 0)
        .map(|(name, part)| format!("{} {name} {}", part.sign, Bytes(part.amount)))
        .collect();
    match window.headroom.context {
        None => said.push("caches not known".to_owned()),
        Some(left) if left < 0 => said.push(format!("behind ┃ too much: {}", Bytes(left.unsigned_abs()))),
        Some(left) => said.push(format!("{FREE} free {}", Bytes(left.unsigned_abs()))),
    }
    said.join("  ")
}
