//! Two served names of one weights directory on one machine: two loads.

use super::catalogue::{ONE_LOAD_SUFFICES, RESIDENT_TWIN};
use super::survey::{Survey, holds};
use crate::capacity::Footprint;
use crate::capacity::finding::{Finding, Place, about, list};
use crate::fleet::{Bytes, Profile};
use crate::omlx::{Effect, fields, same_value, ways};
use crate::schedule::load_seconds;

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        let names = &survey.costs.footprints;
        for (at, one) in names.iter().enumerate() {
            for other in names[at + 1..].iter().filter(|other| other.weights == one.weights) {
                found.extend(of_resident(survey, one, other));
                found.extend(one_load(survey, one, other));
            }
        }
    }
}

/// A name whose twin is resident and leaves no room for it, at any time: it can only answer in the twin's place.
fn of_resident(survey: &Survey<'_>, one: &Footprint, other: &Footprint) -> Option<Finding> {
    if survey.sets.iter().any(|set| survey.fits(set, &[one, other])) {
        return None;
    }
    let set = survey.sets.iter().find(|set| holds(set, &one.served) != holds(set, &other.served))?;
    let (stays, out) = if holds(set, &one.served) { (one, other) } else { (other, one) };
    if survey.sets.iter().any(|set| survey.fits(set, &[out])) {
        return None;
    }
    let others: Vec<&str> =
        set.resident.iter().map(|served| served.name.as_str()).filter(|name| stays.served != **name).collect();
    let beside = if others.is_empty() { String::new() } else { format!(" beside {}", list(&others)) };
    let cost = Bytes(out.loaded_bytes());
    let mut text = format!(
        "{} and {} are two copies of {}: both{beside} take {} of {}, so they can only alternate, and each change loads {cost} ({})",
        stays.served,
        out.served,
        stays.weights,
        survey.sum(set, &[out]),
        survey.limit(),
        about(load_seconds(cost)),
    );
    if !others.is_empty() && survey.costs.fit([one, other]) {
        let both = one.loaded_bytes().saturating_add(other.loaded_bytes());
        let left = Bytes(survey.costs.budget.limit.get().saturating_sub(both));
        text = format!("{text}; without {} both fit and leave {left} for their contexts", list(&others));
    }
    Some(
        Finding::new(&RESIDENT_TWIN, Place::of(["serve", out.served.as_str(), "model"]), text)
            .on(&survey.machine.name)
            .also([Place::of(["serve", stays.served.as_str(), "resident"])])
            .help("use one profile for both, let windows decide which of them is resident, or serve one on another machine"),
    )
}

/// Twins whose profiles differ only in what a request can say itself: one load would serve both.
fn one_load(survey: &Survey<'_>, one: &Footprint, other: &Footprint) -> Option<Finding> {
    let (first, second) = (survey.profile(&one.served)?, survey.profile(&other.served)?);
    if first.drafts != second.drafts {
        return None;
    }
    let exposes = ways(survey.machine.omlx.release).exposed_profiles;
    let value = |profile: &Profile, name: &str| profile.fields.get(name).cloned();
    let mut differing = Vec::new();
    for field in fields(survey.machine.omlx.release) {
        let of = |profile: &Profile| value(profile, field.name).unwrap_or_else(|| field.default_value());
        if !same_value(&of(first), &of(second)) {
            if field.effect != Effect::Live || (exposes && !field.is_request_time()) {
                return None;
            }
            differing.push(field.name);
        }
    }
    let saved = other.weights_bytes;
    let text = if differing.is_empty() {
        format!("{} and {} are the same weights under the same settings, loaded twice", one.served, other.served)
    } else {
        format!(
            "{} and {} are the same weights and differ only in {}, which a request can say itself",
            one.served,
            other.served,
            list(&differing),
        )
    };
    let help = if exposes && !differing.is_empty() {
        format!(
            "rename [serve.{}] to [serve.\"{}:{}\"]: the engine of {} answers to that name too; it saves {saved}",
            other.served, one.served, second.name, one.served,
        )
    } else {
        format!(
            "serve them under one name and let the requests differ (thinking: chat_template_kwargs.enable_thinking); it saves {saved}"
        )
    };
    Some(
        Finding::new(&ONE_LOAD_SUFFICES, Place::of(["serve", other.served.as_str(), "profile"]), text)
            .on(&survey.machine.name)
            .also([Place::of(["serve", one.served.as_str(), "profile"])])
            .help(help),
    )
}
