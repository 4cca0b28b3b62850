//! What the DFlash engine does and does not do.

use super::catalogue::{
    DFLASH_BESIDE_LONG_CONTEXT, DFLASH_CONCURRENCY, DFLASH_EVICTABLE, DRAFT_UNCOUNTED, TWO_DFLASH_PINNED,
};
use super::survey::{Survey, resident_place, when};
use crate::capacity::finding::{Finding, Place, list};
use crate::capacity::window::ResidentSet;
use crate::capacity::{Footprint, PREFILL_CHUNK, runs_dflash};
use crate::fleet::{Fleet, Rank, ServedName, Slot};

/// Contexts beyond oMLX's own default window (`sampling.max_context_window` 32768) are long.
const LONG_CONTEXT: u64 = 32_768;

/// Prefill of a dense 27B on a big Mac, tokens per second: an order of magnitude to name a stall by (facts, capacity 3.7; measure it with bench).
const PREFILL_TPS: u64 = 350;

pub(super) fn check(fleet: &Fleet, surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        for set in &survey.sets {
            found.extend(two_pinned(survey, set));
            found.extend(beside_long_context(fleet, survey, set));
        }
        for footprint in &survey.costs.footprints {
            found.extend(uncounted(survey, footprint));
            if is_dflash(survey, &footprint.served) {
                found.extend(concurrency(survey, footprint));
                found.extend(evictable(survey, footprint));
            }
        }
    }
}

fn is_dflash(survey: &Survey<'_>, name: &ServedName) -> bool {
    survey.profile(name).is_some_and(runs_dflash)
}

fn two_pinned(survey: &Survey<'_>, set: &ResidentSet<'_>) -> Option<Finding> {
    let dflash: Vec<&ServedName> =
        set.resident.iter().map(|served| &served.name).filter(|name| is_dflash(survey, name)).collect();
    let [first, second, ..] = dflash.as_slice() else { return None };
    let text = format!("{}{} are both resident and both run DFlash", when(survey, set), list(&dflash));
    let also = set.window.is_none().then(|| resident_place(set, first));
    Some(
        Finding::new(&TWO_DFLASH_PINNED, resident_place(set, second), text)
            .on(&survey.machine.name)
            .also(also)
            .help("leave one of them to be loaded on demand, or serve it on another machine"),
    )
}

fn concurrency(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let place = Place::of(["serve", footprint.served.as_str(), "concurrency"]);
    (footprint.concurrency > 1).then(|| {
        let text = format!(
            "{} reserves for {} requests at once, and the DFlash engine of oMLX {} serves one at a time",
            footprint.served, footprint.concurrency, survey.machine.omlx.release
        );
        Finding::new(&DFLASH_CONCURRENCY, place, text)
            .help("serve batched work under a name whose profile has DFlash off, or leave concurrency at 1")
    })
}

/// A DFlash model that may be unloaded in the middle of an answer.
fn evictable(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let served = survey.served(&footprint.served)?;
    let resident = survey.sets.iter().any(|set| super::survey::holds(set, &served.name));
    let (why, field) = match (served.ttl, resident) {
        (Some(_), _) => ("has a ttl", "ttl"),
        (None, false) => ("is resident in no window", "on"),
        (None, true) => return None,
    };
    let text = format!("{} runs DFlash and {why}: it may be unloaded in the middle of an answer", served.name);
    Some(
        Finding::new(&DFLASH_EVICTABLE, Place::of(["serve", served.name.as_str(), field]), text)
            .help("make it resident and give it no ttl, or serve it without DFlash"),
    )
}

/// Drafts are no part of oMLX's own arithmetic.
fn uncounted(survey: &Survey<'_>, footprint: &Footprint) -> Option<Finding> {
    let profile = survey.profile(&footprint.served)?;
    let field = profile.drafts.keys().find(|_| footprint.draft_bytes.get() > 0)?;
    let text = format!(
        "oMLX does not count the draft of {} ({}) in any of its limits; capacity does, in the headroom",
        footprint.served, footprint.draft_bytes
    );
    let place = Place::of(["profiles", profile.name.as_str(), field]);
    Some(Finding::new(&DRAFT_UNCOUNTED, place, text))
}

/// A slot on DFlash and long prompts of another slot in one process.
fn beside_long_context(fleet: &Fleet, survey: &Survey<'_>, set: &ResidentSet<'_>) -> Option<Finding> {
    let routes: Vec<(&Slot, &[Rank])> = fleet
        .slots
        .iter()
        .map(|slot| {
            let rebound =
                set.window.and_then(|window| window.slots.iter().find(|rebinding| rebinding.slot == slot.name));
            (slot, rebound.map_or(slot.route.as_slice(), |rebinding| rebinding.route.as_slice()))
        })
        .collect();
    let here = |rank: &Rank| rank.machines.contains(&survey.machine.name);
    let able = |name: &ServedName| survey.costs.get(name).filter(|footprint| survey.fits(set, &[footprint]));
    let (chat, dflash) = routes.iter().find_map(|(slot, route)| {
        let rank = route
            .first()
            .filter(|rank| here(rank) && is_dflash(survey, &rank.served) && able(&rank.served).is_some())?;
        Some((slot, &rank.served))
    })?;
    let (slot, long) = routes.iter().find_map(|(slot, route)| {
        let is_long = |footprint: &&Footprint| footprint.context > LONG_CONTEXT && footprint.kv_bytes != Some(0);
        let mut footprints = route
            .iter()
            .filter(|rank| here(rank) && !is_dflash(survey, &rank.served))
            .filter_map(|rank| able(&rank.served));
        Some((slot, footprints.find(is_long)?))
    })?;
    let chunks = long.context.div_ceil(PREFILL_CHUNK);
    #[expect(clippy::cast_precision_loss, reason = "seconds to one digit")]
    let stall = PREFILL_CHUNK as f64 / PREFILL_TPS as f64;
    let text = format!(
        "{}slot {} answers with DFlash ({dflash}) in the same process as slot {} with {} tokens ({}): a prompt of that length is {chunks} chunks, \
         each of which stalls every answer there for about {stall:.1} s at {PREFILL_TPS} tok/s, and a DFlash answer holds up all others from its first to its last token",
        when(survey, set),
        chat.name,
        slot.name,
        long.context,
        long.served,
    );
    let place = match set.window.filter(|window| window.slots.iter().any(|rebinding| rebinding.slot == slot.name)) {
        Some(window) => Place::of(["schedules", window.name.as_str(), "slots", slot.name.as_str(), "route"]),
        None => Place::of(["slots", slot.name.as_str(), "route"]),
    };
    Some(
        Finding::new(&DFLASH_BESIDE_LONG_CONTEXT, place, text)
            .on(&survey.machine.name)
            .also([Place::of(["slots", chat.name.as_str(), "route"])])
            .help(format!("put another machine first in the route of {} while {} is used", slot.name, chat.name)),
    )
}
