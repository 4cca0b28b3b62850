//! Two served names of one weights directory on one machine: two loads.

use super::catalogue::{ALTERNATING_TWINS, ONE_LOAD_SUFFICES};
use super::survey::{Survey, holds};
use crate::capacity::Footprint;
use crate::capacity::finding::{Finding, Place, about, list};
use crate::capacity::window::ResidentSet;
use crate::fleet::{Bytes, Profile};
use crate::omlx::{Effect, fields, same_value};
use crate::schedule::load_seconds;

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        let names = &survey.costs.footprints;
        for (at, one) in names.iter().enumerate() {
            for other in names[at + 1..].iter().filter(|other| other.weights == one.weights) {
                found.extend(alternating(survey, one, other));
                found.extend(one_load(survey, one, other));
            }
        }
    }
}

/// Twins that alternate: both can load while some set holds, and never both; or one is resident throughout and keeps the other out.
fn alternating(survey: &Survey<'_>, one: &Footprint, other: &Footprint) -> Option<Finding> {
    let alternate = |set: &&ResidentSet<'_>| {
        survey.fits(set, &[one])
            && survey.fits(set, &[other])
            && !survey.fits(set, &[one, other])
            && !holds(set, &one.served)
            && !holds(set, &other.served)
    };
    let never_both = survey.sets.iter().all(|set| !survey.fits(set, &[one, other]));
    let (set, keeps_out) = match survey.sets.iter().find(alternate) {
        Some(set) => (set, None),
        None if never_both => {
            let set = survey.sets.iter().find(|set| holds(set, &one.served) != holds(set, &other.served))?;
            (set, Some(if holds(set, &one.served) { (one, other) } else { (other, one) }))
        }
        None => return None,
    };
    let sum = survey.sum(set, &[one, other]);
    let beside: Vec<String> = set
        .resident
        .iter()
        .map(|served| served.name.to_string())
        .filter(|name| one.served != *name.as_str() && other.served != *name.as_str())
        .collect();
    let beside_text = if beside.is_empty() { String::new() } else { format!(" beside {}", list(&beside)) };
    let cost = Bytes(one.loaded_bytes().max(other.loaded_bytes()));
    let mut text = format!(
        "{} and {} are two copies of {}: both{beside_text} take {sum} of {}, so one is always out and each change loads {cost} ({})",
        one.served,
        other.served,
        one.weights,
        survey.limit(),
        about(load_seconds(cost)),
    );
    if let Some((stays, out)) = keeps_out {
        text.push_str(&format!("; {} is resident, so {} can never answer", stays.served, out.served));
    }
    if !beside.is_empty() && survey.costs.fit([one, other]) {
        let left =
            survey.costs.budget.limit.get().saturating_sub(one.loaded_bytes().saturating_add(other.loaded_bytes()));
        text.push_str(&format!("; without {} both fit, with {} left for their contexts", list(&beside), Bytes(left)));
    }
    Some(
        Finding::new(&ALTERNATING_TWINS, Place::of(["serve", other.served.as_str(), "model"]), text)
            .on(&survey.machine.name)
            .also([Place::of(["serve", one.served.as_str(), "model"])])
            .help("let one profile do both kinds of work, run them one after the other as a schedule can, or serve one of them on another machine"),
    )
}

/// Twins whose profiles differ only in what a request can say itself: one load would serve both.
fn one_load(survey: &Survey<'_>, one: &Footprint, other: &Footprint) -> Option<Finding> {
    let (first, second) = (survey.profile(&one.served)?, survey.profile(&other.served)?);
    if first.drafts != second.drafts {
        return None;
    }
    let value = |profile: &Profile, name: &str| profile.fields.get(name).cloned();
    let mut differing = Vec::new();
    for field in fields(survey.machine.omlx.release) {
        let of = |profile: &Profile| value(profile, field.name).unwrap_or_else(|| field.default_value());
        if !same_value(&of(first), &of(second)) {
            if field.effect != Effect::Live {
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
    Some(
        Finding::new(&ONE_LOAD_SUFFICES, Place::of(["serve", other.served.as_str(), "profile"]), text)
            .on(&survey.machine.name)
            .also([Place::of(["serve", one.served.as_str(), "profile"])])
            .help(format!(
                "serve them under one name and let the requests differ (thinking: chat_template_kwargs.enable_thinking); it saves {saved}"
            )),
    )
}
