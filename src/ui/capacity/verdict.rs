//! The first lines: will it fit, on which machines not, and why.

use super::answer::CapacityAnswer;
use super::sentences::list;
use crate::capacity::{MachineCapacity, WindowCapacity};
use crate::fleet::{Bytes, ServedName};
use crate::ui::{Tone, plural};

/// So many machines are told with their reason; more nobody takes in at once.
const TOLD: usize = 3;

/// The answer in a line or two.
pub(super) struct Verdict {
    pub(super) tone: Tone,
    /// `does not fit`, and behind it which machines, and why.
    pub(super) word: &'static str,
    pub(super) text: String,
}

/// What does not fit, and then, or else, whose contexts do not; where all does, what it costs: names that alternate.
pub(super) fn verdicts(answer: &CapacityAnswer<'_>) -> Vec<Verdict> {
    let too_large = told(answer.machines, too_large);
    let too_long = told(answer.machines, contexts);
    let mut all = Vec::new();
    all.extend(too_large.map(|text| Verdict { tone: Tone::Bad, word: "does not fit", text }));
    let word = if all.is_empty() { "fits, but contexts do not" } else { "contexts do not fit" };
    all.extend(too_long.map(|text| Verdict { tone: Tone::Warn, word, text }));
    if all.is_empty() {
        let mut text = plural(answer.machines.len(), "machine");
        let alternate = |machine: &&MachineCapacity| machine.windows.iter().any(|window| !window.swap_sets.is_empty());
        let names: Vec<&str> =
            answer.machines.iter().filter(alternate).map(|machine| machine.machine.as_str()).collect();
        if !names.is_empty() {
            text = format!("{text}; names alternate on {}", names.join(", "));
        }
        all.push(Verdict { tone: Tone::Good, word: "fits", text });
    }
    all
}

/// `mac-a (why), mac-b (why) and 2 more`; nothing where no machine has a reason.
fn told(machines: &[MachineCapacity], why: fn(&MachineCapacity) -> Option<String>) -> Option<String> {
    let all: Vec<String> =
        machines.iter().filter_map(|machine| Some(format!("{} ({})", machine.machine, why(machine)?))).collect();
    let more = all.len().saturating_sub(TOLD);
    let told = all.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    let told = if more == 0 { told } else { format!("{told} and {more} more") };
    (!all.is_empty()).then_some(told)
}

/// Residents above the limit; else names that find room in no window of this machine.
fn too_large(capacity: &MachineCapacity) -> Option<String> {
    let limit = capacity.budget.limit;
    if let Some(window) = capacity.windows.iter().find(|window| !window.fits) {
        let who = match window.resident.as_slice() {
            [one] => format!("{} takes", one.served),
            many => format!("{} residents take", many.len()),
        };
        return Some(format!("{who} {} of {limit}{}", taken(capacity, window, None), during(window)));
    }
    let never = |name: &&ServedName| {
        capacity.windows.iter().all(|window| window.loadable.iter().any(|one| one.served == **name && !one.fits))
    };
    let all: Vec<&ServedName> = capacity.footprints.iter().map(|footprint| &footprint.served).filter(never).collect();
    let first = all.first()?;
    // Beside the residents that leave it the most room.
    let window = capacity.windows.iter().min_by_key(|window| taken(capacity, window, None).get())?;
    let names: Vec<ServedName> = all.iter().map(|name| (*name).clone()).collect();
    Some(format!(
        "no room for {}: {} names take {} of {limit}",
        list(&names),
        window.resident.len() + 1,
        taken(capacity, window, Some(first))
    ))
}

/// The window whose residents' contexts are the furthest beyond the limit.
fn contexts(capacity: &MachineCapacity) -> Option<String> {
    let short = |window: &WindowCapacity| window.headroom.context.filter(|left| *left < 0 && window.fits);
    let all = capacity.windows.iter().filter_map(|window| Some((short(window)?, window)));
    let (left, window) = all.min_by_key(|(left, _)| *left)?;
    Some(format!("{} too much{}", Bytes(left.unsigned_abs()), during(window)))
}

fn during(window: &WindowCapacity) -> String {
    window.window.as_ref().map_or_else(String::new, |name| format!(" in window {name}"))
}

/// What the residents of a window take by oMLX's own count, and another name beside them.
fn taken(capacity: &MachineCapacity, window: &WindowCapacity, beside: Option<&ServedName>) -> Bytes {
    let names = window.resident.iter().map(|resident| &resident.served).chain(beside);
    let sizes = names.filter_map(|name| capacity.footprint(name)).map(|footprint| footprint.estimated.get());
    Bytes(sizes.fold(0, u64::saturating_add))
}
