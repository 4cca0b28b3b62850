//! What the arithmetic stands on.

use super::catalogue::{CONFIG_UNUSABLE, UNKNOWN_CHIP, UNPUBLISHED_MODEL};
use super::survey::Survey;
use crate::capacity::bandwidth;
use crate::capacity::finding::{Finding, Place};
use crate::fleet::{Fleet, Weights};

pub(super) fn check(fleet: &Fleet, surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        for footprint in &survey.costs.footprints {
            let Some(weights) = fleet.weights.get(&footprint.weights) else { continue };
            if let Some(problem) = &footprint.config_problem {
                let text = format!("the config.json of {} is of no use: {problem}", weights.name);
                found.push(Finding::new(&CONFIG_UNUSABLE, directory(weights), text).on(&survey.machine.name));
            }
            if let Some(published) = footprint.stands_for {
                let text =
                    format!("no model of the name of {} is published; it is taken for {published}", weights.directory);
                found.push(
                    Finding::new(&UNPUBLISHED_MODEL, directory(weights), text)
                        .on(&survey.machine.name)
                        .help("capacity --measured reads the machine's own config.json"),
                );
            }
        }
        let machine = survey.machine;
        if bandwidth(&machine.chip, machine.cores).is_none() {
            let text = format!(
                "the memory bandwidth of \"{}\" is not known: no bound for its speed",
                machine.chip.escape_debug()
            );
            let place = Place::of(["machines", machine.name.as_str(), "chip"]);
            found.push(Finding::new(&UNKNOWN_CHIP, place, text).on(&machine.name));
        }
    }
}

fn directory(weights: &Weights) -> Place {
    Place::of(["models", weights.name.as_str(), "directory"])
}
