//! From what a machine was seen to hold to what capacity asks of it, and what that changes.

use crate::capacity::{self, Finding, Gravity, MachineCapacity, Measured, MeasuredWeights, WeightsState};
use crate::fleet::{Bytes, Fleet, Machine};
use crate::observe::{self, Observed};
use crate::omlx::api::ModelsStatus;

/// Facts for capacity. Where oMLX says how large a model is, that counts before the probe's own sum: it is what oMLX does its arithmetic with
/// (1.05 times the safetensors; facts/omlx.md 6.1).
pub fn measured(fleet: &Fleet, machine: &Machine, observed: &Observed) -> Measured {
    let models: Option<ModelsStatus> =
        observed.engine.models.got().and_then(|value| serde_json::from_value(value.clone()).ok());
    let mut measured = Measured {
        ram: observed.hardware.memory,
        gpu_wired_limit: observed.hardware.gpu_limit.or(observed.hardware.memory.map(|_| Bytes(0))),
        available: observed.memory.available,
        ..Measured::default()
    };
    for weights in fleet.weights.iter() {
        let Some(fact) = observed.weights.get(&Fleet::weights_path(machine, weights)) else { continue };
        let served = fleet.served_on(&machine.name).filter(|served| served.model == weights.name);
        let counted = served
            .filter_map(|served| models.as_ref()?.get(served.name.as_str())?.estimated_size)
            .max()
            .map(|estimated| Bytes(estimated / 105 * 100 + estimated % 105 * 100 / 105));
        let state = match fact.state {
            observe::WeightsState::Complete => WeightsState::Present,
            observe::WeightsState::Incomplete | observe::WeightsState::Broken => WeightsState::Incomplete,
            observe::WeightsState::Missing => WeightsState::Missing,
        };
        let entry = MeasuredWeights { bytes: counted.or(fact.bytes.map(Bytes)), config: fact.config.clone(), state };
        measured.weights.insert(weights.name.clone(), entry);
    }
    measured
}

/// What the machine's own sizes, shapes and limits say and the declared ones do not: sets that do not fit, contexts without room, names that cannot load.
pub(super) fn surprises(fleet: &Fleet, machine: &Machine, observed: &Observed) -> Vec<String> {
    let measured = measured(fleet, machine, observed);
    let (declared, found) = (capacity::assess(fleet, machine, None), capacity::assess(fleet, machine, Some(&measured)));
    let mut said = Vec::new();
    for (declared, now) in declared.windows.iter().zip(&found.windows) {
        let when = now.window.as_ref().map_or_else(String::new, |window| format!(" in the window {window}"));
        if declared.fits && !now.fits {
            let names = now.resident.iter().map(|resident| resident.served.as_str());
            said.push(format!(
                "by the sizes on the machine the resident names{when} ({}) do not fit: {} of {}; fleetctl capacity --measured shows the sum",
                names.collect::<Vec<_>>().join(", "),
                residents(&found, now),
                found.budget.limit,
            ));
            continue;
        }
        let short = |left: Option<i64>| left.filter(|left| *left < 0);
        if let (None, Some(missing)) = (short(declared.headroom.context), short(now.headroom.context)) {
            said.push(format!(
                "by the sizes on the machine {} are missing{when} for the contexts that the residents declare",
                Bytes(missing.unsigned_abs())
            ));
        }
        for (declared, now) in declared.loadable.iter().zip(&now.loadable) {
            if declared.fits && !now.fits {
                said.push(format!("by the sizes on the machine {} cannot load{when}: there is no room", now.served));
            }
        }
    }
    // What the file alone shows is check's to say.
    let declared: Vec<Finding> = capacity::findings_on(fleet, machine, None);
    let is_new = |finding: &&Finding| {
        let is_known = |known: &Finding| known.rule == finding.rule && known.places == finding.places;
        finding.rule.gravity > Gravity::Note && !declared.iter().any(is_known)
    };
    let found = capacity::findings_on(fleet, machine, Some(&measured));
    said.extend(found.iter().filter(is_new).map(|finding| finding.text.clone()));
    said
}

fn residents(capacity: &MachineCapacity, window: &capacity::WindowCapacity) -> Bytes {
    capacity::estimated_sum(window.resident.iter().filter_map(|resident| capacity.footprint(&resident.served)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::parse::{sections, weights_files};
    use crate::testing;
    use crate::testing::machine::{after_apply, values};

    /// What the plan of the studio says of weights whose files the probe found so: a config.json of the 35B, one of its draft.
    fn notes(config: &str, draft: &str) -> Vec<String> {
        let fleet = testing::example();
        let machine = fleet.machines.get("mac-studio1").expect("declared");
        let bundle = crate::render::bundle(&fleet, machine);
        let mut observed = after_apply(&fleet, machine, &bundle, &values());
        for (name, text) in [("moe-35b", config), ("moe-35b-draft", draft)] {
            let path = Fleet::weights_path(machine, fleet.weights.get(name).expect("declared"));
            let answer = format!(
                "@@n weights\n40755\t64\t1\t{path}\n100644\t1000\t1\t{path}/model.safetensors\n100644\t9\t1\t{path}/config.json\n\n\
                 @@n config {path}/config.json\n{text}\n"
            );
            observed.weights.insert(path.clone(), weights_files(&sections(answer.as_bytes(), "n")).fact(&path));
        }
        surprises(&fleet, machine, &observed)
    }

    /// Through the probe's own parser: what is no shape is said, and the catalogue's is used.
    #[test]
    fn config_json_that_gives_no_shape() {
        const SOUND: &str = r#"{"text_config": {"num_hidden_layers": 40, "hidden_size": 2048, "num_attention_heads": 16, "head_dim": 256, "vocab_size": 248320}}"#;
        const DRAFT: &str =
            r#"{"hidden_size": 2048, "vocab_size": 248320, "dflash_config": {"target_layer_ids": [39]}}"#;
        assert_eq!(notes(SOUND, DRAFT), [""; 0]);
        for (config, problem) in [
            ("", "config.json is no JSON"),
            ("{\"num_hidden_layers\":", "config.json is no JSON"),
            ("[1]", "config.json holds no object"),
            (r#"{"text_config": {"num_hidden_layers": 40}}"#, "config.json lacks \"hidden_size\""),
            (
                r#"{"text_config": {"num_hidden_layers": 40, "hidden_size": 2048, "num_attention_heads": 0}}"#,
                "\"num_attention_heads\" in config.json is 0, which no model has",
            ),
            (
                r#"{"num_hidden_layers": 18446744073709551615}"#,
                "\"num_hidden_layers\" in config.json is 18446744073709551615, which no model has",
            ),
        ] {
            assert_eq!(notes(config, DRAFT), [format!("the config.json of moe-35b is of no use: {problem}")]);
        }
        assert_eq!(
            notes(SOUND, &DRAFT.replace("39", "40")),
            ["moe-35b-draft is no draft for moe-35b: it taps layer 40, and the model has 0 to 39"]
        );
    }
}
