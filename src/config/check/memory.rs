//! Will it fit: pinned sets, names that fit nowhere or not in some window, names that alternate. The arithmetic is `capacity`'s.

use std::ops::Range;

use super::values::Problems;
use super::view::View;
use crate::capacity::{Costs, Footprint, LimitBy, ResidentSet, estimated_sum, resident_sets, swap_sets};
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bytes, Machine, Served, ServedName};

/// A pinned set that cannot be loaded.
pub(crate) static PINNED_TOO_LARGE: Code = Code {
    id: "pinned-set-too-large",
    severity: Severity::Error,
    title: "a resident set above what its machine allows",
    explanation: "oMLX counts 1.05 times the size of each model. The names that are resident together must stay below the smaller of oMLX's \
                  limit for models (0.3.8: 0.9 × (RAM − a fifth of it, at least 2 and at most 8 GiB)) and the GPU limit (`gpu_limit`, else \
                  what macOS allows by default). Above it a pinned model does not load, or the machine swaps and may freeze. Caches and \
                  drafts come on top; `fleetctl capacity` shows them.",
};

/// A name that never loads.
pub(crate) static FITS_NOWHERE: Code = Code {
    id: "fits-nowhere",
    severity: Severity::Error,
    title: "a served name that fits in no window of any of its machines",
    explanation: "On none of the machines that serve it, neither outside the windows nor in one, is there room for 1.05 times its size beside \
                  what is resident there: every request for it would be answered with an error.",
};

/// A name that does not load in some window.
pub(crate) static NOT_IN_WINDOW: Code = Code {
    id: "cannot-load-in-window",
    severity: Severity::Warning,
    title: "a served name that cannot load in some window",
    explanation: "While the window is open, the resident names leave no room for 1.05 times its size. Requests for it then go to another \
                  machine or fail. That may be meant: a window often makes room for something else.",
};

/// Twins that push each other out.
pub(crate) static ALTERNATING: Code = Code {
    id: "names-alternate",
    severity: Severity::Warning,
    title: "two names of the same weights that will alternate",
    explanation: "In oMLX 0.3.8 a name has one profile, so two profiles of the same weights are two names and, loaded, two copies. There is no \
                  room for both: each request for the one unloads the other and loads its copy anew, at 1 to 2 seconds a GB. Make one of \
                  them resident and let the other's work wait for a window, use one profile for both, or serve them on two machines.",
};

/// A process limit that the GPU cannot honour.
pub(crate) static PROCESS_ABOVE_GPU: Code = Code {
    id: "process-limit-above-gpu-limit",
    severity: Severity::Warning,
    title: "a process limit above the GPU limit",
    explanation: "oMLX's limit for its process (automatic: RAM − a fifth of it, at least 2 and at most 8 GiB) is above what macOS lets the GPU \
                  wire by default. oMLX does not look at that limit: it would admit more than the GPU takes, and the machine swaps or \
                  freezes instead of refusing. Declare `gpu_limit` for the machine, or memory.max_process_memory in [omlx.settings].",
};

/// A GPU limit that starves macOS.
pub(crate) static GPU_LIMIT_TOO_HIGH: Code = Code {
    id: "gpu-limit-too-high",
    severity: Severity::Warning,
    title: "a GPU limit that leaves macOS too little",
    explanation: "macOS itself needs at least 4 GiB, or 8 % of the memory where that is more. With less left it freezes or panics instead of \
                  refusing an allocation.",
};

pub(crate) static CODES: [&Code; 6] =
    [&PINNED_TOO_LARGE, &FITS_NOWHERE, &NOT_IN_WINDOW, &ALTERNATING, &PROCESS_ABOVE_GPU, &GPU_LIMIT_TOO_HIGH];

/// A machine with its costs and resident sets, computed once for all rules.
pub(crate) struct Room<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) costs: Costs,
    pub(crate) sets: Vec<ResidentSet<'a>>,
}

impl<'a> Room<'a> {
    /// The rooms of all machines.
    pub(crate) fn all(view: View<'a>) -> Vec<Self> {
        let room = |machine| Room {
            machine,
            costs: Costs::of(view.fleet, machine, None),
            sets: resident_sets(view.fleet, machine),
        };
        view.fleet.machines.iter().map(room).collect()
    }

    /// Whether a resident set is too large by itself; then nothing is said of what does not fit beside it.
    pub(crate) fn is_too_large(&self, set: &ResidentSet<'_>) -> bool {
        estimated_sum(self.costs.of_set(set)) > self.costs.budget.pinned_limit()
    }

    /// Whether a name is loaded, or can be loaded, while a set is resident.
    pub(crate) fn holds(&self, set: &ResidentSet<'_>, served: &Served) -> bool {
        let Some(own) = self.costs.get(&served.name) else { return true };
        set.resident.iter().any(|resident| resident.name == served.name.engine())
            || self.costs.fit(self.costs.of_set(set).into_iter().chain([own]))
    }

    fn limit_text(&self) -> String {
        let budget = &self.costs.budget;
        match budget.by {
            LimitBy::Gpu => format!("the GPU limit is {}", budget.limit),
            LimitBy::Omlx => format!("oMLX's limit for models is {}", budget.limit),
            LimitBy::Process => format!("oMLX's limit for its process is {}", budget.limit),
        }
    }
}

/// All of them.
pub(crate) fn check(view: View<'_>, rooms: &[Room<'_>], problems: &mut Problems) {
    for room in rooms {
        let mut said = Vec::new();
        for set in &room.sets {
            pinned(view, room, set, problems);
            if !room.is_too_large(set) {
                alternating(view, room, set, &mut said, problems);
            }
        }
        limits(view, room, problems);
    }
    for served in view.fleet.served.iter().filter(|served| served.name.exposed_profile().is_none()) {
        everywhere(view, rooms, served, problems);
    }
}

/// `outside every window`, or `in the window night`.
pub(crate) fn when(set: &ResidentSet<'_>) -> String {
    set.window.map_or_else(|| "outside every window".to_owned(), |window| format!("in the window {}", window.name))
}

/// Where a resident set is declared: the window's `resident`, else that of the last of its names.
pub(crate) fn declared(view: View<'_>, set: &ResidentSet<'_>) -> Option<Range<usize>> {
    match set.window {
        Some(window) => view.raw_schedule(window.name.as_str())?.resident.as_ref().map(|list| list.span.clone()),
        None => set.resident.last().and_then(|served| view.resident(&served.name)),
    }
}

fn pinned(view: View<'_>, room: &Room<'_>, set: &ResidentSet<'_>, problems: &mut Problems) {
    if !room.is_too_large(set) {
        return;
    }
    let Some(span) = declared(view, set) else { return };
    let footprints = room.costs.of_set(set);
    let budget = &room.costs.budget;
    let limit = budget.pinned_limit();
    let which = if limit == budget.gpu.bytes { "the GPU limit" } else { "oMLX's limit" };
    let mut problem = Problem::at(
        &PINNED_TOO_LARGE,
        span,
        format!(
            "{} {}: the resident names need {}, and {which} is {limit}",
            room.machine.name,
            when(set),
            estimated_sum(footprints.iter().copied())
        ),
    )
    .label(sum_text(&footprints));
    if set.window.is_none() {
        for other in set.resident.iter().rev().skip(1) {
            if let Some(span) = view.resident(&other.name) {
                problem = problem.also(span, format!("{} is resident too", other.name));
            }
        }
    }
    problems.push(problem.help("keep fewer names resident there, or raise `gpu_limit` where that is what limits"));
}

/// `1.05 × (36.0 GiB + 27.0 GiB)`
fn sum_text(footprints: &[&Footprint]) -> String {
    const MOST: usize = 4;
    let mut sizes: Vec<String> =
        footprints.iter().take(MOST).map(|footprint| footprint.weights_bytes.to_string()).collect();
    if footprints.len() > MOST {
        sizes.push("…".to_owned());
    }
    if sizes.len() == 1 { format!("1.05 × {}", sizes[0]) } else { format!("1.05 × ({})", sizes.join(" + ")) }
}

/// A name in every window of every machine that serves it.
fn everywhere(view: View<'_>, rooms: &[Room<'_>], served: &Served, problems: &mut Problems) {
    // Rooms stand in the order of the machines, and so do those of a name.
    let mut places: Vec<usize> = served.on.iter().filter_map(|name| view.fleet.machines.position(name)).collect();
    places.sort_unstable();
    let own: Vec<&Room<'_>> = places.into_iter().filter_map(|place| rooms.get(place)).collect();
    let sets = || own.iter().flat_map(|room| room.sets.iter().map(move |set| (*room, set)));
    // What a set that is too large by itself leaves is not known before that is mended.
    if own.is_empty() || own.len() != served.on.len() || sets().any(|(room, set)| room.is_too_large(set)) {
        return;
    }
    let place = view.raw_serve(served.name.as_str()).and_then(|raw| raw.on.as_ref()).map(|on| on.span.clone());
    let Some(place) = place else { return };
    if sets().all(|(room, set)| !room.holds(set, served)) {
        let largest = own.iter().max_by_key(|room| room.costs.budget.limit);
        let Some(room) = largest else { return };
        let need = room.costs.get(&served.name).map_or(Bytes(0), |footprint| footprint.estimated);
        let residents = room.sets.iter().map(|set| estimated_sum(room.costs.of_set(set)));
        let beside = match residents.min() {
            Some(taken) if taken > Bytes(0) => format!(", of which its residents take {taken}"),
            _ => String::new(),
        };
        problems.push(
            Problem::at(
                &FITS_NOWHERE,
                place,
                format!(
                    "{} needs {need} and fits on none of its machines: on {} {}{beside}",
                    served.name,
                    room.machine.name,
                    room.limit_text()
                ),
            )
            .help("serve it on a machine with more memory, make room for it in a window, or choose smaller weights"),
        );
        return;
    }
    for (room, set) in sets().filter(|(room, set)| !room.holds(set, served)) {
        let Some(span) = declared(view, set) else { continue };
        let problem = Problem::at(
            &NOT_IN_WINDOW,
            span,
            format!("{} {}: there is no room to load {}", room.machine.name, when(set), served.name),
        )
        .label(room.limit_text());
        problems.push(problem.also(place.clone(), format!("{} is served there", served.name)));
    }
}

/// Names of the same weights, both on demand, of which one is always out. A pair is said once a machine.
fn alternating(
    view: View<'_>,
    room: &Room<'_>,
    set: &ResidentSet<'_>,
    said: &mut Vec<(ServedName, ServedName)>,
    problems: &mut Problems,
) {
    let resident = room.costs.of_set(set);
    let on_demand = |footprint: &&Footprint| !resident.iter().any(|other| other.served == footprint.served);
    for swap in swap_sets(&room.costs, &resident) {
        let names: Vec<&Footprint> =
            swap.names.iter().filter_map(|name| room.costs.get(name)).filter(on_demand).collect();
        let twins = names.iter().enumerate().find_map(|(at, second)| {
            names[..at].iter().find(|first| first.weights == second.weights).map(|first| (*first, *second))
        });
        let Some((first, second)) = twins else { continue };
        let pair = (first.served.clone(), second.served.clone());
        if said.contains(&pair) {
            continue;
        }
        said.push(pair);
        let model = |footprint: &Footprint| {
            view.raw_serve(footprint.served.as_str()).and_then(|raw| raw.model.as_ref()).map(|model| model.span.clone())
        };
        let Some(span) = model(second) else { continue };
        let mut problem = Problem::at(
            &ALTERNATING,
            span,
            format!(
                "{} {}: {} and {} are two copies of {} and will alternate",
                room.machine.name,
                when(set),
                first.served,
                second.served,
                first.weights
            ),
        )
        .label(room.limit_text());
        if let Some(span) = model(first) {
            problem = problem.also(span, "the other copy");
        }
        problems.push(
            problem.help("serve them on two machines or under one profile, or let windows decide which is resident"),
        );
    }
}

fn limits(view: View<'_>, room: &Room<'_>, problems: &mut Problems) {
    let name = &room.machine.name;
    let raw = view.raw.machines.as_ref().and_then(|machines| machines.get(name.as_str()));
    let Some(raw) = raw else { return };
    let gpu = room.costs.budget.gpu.bytes;
    if let Some(process) = room.costs.budget.omlx.process.filter(|process| *process > gpu) {
        let setting = [raw.omlx.as_ref(), view.raw.omlx.as_ref()].into_iter().flatten().find_map(|omlx| {
            match &omlx.settings.as_ref()?.get("memory")?.value {
                crate::config::node::Value::Table(memory) => {
                    memory.get("max_process_memory").map(|entry| entry.node.span.clone())
                }
                _ => None,
            }
        });
        let place = setting
            .or_else(|| raw.gpu_limit.as_ref().map(|limit| limit.span.clone()))
            .or_else(|| raw.memory.as_ref().map(|memory| memory.span.clone()));
        if let Some(place) = place {
            problems.push(
                Problem::at(
                    &PROCESS_ABOVE_GPU,
                    place,
                    format!("{name}: oMLX allows its process {process}, and the GPU limit is {gpu}"),
                )
                .help(if raw.gpu_limit.is_some() {
                    "raise `gpu_limit`, or declare a lower memory.max_process_memory in [omlx.settings]"
                } else {
                    "declare `gpu_limit`, or a lower memory.max_process_memory in [omlx.settings]"
                }),
            );
        }
    }
    let highest = crate::capacity::highest_gpu_limit(room.machine.memory);
    if let (Some(limit), Some(leaf)) = (room.machine.gpu_limit, &raw.gpu_limit)
        && limit > highest
    {
        problems.push(
            Problem::at(
                &GPU_LIMIT_TOO_HIGH,
                leaf.span.clone(),
                format!("{name}: a GPU limit of {limit} leaves macOS too little of {}", room.machine.memory),
            )
            .help(format!("at most {highest}")),
        );
    }
}
