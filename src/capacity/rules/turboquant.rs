//! What TurboQuant really gains.

use super::catalogue::TURBOQUANT_GAIN;
use super::survey::{Survey, holds};
use crate::capacity::context::largest_context;
use crate::capacity::finding::{Finding, Place};
use crate::capacity::{Footprint, KvFormat, state_bytes};

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        found.extend(survey.costs.footprints.iter().filter_map(|footprint| gain(survey, footprint)));
    }
}

fn occupied(loaded: &[&Footprint]) -> u64 {
    loaded
        .iter()
        .map(|footprint| footprint.loaded_bytes().saturating_add(footprint.geometry.as_ref().map_or(0, state_bytes)))
        .fold(0, u64::saturating_add)
}

/// More context, but less than the bits promise: the scratch, which it does not shrink, dominates.
fn gain(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let (KvFormat::TurboQuant { bits, .. }, Some(geometry)) = (footprint.kv_format, &footprint.geometry) else {
        return None;
    };
    let set = survey.sets.iter().find(|set| holds(set, &footprint.served)).or_else(|| survey.sets.first())?;
    let mut loaded = survey.costs.of_set(set);
    if !holds(set, &footprint.served) {
        loaded.push(footprint);
    }
    let context = |format| {
        largest_context(geometry, &footprint.draft_geometries, format, survey.costs.budget.limit, occupied(&loaded))
    };
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
