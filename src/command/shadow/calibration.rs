//! A calibration of the fleet file, its store, and everything that its pairs say.

use std::path::PathBuf;

use super::super::database::file_name;
use super::super::{Context, FleetFile};
use crate::config;
use crate::error::{CommandError, Kind};
use crate::fleet::{Fleet, Shadow};
use crate::shadow::store::{Experiment, Store, Totals};
use crate::shadow::{
    Assessment, Decision, Easy, Evidence, Judged, Looks, Measures, NextRung, Pair, assess, last_demotion, next_rung,
    pairs_since, take_looks,
};

/// The calibration of a name. Errors: there is none (usage), with the near names.
pub(super) fn find<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Shadow, CommandError> {
    fleet.shadows.get(name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no calibration {name:?}"));
        match config::suggestion(name, fleet.shadows.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error.hint("the fleet file declares no [shadow]"),
        }
    })
}

/// Nothing leaves the fleet without the slot's leave, whatever the command line says; `check` warns of such a file.
pub(super) fn may_leave(file: &FleetFile, shadow: &Shadow) -> Result<(), CommandError> {
    if file.fleet.slots.get(&shadow.slot).is_some_and(|slot| slot.allow_cloud) {
        return Ok(());
    }
    Err(CommandError::new(Kind::Refused, format!("the inputs of {} may not leave the fleet", shadow.slot))
        .hint(format!("set allow_cloud = true in [slots.{}] of {}", shadow.slot, file.path.display())))
}

/// Where a calibration's pairs are kept.
pub(super) fn path(cx: &Context, fleet: &Fleet, shadow: &Shadow) -> Result<PathBuf, CommandError> {
    Ok(cx.state_directory("shadow")?.join(format!("{}.{}.sqlite", file_name(&fleet.name), shadow.name)))
}

/// Opens the store; a damaged one is said to have been kept aside.
pub(super) fn open(cx: &Context, fleet: &Fleet, shadow: &Shadow) -> Result<Store, CommandError> {
    let store = Store::open(&path(cx, fleet, shadow)?, cx.clock.now())?;
    cx.warn_of_damage(store.path(), store.kept_aside());
    Ok(store)
}

/// Everything that is known of one experiment.
pub(super) struct Known {
    /// The experiment.
    pub(super) experiment: Option<Experiment>,
    /// How many other experiments there are.
    pub(super) others: usize,
    /// How many pairs it had before the guard last demoted.
    pub(super) earlier: usize,
    /// How many different inputs its valid pairs since then rest on.
    pub(super) inputs: usize,
    /// Its pairs since then, oldest first.
    pub(super) pairs: Vec<Pair>,
    /// What they measure.
    pub(super) measures: Measures,
    /// That held to the requirements.
    pub(super) assessment: Assessment,
    /// The easy items.
    pub(super) easy: Easy,
    /// The looks at them.
    pub(super) looks: Looks,
    /// Every decision.
    pub(super) decisions: Vec<Decision>,
    /// Tokens of the reference.
    pub(super) totals: Totals,
    /// The rung above, and what is missing for it.
    pub(super) next: Option<NextRung>,
}

/// Reads and measures the latest experiment, or the one of a fingerprint.
pub(super) fn known(
    cx: &Context,
    store: &Store,
    shadow: &Shadow,
    fingerprint: Option<&str>,
) -> Result<Known, CommandError> {
    let mut experiments = store.experiments()?;
    let chosen = match fingerprint {
        None => experiments.pop(),
        Some(wanted) => {
            let place = experiments.iter().position(|one| one.fingerprint == wanted).ok_or_else(|| {
                let known: Vec<&str> = experiments.iter().map(|one| one.fingerprint.as_str()).collect();
                CommandError::usage(format!("there is no experiment {wanted:?}"))
                    .hint(format!("there are {}", known.join(", ")))
            })?;
            Some(experiments.remove(place))
        }
    };
    let (pairs, repeats, totals): (Vec<Pair>, Vec<(Judged, Judged)>, Totals) = match &chosen {
        Some(one) => (store.pairs(one.id)?, store.repeats(one.id)?, store.totals(one.id)?),
        None => Default::default(),
    };
    let decisions = store.decisions()?;
    let id = chosen.as_ref().map_or("", |one| one.fingerprint.as_str());
    // What the guard demoted begins again: what was seen before it admits to nothing any more.
    let all = pairs.len();
    let since = last_demotion(&decisions, id);
    let pairs = pairs_since(pairs, since);
    let after = since.map_or(i64::MIN, jiff::Timestamp::as_second);
    let inputs = chosen.as_ref().map_or(Ok(0), |one| store.distinct_inputs(one.id, after))?;
    let measures = Measures::of(&pairs, shadow.tiers.len(), &repeats);
    let assessment = assess(&measures, &shadow.require);
    let easy = Easy::of(&pairs, &easy_places(shadow), shadow.tiers.len());
    let looks = take_looks(&pairs, shadow);
    let next = next_rung(&Evidence {
        shadow,
        pairs: &pairs,
        measures: &measures,
        assessment: &assessment,
        easy: &easy,
        looks: &looks,
        decisions: &decisions,
        now: cx.clock.now(),
    });
    Ok(Known {
        others: experiments.len(),
        earlier: all - pairs.len(),
        inputs,
        experiment: chosen,
        pairs,
        measures,
        assessment,
        easy,
        looks,
        decisions,
        totals,
        next,
    })
}

/// The places of the easy tiers.
pub(super) fn easy_places(shadow: &Shadow) -> Vec<usize> {
    shadow.easy.iter().filter_map(|easy| shadow.tiers.iter().position(|tier| tier == easy)).collect()
}

/// What the reference's tokens cost.
pub(super) fn cost(shadow: &Shadow, tokens_in: f64, tokens_out: f64) -> Option<f64> {
    shadow.price.map(|price| (tokens_in * price.input + tokens_out * price.output) / 1e6)
}
