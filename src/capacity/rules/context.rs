//! Room for the declared contexts.

use super::catalogue::{CONTEXT_ROOM, TURBOQUANT_GAIN};
use super::survey::{Survey, holds, names, resident_place, when};
use crate::capacity::assess::largest_scratch;
use crate::capacity::context::{largest_context, usable};
use crate::capacity::finding::{Finding, Place, list};
use crate::capacity::window::{ResidentSet, estimated_sum};
use crate::capacity::{Footprint, KvFormat, state_bytes};
use crate::fleet::Bytes;

/// What the server itself takes beside models: 0.5 to 1 GiB (facts, capacity 3.4).
const RUNTIME: u64 = 768 << 20;

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        let mut said = Vec::new();
        for set in survey.sets.iter().filter(|set| survey.fits(set, &[])) {
            let residents = survey.costs.of_set(set);
            if let Some(finding) = set_without_room(survey, set, &residents) {
                found.push(finding);
                continue;
            }
            for footprint in survey.on_demand(set) {
                if !said.contains(&&footprint.served) && survey.fits(set, &[footprint]) {
                    if let Some(finding) = name_without_room(survey, set, &residents, footprint) {
                        found.push(finding);
                        said.push(&footprint.served);
                    }
                }
            }
        }
        found.extend(survey.costs.footprints.iter().filter_map(|footprint| turboquant_gain(survey, footprint)));
    }
}

/// All that the names need at their declared contexts; `None` when a shape is not known.
fn needed(loaded: &[&Footprint]) -> Option<u64> {
    let mut sum =
        estimated_sum(loaded.iter().copied()).get().saturating_add(RUNTIME).saturating_add(largest_scratch(loaded)?);
    for footprint in loaded {
        sum = sum.saturating_add(footprint.draft_bytes.get());
        sum = sum.saturating_add(footprint.kv_bytes?).saturating_add(footprint.state_bytes?);
    }
    Some(sum)
}

fn set_without_room(survey: &Survey<'_>, set: &ResidentSet<'_>, residents: &[&Footprint]) -> Option<Finding> {
    let needed = needed(residents).filter(|needed| *needed > usable(survey.costs.budget.limit))?;
    let last = residents.last()?;
    let others = residents.iter().filter(|other| set.window.is_none() && other.served != last.served);
    let text = format!(
        "{}{} fit, but not with their declared contexts: {} of {} usable ({}){}",
        when(survey, set),
        list(&names(set)),
        Bytes(needed),
        Bytes(usable(survey.costs.budget.limit)),
        survey.limit(),
        contexts(survey, residents),
    );
    Some(
        Finding::new(&CONTEXT_ROOM, resident_place(set, &last.served), text)
            .on(&survey.machine.name)
            .also(others.map(|other| resident_place(set, &other.served)))
            .help("lower max_context_window or concurrency, raise gpu_limit, or keep less resident"),
    )
}

fn name_without_room(
    survey: &Survey<'_>,
    set: &ResidentSet<'_>,
    residents: &[&Footprint],
    footprint: &Footprint,
) -> Option<Finding> {
    let loaded: Vec<&Footprint> = residents.iter().copied().chain([footprint]).collect();
    let needed = needed(&loaded).filter(|needed| *needed > usable(survey.costs.budget.limit))?;
    let profile = survey.served(&footprint.served)?.profile.clone();
    let beside = if residents.is_empty() { String::new() } else { format!(" beside {}", list(&names(set))) };
    let text = format!(
        "{}{} fits{beside}, but not with its context of {} tokens: {} of {} usable ({}){}",
        when(survey, set),
        footprint.served,
        footprint.context,
        Bytes(needed),
        Bytes(usable(survey.costs.budget.limit)),
        survey.limit(),
        contexts(survey, &loaded),
    );
    Some(
        Finding::new(&CONTEXT_ROOM, Place::of(["profiles", profile.as_str(), "max_context_window"]), text)
            .or_at(Place::of(["serve", footprint.served.as_str(), "profile"]))
            .on(&survey.machine.name)
            .help("lower max_context_window or concurrency, raise gpu_limit, or keep less resident"),
    )
}

/// The largest contexts, one request at a time.
fn contexts(survey: &Survey<'_>, loaded: &[&Footprint]) -> String {
    let occupied = occupied(loaded);
    let each: Vec<String> = loaded
        .iter()
        .filter(|footprint| footprint.kv_bytes.is_some_and(|bytes| bytes > 0))
        .filter_map(|footprint| {
            let geometry = footprint.geometry.as_ref()?;
            let tokens = largest_context(geometry, footprint.kv_format, survey.costs.budget.limit, occupied);
            Some(format!("{} {tokens}", footprint.served))
        })
        .collect();
    if each.is_empty() { String::new() } else { format!("; a single request has room for: {} tokens", each.join(", ")) }
}

fn occupied(loaded: &[&Footprint]) -> u64 {
    loaded
        .iter()
        .map(|footprint| footprint.loaded_bytes().saturating_add(footprint.geometry.as_ref().map_or(0, state_bytes)))
        .fold(0, u64::saturating_add)
}

/// What TurboQuant really gains: the scratch, which it does not shrink, dominates.
fn turboquant_gain(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let (KvFormat::TurboQuant { bits, .. }, Some(geometry)) = (footprint.kv_format, &footprint.geometry) else {
        return None;
    };
    let set = survey.sets.iter().find(|set| holds(set, &footprint.served)).or_else(|| survey.sets.first())?;
    let mut loaded = survey.costs.of_set(set);
    if !holds(set, &footprint.served) {
        loaded.push(footprint);
    }
    let context = |format| largest_context(geometry, format, survey.costs.budget.limit, occupied(&loaded));
    let (with, without) = (context(footprint.kv_format), context(KvFormat::Half));
    if without == 0 {
        return None;
    }
    let percent = with.saturating_sub(without) * 100 / without;
    let profile = survey.served(&footprint.served)?.profile.clone();
    let text = format!(
        "TurboQuant at {bits} bits makes room for {with} tokens of {} instead of {without}: {percent} % more; it is on at every length, no release has a threshold",
        footprint.served
    );
    let place = Place::of(["profiles", profile.as_str(), "turboquant_kv_enabled"]);
    Some(Finding::new(&TURBOQUANT_GAIN, place, text).on(&survey.machine.name))
}
