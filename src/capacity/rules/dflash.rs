//! What the DFlash engine does and does not do.

use super::catalogue::{DFLASH_CONCURRENCY, DFLASH_EVICTABLE};
use super::survey::{Survey, holds};
use crate::capacity::finding::{Finding, Place};
use crate::capacity::{Footprint, runs_dflash};

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        let runs = |footprint: &&Footprint| survey.profile(&footprint.served).is_some_and(runs_dflash);
        for footprint in survey.costs.footprints.iter().filter(runs) {
            found.extend(concurrency(survey, footprint));
            found.extend(evictable(survey, footprint));
        }
    }
}

fn concurrency(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let place = Place::of(["serve", footprint.served.as_str(), "concurrency"]);
    (footprint.concurrency > 1).then(|| {
        let text = format!(
            "{} reserves for {} requests at once, and the DFlash engine of oMLX {} serves one at a time",
            footprint.served, footprint.concurrency, survey.machine.omlx.release
        );
        Finding::new(&DFLASH_CONCURRENCY, place, text)
            .on(&survey.machine.name)
            .help("serve batched work under a name whose profile has DFlash off, or leave concurrency at 1")
    })
}

/// A DFlash model that may be unloaded in the middle of an answer.
fn evictable(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let served = survey.served(&footprint.served)?;
    let resident = survey.sets.iter().any(|set| holds(set, &served.name));
    let (why, field) = match (served.ttl, resident) {
        (Some(_), _) => ("has a ttl", "ttl"),
        (None, false) => ("is resident in no window", "on"),
        (None, true) => return None,
    };
    let text = format!("{} runs DFlash and {why}: it may be unloaded in the middle of an answer", served.name);
    Some(
        Finding::new(&DFLASH_EVICTABLE, Place::of(["serve", served.name.as_str(), field]), text)
            .on(&survey.machine.name)
            .help("make it resident and give it no ttl, or serve it without DFlash"),
    )
}
