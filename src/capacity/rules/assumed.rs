//! What the arithmetic stands on.

use std::collections::BTreeSet;

use super::catalogue::{ASSUMED, CONFIG_UNUSABLE, UNKNOWN_CHIP, UNPUBLISHED_MODEL};
use super::survey::Survey;
use crate::capacity::finding::{Finding, Place};
use crate::capacity::{Footprint, Source, bandwidth, catalogue};
use crate::fleet::{Fleet, Weights};

pub(super) fn check(fleet: &Fleet, surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    let mut said = BTreeSet::new();
    for survey in surveys {
        for footprint in &survey.costs.footprints {
            let Some(weights) = fleet.weights.get(&footprint.weights) else { continue };
            if let Some(problem) = &footprint.config_problem {
                let text = format!("the config.json of {} is of no use: {problem}", weights.name);
                found.push(Finding::new(&CONFIG_UNUSABLE, directory(weights), text).on(&survey.machine.name));
            }
            if said.insert((weights.name.clone(), footprint.source)) {
                found.push(Finding::new(&ASSUMED, size(weights), assumption(footprint, weights)));
                if let Some(published) = footprint.stands_for.filter(|_| footprint.source == Source::Catalogue) {
                    let text = format!(
                        "no model of the name of {} is published; it is taken for {published}",
                        weights.directory
                    );
                    found.push(
                        Finding::new(&UNPUBLISHED_MODEL, directory(weights), text)
                            .help("capacity --measured reads the machine's own config.json"),
                    );
                }
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

fn size(weights: &Weights) -> Place {
    Place::of(["models", weights.name.as_str(), "size"])
}

fn directory(weights: &Weights) -> Place {
    Place::of(["models", weights.name.as_str(), "directory"])
}

fn assumption(footprint: &Footprint, weights: &Weights) -> String {
    let size = if footprint.is_size_measured { "measured" } else { "declared" };
    let bytes = footprint.weights_bytes;
    match footprint.source {
        Source::Measured => format!("capacity: {bytes} measured, shape by the machine's own config.json"),
        Source::Catalogue => {
            let entry = catalogue::find(weights.basename()).map_or("", |entry| entry.name);
            format!("capacity: {bytes} {size}, shape of {entry} by the catalogue")
        }
        Source::Declared => format!("capacity: {bytes} {size}, nothing else known: no KV cache, no largest context"),
    }
}
