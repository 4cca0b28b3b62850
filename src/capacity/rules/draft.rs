//! Whether a draft was trained for the weights that it runs beside.

use super::catalogue::{CONFIG_UNUSABLE, DRAFT_OF_ANOTHER_MODEL};
use super::survey::Survey;
use crate::capacity::draft_config::{DraftTarget, draft_target_of_config};
use crate::capacity::finding::{Finding, Place, list};
use crate::capacity::footprint::draft_fields_in_use;
use crate::capacity::{Footprint, Geometry, catalogue};
use crate::fleet::{Weights, WeightsKind};

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        for footprint in &survey.costs.footprints {
            let Some(profile) = survey.profile(&footprint.served) else { continue };
            for (field, draft) in draft_fields_in_use(profile) {
                let Some(draft) = survey.fleet.weights.get(draft) else { continue };
                let place = Place::of(["profiles", profile.name.as_str(), field]);
                found.extend(mismatch(survey, footprint, field, draft, place));
            }
        }
    }
}

/// By the machine's own config.json of the draft; without it, by the models that the directories are named for.
fn mismatch(survey: &Survey<'_>, footprint: &Footprint, field: &str, draft: &Weights, place: Place) -> Option<Finding> {
    let config = survey.measured.and_then(|measured| measured.weights.get(&draft.name)?.config.as_deref());
    let is_dflash = field == "dflash_draft_model";
    let reasons = match config.map(draft_target_of_config) {
        Some(Err(problem)) => {
            let text = format!("the config.json of {} is of no use: {problem}", draft.name);
            let place = Place::of(["models", draft.name.as_str(), "directory"]);
            return Some(Finding::new(&CONFIG_UNUSABLE, place, text).on(&survey.machine.name));
        }
        Some(Ok(target)) => by_shape(&target, footprint.geometry.as_ref()?, is_dflash),
        // SpecPrefill drafts are smaller models of their own name.
        None if is_dflash && draft.kind == WeightsKind::Draft => {
            by_name(draft, survey.fleet.weights.get(&footprint.weights)?)
        }
        None => return None,
    };
    (!reasons.is_empty()).then(|| {
        let text = format!("{} is no draft for {}: {}", draft.name, footprint.weights, list(&reasons));
        Finding::new(&DRAFT_OF_ANOTHER_MODEL, place, text)
            .on(&survey.machine.name)
            .also([Place::of(["models", draft.name.as_str(), "directory"])])
            .help("declare the draft that was trained for these weights, or turn the feature off")
    })
}

/// Every draft shares the vocabulary; a DFlash draft also the hidden size, and taps layers that are there (facts/capacity.md 6).
fn by_shape(target: &DraftTarget, model: &Geometry, is_dflash: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut compare = |what: &str, draft: Option<u64>, model: u64| {
        if let Some(draft) = draft.filter(|draft| *draft != model && model > 0) {
            reasons.push(format!("its {what} is {draft}, the model's {model}"));
        }
    };
    compare("vocabulary", target.vocabulary, model.vocabulary);
    if is_dflash {
        compare("hidden size", target.hidden, model.hidden);
        compare("target's number of layers", target.layers, model.layers());
        if let Some(tap) = target.taps.iter().find(|tap| **tap >= model.layers()) {
            reasons.push(format!("it taps layer {tap}, and the model has 0 to {}", model.layers().saturating_sub(1)));
        }
    }
    reasons
}

fn by_name(draft: &Weights, target: &Weights) -> Vec<String> {
    let published = |entry: catalogue::Entry| entry.stands_for.unwrap_or(entry.name);
    let named = catalogue::find_named(draft.basename()).map(published);
    let runs = catalogue::find(target.basename()).map(published);
    match named.zip(runs) {
        Some((named, runs)) if named != runs => {
            vec![format!("its directory is named for {named}, and the weights are {runs}")]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::capacity::{Measured, MeasuredWeights, WeightsState, findings_on};
    use crate::fleet::{Fleet, WeightsName};
    use crate::testing;

    const EXAMPLE: &str = include_str!("../../../fleet.toml");
    const FITTING: &str = r#"{"hidden_size": 2048, "num_target_layers": 40, "vocab_size": 248320, "dflash_config": {"target_layer_ids": [1, 37]}}"#;

    /// What is said of drafts on the studio, whose own config.json of the draft is this text.
    fn said(fleet: &Fleet, config: Option<&str>) -> Vec<String> {
        let found = MeasuredWeights { bytes: None, config: config.map(str::to_owned), state: WeightsState::Present };
        let measured = Measured {
            weights: [(WeightsName::new("moe-35b-draft").expect("a slug"), found)].into(),
            ..Measured::default()
        };
        let studio = fleet.machines.get("mac-studio1").expect("a machine");
        let findings = findings_on(fleet, studio, Some(&measured)).into_iter();
        let of_drafts =
            findings.filter(|finding| ["draft-of-another-model", "config-json-unusable"].contains(&finding.rule.id));
        of_drafts.map(|finding| format!("{} {}: {}", finding.places[0], finding.rule.id, finding.text)).collect()
    }

    #[test]
    fn by_its_own_words() {
        let fleet = testing::example();
        assert_eq!(said(&fleet, Some(FITTING)), [""; 0]);
        let place =
            "profiles.interactive.dflash_draft_model draft-of-another-model: moe-35b-draft is no draft for moe-35b:";
        for (from, to, reason) in [
            ("\"hidden_size\": 2048", "\"hidden_size\": 5120", "its hidden size is 5120, the model's 2048"),
            ("248320", "151936", "its vocabulary is 151936, the model's 248320"),
            (": 40", ": 64", "its target's number of layers is 64, the model's 40"),
            ("[1, 37]", "[1, 40]", "it taps layer 40, and the model has 0 to 39"),
        ] {
            assert!(FITTING.contains(from), "{from}");
            assert_eq!(said(&fleet, Some(&FITTING.replace(from, to))), [format!("{place} {reason}")]);
        }
        assert_eq!(
            said(&fleet, Some("{")),
            [
                "models.moe-35b-draft.directory config-json-unusable: the config.json of moe-35b-draft is of no use: config.json is no JSON"
            ]
        );
    }

    #[test]
    fn by_the_names_of_the_directories() {
        assert_eq!(said(&testing::example(), None), [""; 0]);
        let other = testing::fleet(&EXAMPLE.replace("Qwen3.6-35B-A3B-DFlash", "Qwen3.6-27B-DFlash"));
        assert_eq!(
            said(&other, None),
            [
                "profiles.interactive.dflash_draft_model draft-of-another-model: moe-35b-draft is no draft for moe-35b: its directory is named for Qwen3.6-27B, \
              and the weights are Qwen3.6-35B-A3B"
            ]
        );
        assert_eq!(said(&other, Some(FITTING)), [""; 0], "its own words count more than its name");
        let unknown = testing::fleet(&EXAMPLE.replace("Qwen3.6-35B-A3B-DFlash", "my-draft"));
        assert_eq!(said(&unknown, None), [""; 0]);
    }
}
