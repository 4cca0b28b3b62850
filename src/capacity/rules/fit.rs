//! Sets that do not fit, names that fit nowhere.

use super::catalogue::{NEVER_FITS, PINNED_OVER_PROCESS_LIMIT, PINNED_SET_TOO_LARGE, UNLOADABLE_IN_WINDOW};
use super::survey::{Survey, names, resident_place, when};
use crate::capacity::Footprint;
use crate::capacity::finding::{Finding, Place, list};
use crate::capacity::window::{ResidentSet, estimated_sum};
use crate::fleet::{Bytes, ServedName};

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        for set in &survey.sets {
            found.extend(pinned(survey, set));
        }
    }
    let never = never_fit(surveys, found);
    for survey in surveys {
        for set in survey.sets.iter().filter(|set| survey.fits(set, &[])) {
            found.extend(unloadable(survey, set, &never));
        }
    }
}

/// A resident set above the smaller of oMLX's model limit and the GPU limit, or above oMLX's process limit.
fn pinned(survey: &Survey<'_>, set: &ResidentSet<'_>) -> Option<Finding> {
    let budget = &survey.costs.budget;
    let footprints = survey.costs.of_set(set);
    let sum = estimated_sum(footprints.iter().copied());
    let limit = budget.pinned_limit();
    let over_process = budget.omlx.process.filter(|process| sum > *process);
    let (rule, limit, whose) = if sum > limit {
        let whose = if limit == budget.gpu.bytes { "the GPU limit" } else { "oMLX's own limit" };
        (&PINNED_SET_TOO_LARGE, limit, whose)
    } else {
        (&PINNED_OVER_PROCESS_LIMIT, over_process?, "oMLX's limit for its process")
    };
    let first_over = first_beyond(&footprints, limit)?;
    let others = set.resident.iter().filter(|served| set.window.is_none() && served.name != first_over.served);
    let text =
        format!("{}{} take {sum} when loaded (1.05 × size), {whose} is {limit}", when(survey, set), list(&names(set)),);
    Some(
        Finding::new(rule, resident_place(set, &first_over.served), text)
            .on(&survey.machine.name)
            .also(others.map(|served| resident_place(set, &served.name)))
            .help(format!("keep {} less resident, or serve one of them elsewhere", sum_over(sum, limit))),
    )
}

fn sum_over(sum: Bytes, limit: Bytes) -> Bytes {
    Bytes(sum.get().saturating_sub(limit.get()))
}

/// The name with which the sum goes beyond the limit, in the order of declaration.
fn first_beyond<'a>(footprints: &[&'a Footprint], limit: Bytes) -> Option<&'a Footprint> {
    let mut sum = 0_u64;
    footprints.iter().copied().find(|footprint| {
        sum = sum.saturating_add(footprint.estimated.get());
        sum > limit.get()
    })
}

/// Names that fit in no window and no baseline of any of their machines (json.md, `fits`).
fn never_fit(surveys: &[Survey<'_>], found: &mut Vec<Finding>) -> Vec<ServedName> {
    let mut never = Vec::new();
    let Some(fleet) = surveys.first().map(|survey| survey.fleet) else { return never };
    for served in fleet.served.iter() {
        let on: Vec<(&Survey<'_>, &Footprint)> = surveys
            .iter()
            .filter_map(|survey| survey.costs.get(&served.name).map(|footprint| (survey, footprint)))
            .collect();
        let fits_somewhere =
            on.iter().any(|(survey, footprint)| survey.sets.iter().any(|set| survey.fits(set, &[footprint])));
        if on.is_empty() || fits_somewhere {
            continue;
        }
        // A set that is too large by itself is said where it is declared; its names and those behind it are no news.
        let sets_are_to_blame = on.iter().all(|(survey, footprint)| {
            survey.costs.fit([*footprint]) && survey.sets.iter().all(|set| !survey.fits(set, &[]))
        });
        never.push(served.name.clone());
        if sets_are_to_blame {
            continue;
        }
        let reasons: Vec<String> = on.iter().map(|(survey, footprint)| why_not(survey, footprint)).collect();
        let place = Place::of(["serve", served.name.as_str(), "on"]);
        let text = format!("{} fits on none of its machines: {}", served.name, reasons.join("; "));
        found.push(
            Finding::new(&NEVER_FITS, place, text).help(
                "serve it on a machine with more room, or let the names that stay in its way be loaded on demand",
            ),
        );
    }
    never
}

fn why_not(survey: &Survey<'_>, footprint: &Footprint) -> String {
    let machine = &survey.machine.name;
    if !survey.costs.fit([footprint]) {
        return format!("{machine} has {} for it, it takes {}", survey.limit(), footprint.estimated);
    }
    let least = survey.sets.iter().min_by_key(|set| survey.sum(set, &[footprint]));
    least.map_or_else(String::new, |set| {
        let sum = survey.sum(set, &[footprint]);
        format!("on {machine} beside {} it would take {sum} of {}", list(&names(set)), survey.limit())
    })
}

/// Names that fit on the machine at another time, and not while this set holds.
fn unloadable(survey: &Survey<'_>, set: &ResidentSet<'_>, never: &[ServedName]) -> Option<Finding> {
    let out: Vec<&Footprint> = survey
        .on_demand(set)
        .filter(|footprint| !never.contains(&footprint.served) && survey.costs.fit([*footprint]))
        .filter(|footprint| !survey.fits(set, &[footprint]))
        .collect();
    let first = out.first()?;
    let who: Vec<&str> = out.iter().map(|footprint| footprint.served.as_str()).collect();
    let text = format!(
        "{}{} cannot load beside {}: {} of {}",
        when(survey, set),
        list(&who),
        list(&names(set)),
        survey.sum(set, &[first]),
        survey.limit(),
    );
    // Without a window the residents are the names' own: the name that is kept out is where it is mended.
    let place = match set.window {
        Some(_) => resident_place(set, &first.served),
        None => Place::of(["serve", first.served.as_str(), "on"]),
    };
    Some(
        Finding::new(&UNLOADABLE_IN_WINDOW, place, text)
            .on(&survey.machine.name)
            .help("bind the slots that need it elsewhere for that time, as [schedules.NAME.slots] can"),
    )
}
