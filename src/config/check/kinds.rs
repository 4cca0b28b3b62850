//! Kinds of weights against what is made of them.

use super::values::Problems;
use super::view::View;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{SlotKind, WeightsKind};

/// A kind against its use.
pub(crate) static KIND_CONTRADICTS: Code = Code {
    id: "kind-contradicts-use",
    severity: Severity::Error,
    title: "a kind of weights that contradicts its use",
    explanation: "`kind` says what weights are for: llm and vlm chat, embedding makes vectors, reranker orders passages, draft speeds another \
                  model up. A draft field names a draft; engines of generation (DFlash, SpecPrefill, TurboQuant) do nothing for vectors \
                  and passages; a calibration compares texts; decode speed is a chat slot's.",
};

pub(crate) static CODES: [&Code; 1] = [&KIND_CONTRADICTS];

/// All of them.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    drafts(view, problems);
    engines(view, problems);
    slots(view, problems);
}

/// A draft field that names weights of another kind.
fn drafts(view: View<'_>, problems: &mut Problems) {
    for profile in view.fleet.profiles.iter() {
        for (field, draft) in &profile.drafts {
            let Some(weights) = view.fleet.weights.get(draft) else { continue };
            if weights.kind == WeightsKind::Draft {
                continue;
            }
            let Some(span) = view.field(&profile.name, field) else { continue };
            let mut problem = Problem::at(
                &KIND_CONTRADICTS,
                span,
                format!("profiles.{}.{field}: {draft} is of kind {}, not draft", profile.name, weights.kind.as_str()),
            );
            let declared = view.raw.models.as_ref().and_then(|models| models.get(draft.as_str()));
            if let Some(kind) = declared.and_then(|raw| raw.kind.as_ref()) {
                problem = problem.also(kind.span.clone(), "its kind");
            }
            problems.push(problem.help("name weights of kind \"draft\", or declare these as such"));
        }
    }
}

/// An engine of generation for weights that do not generate.
fn engines(view: View<'_>, problems: &mut Problems) {
    for served in view.fleet.served.iter() {
        let (Some(weights), Some(profile)) =
            (view.fleet.weights.get(&served.model), view.fleet.profiles.get(&served.profile))
        else {
            continue;
        };
        if !matches!(weights.kind, WeightsKind::Embedding | WeightsKind::Reranker) {
            continue;
        }
        let engine = ["dflash_enabled", "specprefill_enabled", "turboquant_kv_enabled"]
            .into_iter()
            .find(|switch| profile.is_on(switch));
        let place = view.raw_serve(served.name.as_str()).and_then(|raw| raw.profile.as_ref());
        if let (Some(engine), Some(place)) = (engine, place) {
            let mut problem = Problem::at(
                &KIND_CONTRADICTS,
                place.span.clone(),
                format!(
                    "serve.{}: {} is of kind {}, for which {engine} does nothing",
                    served.name,
                    weights.name,
                    weights.kind.as_str()
                ),
            );
            if let Some(span) = view.field(&profile.name, engine) {
                problem = problem.also(span, "turned on here");
            }
            problems.push(problem.help("give it a profile of its own; an empty one will do"));
        }
    }
}

/// Calibrations and expectations of slots that do not generate.
fn slots(view: View<'_>, problems: &mut Problems) {
    for shadow in view.fleet.shadows.iter() {
        let chat = view.fleet.slots.get(&shadow.slot).is_none_or(|slot| slot.kind == SlotKind::Chat);
        let place = view.raw.shadow.as_ref().and_then(|all| all.get(shadow.name.as_str())?.slot.as_ref());
        if let (false, Some(place)) = (chat, place) {
            let message = format!("shadow.{}: {} makes no texts that could be compared", shadow.name, shadow.slot);
            problems.push(Problem::at(&KIND_CONTRADICTS, place.span.clone(), message));
        }
    }
    for slot in view.fleet.slots.iter().filter(|slot| slot.kind != SlotKind::Chat) {
        let expect = view.raw_slot(slot.name.as_str()).and_then(|raw| raw.expect.as_ref());
        if let Some(decode) = expect.and_then(|expect| expect.decode_tps.as_ref()) {
            let message = format!("slots.{}: a slot that does not chat has no decode speed", slot.name);
            problems.push(Problem::at(&KIND_CONTRADICTS, decode.span.clone(), message));
        }
    }
}
