//! What is said in words: the limit, where the numbers are from, headroom, what to lower, and why names alternate.

use crate::capacity::{Footprint, GpuLimitSource, LimitBy, MachineCapacity, Source, SwapSet, WindowCapacity};
use crate::fleet::{Bytes, Fleet, ServedName};
use crate::schedule::load_seconds;
use crate::ui::clock_face::seconds;

/// The limit, what sets it, and what the others would allow.
pub(super) fn limit(capacity: &MachineCapacity) -> String {
    let budget = &capacity.budget;
    let source = match budget.gpu.source {
        GpuLimitSource::Declared => "declared",
        GpuLimitSource::Set => "set on the machine",
        GpuLimitSource::Estimated => "macOS's default, estimated",
    };
    let limits = [
        (LimitBy::Omlx, budget.omlx.model, "what oMLX allows its models".to_owned()),
        (LimitBy::Process, budget.omlx.process, "what oMLX allows its process".to_owned()),
        (LimitBy::Gpu, Some(budget.gpu.bytes), format!("what the GPU may wire ({source})")),
    ];
    let decides = limits.iter().find(|(by, ..)| *by == budget.by).map_or("", |(.., whose)| whose);
    let others = limits.iter().filter(|(by, ..)| *by != budget.by);
    let others: Vec<String> =
        others.filter_map(|(_, limit, whose)| limit.map(|limit| format!("{whose} is {limit}"))).collect();
    format!("{}: {decides}; {}", budget.limit, others.join(", "))
}

/// Where the numbers of each name are from, and what the machine's own files say otherwise than declared.
pub(super) fn numbers(fleet: &Fleet, capacity: &MachineCapacity) -> String {
    let from = |footprint: &Footprint| match (footprint.shape_by, footprint.is_size_measured) {
        (Source::Measured, true) => "measured",
        (Source::Measured, false) => "size declared, shape measured",
        (Source::Catalogue, true) => "size measured, shape by the catalogue",
        (Source::Catalogue, false) => "size declared, shape by the catalogue",
        (Source::Declared, true) => "size measured, shape unknown",
        (Source::Declared, false) => "size declared, shape unknown",
    };
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for footprint in &capacity.footprints {
        let name = footprint.served.as_str();
        match groups.iter_mut().find(|(known, _)| *known == from(footprint)) {
            Some((_, names)) => names.push(name),
            None => groups.push((from(footprint), vec![name])),
        }
    }
    let mut said: Vec<String> = match groups.as_slice() {
        [(from, _)] => vec![(*from).to_owned()],
        _ => groups.iter().map(|(from, names)| format!("{from}: {}", names.join(", "))).collect(),
    };
    let mut told = Vec::new();
    for footprint in capacity.footprints.iter().filter(|footprint| footprint.is_size_measured) {
        let Some(weights) = fleet.weights.get(&footprint.weights).filter(|weights| !told.contains(&&weights.name))
        else {
            continue;
        };
        if weights.size.get().abs_diff(footprint.weights_bytes.get()) > weights.size.get() / 100 {
            said.push(format!("{} has {}, declared are {}", weights.name, footprint.weights_bytes, weights.size));
            told.push(&weights.name);
        }
    }
    said.join("; ")
}

/// What is left in each of the three ways to count.
pub(super) fn headroom(window: &WindowCapacity) -> String {
    let headroom = &window.headroom;
    format!(
        "load {} (the limit without weights and drafts), context {} (that without caches and scratch), system {}",
        signed(headroom.load),
        headroom.context.map_or_else(|| "not known".to_owned(), signed),
        headroom.system.map_or_else(|| "not asked".to_owned(), signed),
    )
}

fn signed(bytes: i64) -> String {
    let sign = if bytes < 0 { "−" } else { "" };
    format!("{sign}{}", Bytes(bytes.unsigned_abs()))
}

/// What to change where the residents' contexts do not fit: the names that declare more than they can have, by how much.
pub(super) fn too_long(capacity: &MachineCapacity, window: &WindowCapacity) -> Option<String> {
    window.headroom.context.filter(|left| *left < 0 && window.fits)?;
    let names: Vec<String> = window
        .resident
        .iter()
        .filter_map(|resident| {
            let declared = capacity.footprint(&resident.served)?.context;
            let largest = resident.largest_context.filter(|largest| *largest < declared)?;
            Some(format!("{} declares {declared} tokens and can have {largest}; ", resident.served))
        })
        .collect();
    Some(format!(
        "{}lower max_context_window or concurrency, keep fewer names resident{}",
        names.concat(),
        if capacity.budget.by == LimitBy::Gpu { ", or raise gpu_limit" } else { "" }
    ))
}

/// Why the names of a set alternate, and what each change costs.
pub(super) fn alternation(capacity: &MachineCapacity, window: &WindowCapacity, set: &SwapSet) -> String {
    let footprints: Vec<&Footprint> = set.names.iter().filter_map(|name| capacity.footprint(name)).collect();
    let is_resident = |name: &ServedName| window.resident.iter().any(|resident| resident.served == *name);
    let (stay, change): (Vec<&Footprint>, Vec<&Footprint>) =
        footprints.iter().copied().partition(|footprint| is_resident(&footprint.served));
    let beside: u64 = window
        .resident
        .iter()
        .filter(|resident| !set.names.contains(&resident.served))
        .filter_map(|resident| capacity.footprint(&resident.served))
        .map(|footprint| footprint.estimated.get())
        .fold(0, u64::saturating_add);
    let sum = footprints.iter().map(|footprint| footprint.estimated.get()).fold(beside, u64::saturating_add);
    let mut text = format!("{} do not fit together: {} of {}", list(&set.names), Bytes(sum), capacity.budget.limit);
    if beside > 0 {
        text = format!("{text}, with what else is resident");
    }
    let names =
        |of: &[&Footprint]| of.iter().map(|footprint| footprint.served.as_str()).collect::<Vec<_>>().join(" and ");
    if stay.is_empty() {
        text.push_str("; one of them is always out");
    } else if !change.is_empty() {
        text = format!(
            "{text}; {} can load only in the place of {}",
            names(&change),
            names(&stay).replace(" and ", " or ")
        );
    }
    let costs: Vec<String> = footprints
        .iter()
        .map(|footprint| {
            let bytes = Bytes(footprint.loaded_bytes());
            format!("{} {bytes} ({})", footprint.served, seconds(load_seconds(bytes)))
        })
        .collect();
    format!("{text}. To load: {}", costs.join(", "))
}

/// The names, with commas.
pub(super) fn list(names: &[ServedName]) -> String {
    names.iter().map(ServedName::as_str).collect::<Vec<_>>().join(", ")
}
