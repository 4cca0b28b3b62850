//! Room for context: caches, scratch and drafts beside the weights; and what the arithmetic assumed.

use std::collections::BTreeSet;

use super::memory::{Room, when};
use super::values::Problems;
use super::view::View;
use crate::capacity::{self, Footprint, ResidentSet, Source};
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bytes, WeightsName};

/// Weights fit, context does not.
pub(crate) static NO_ROOM_FOR_CONTEXT: Code = Code {
    id: "no-room-for-context",
    severity: Severity::Warning,
    title: "a name that fits only without room for its declared context",
    explanation: "The weights fit, but not together with what requests of the declared length need: drafts, KV cache and recurrent state at \
                  max_context_window × concurrency, and the scratch of one prefill chunk, within 95 % of the limit. A prompt of that \
                  length is refused or aborts others. Lower max_context_window or concurrency, store the cache smaller \
                  (turboquant_kv_enabled), raise `gpu_limit`, or keep less resident. `fleetctl capacity` shows every term and the \
                  largest context.",
};

/// A draft beside the count.
pub(crate) static DRAFT_NOT_COUNTED: Code = Code {
    id: "draft-not-counted",
    severity: Severity::Warning,
    title: "a draft that oMLX does not count",
    explanation: "oMLX's limit counts the weights of models, not the drafts that a profile loads beside them. fleetctl's headroom counts them; \
                  oMLX will admit that much too much.",
};

/// What capacity assumed.
pub(crate) static ASSUMED: Code = Code {
    id: "capacity-assumed",
    severity: Severity::Note,
    title: "what the memory arithmetic assumed of weights",
    explanation: "Without a network the size of weights is the declared one, and their shape (layers, heads, state) that of the catalogue's \
                  entry whose name their directory holds. Without an entry nothing is known of their cache: room for context is then not \
                  checked. `fleetctl capacity --measured` uses the files on the machines.",
};

pub(crate) static CODES: [&Code; 3] = [&NO_ROOM_FOR_CONTEXT, &DRAFT_NOT_COUNTED, &ASSUMED];

/// All of them.
pub(crate) fn check(view: View<'_>, rooms: &[Room<'_>], problems: &mut Problems) {
    for room in rooms {
        for set in room.sets.iter().filter(|set| !room.is_too_large(set)) {
            contexts(view, room, set, problems);
        }
    }
    drafts(view, problems);
    assumptions(view, rooms, problems);
}

/// Weights, drafts, caches and states of what is loaded together, and the largest scratch. What is not known of a shape counts as nothing, so this
/// is what is needed at least.
fn needed(loaded: &[&Footprint]) -> Bytes {
    let each = |footprint: &&Footprint| {
        let caches = footprint.kv_bytes.unwrap_or(0).saturating_add(footprint.state_bytes.unwrap_or(0));
        footprint.loaded_bytes().saturating_add(caches)
    };
    let scratch = loaded.iter().filter_map(|footprint| footprint.scratch_bytes).max().unwrap_or(0);
    Bytes(loaded.iter().map(each).fold(scratch, u64::saturating_add))
}

/// The resident set as a whole; and, where that is sound, each other name beside it.
fn contexts(view: View<'_>, room: &Room<'_>, set: &ResidentSet<'_>, problems: &mut Problems) {
    let resident = room.costs.of_set(set);
    let usable = Bytes(capacity::usable(room.costs.budget.limit));
    let need = needed(&resident);
    if need > usable {
        let hungriest = resident.iter().max_by_key(|footprint| {
            footprint.kv_bytes.unwrap_or(0).saturating_add(footprint.scratch_bytes.unwrap_or(0))
        });
        if let Some(footprint) = hungriest {
            let subject = if let [_] = resident.as_slice() {
                format!("{} needs", footprint.served)
            } else {
                "the resident names need".to_owned()
            };
            say(view, room, set, footprint, &subject, need, usable, problems);
        }
        return;
    }
    let others = room.costs.footprints.iter().filter(|footprint| {
        !resident.iter().any(|other| other.served == footprint.served)
            && room.costs.fit(resident.iter().copied().chain([*footprint]))
    });
    for footprint in others {
        let mut loaded = resident.clone();
        loaded.push(footprint);
        let need = needed(&loaded);
        if need > usable {
            let subject = if resident.is_empty() {
                format!("{} needs", footprint.served)
            } else {
                format!("{} and what is resident need", footprint.served)
            };
            say(view, room, set, footprint, &subject, need, usable, problems);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the words of one message")]
fn say(
    view: View<'_>,
    room: &Room<'_>,
    set: &ResidentSet<'_>,
    footprint: &Footprint,
    subject: &str,
    need: Bytes,
    usable: Bytes,
    problems: &mut Problems,
) {
    let profile = view.fleet.profile_of(&footprint.served);
    let window = profile.and_then(|profile| view.field(&profile.name, "max_context_window"));
    let raw = view.raw_serve(footprint.served.as_str());
    let place = window
        .or_else(|| raw?.concurrency.as_ref().map(|leaf| leaf.span.clone()))
        .or_else(|| raw?.on.as_ref().map(|on| on.span.clone()));
    let Some(place) = place else { return };
    let requests = match footprint.concurrency {
        1 => String::new(),
        many => format!(", {many} requests at once"),
    };
    problems.push(
        Problem::at(
            &NO_ROOM_FOR_CONTEXT,
            place,
            format!(
                "{} {}: {subject} {need} with their context, of {usable} that can be used",
                room.machine.name,
                when(set)
            ),
        )
        .label(format!("{} tokens for {}{requests}", footprint.context, footprint.served))
        .help("lower the context or the concurrency, or keep less resident; `fleetctl capacity` shows every term"),
    );
}

fn drafts(view: View<'_>, problems: &mut Problems) {
    for profile in view.fleet.profiles.iter() {
        if !view.fleet.served.iter().any(|served| served.profile == profile.name) {
            continue;
        }
        let used: Vec<&WeightsName> = capacity::drafts_in_use(profile).collect();
        for (field, draft) in profile.drafts.iter().filter(|(_, draft)| used.contains(draft)) {
            if let (Some(weights), Some(span)) = (view.fleet.weights.get(draft), view.field(&profile.name, field)) {
                problems.push(Problem::at(
                    &DRAFT_NOT_COUNTED,
                    span,
                    format!(
                        "profiles.{}: oMLX does not count the draft {draft} ({}) in its limit",
                        profile.name, weights.size
                    ),
                ));
            }
        }
    }
}

fn assumptions(view: View<'_>, rooms: &[Room<'_>], problems: &mut Problems) {
    let mut said = BTreeSet::new();
    for footprint in rooms.iter().flat_map(|room| &room.costs.footprints) {
        if !said.insert(&footprint.weights) {
            continue;
        }
        let raw = view.raw.models.as_ref().and_then(|models| models.get(footprint.weights.as_str()));
        let Some(size) = raw.and_then(|raw| raw.size.as_ref()) else { continue };
        let holds_cache = footprint.kv_bytes != Some(0);
        let shape = match footprint.source {
            Source::Declared if !holds_cache => "it keeps no cache".to_owned(),
            Source::Declared => {
                "the catalogue does not know its shape, so room for its context is not checked".to_owned()
            }
            _ => "its shape is the catalogue's".to_owned(),
        };
        problems.push(Problem::at(
            &ASSUMED,
            size.span.clone(),
            format!("{}: its size is the declared {}, {shape}", footprint.weights, footprint.weights_bytes),
        ));
    }
}
