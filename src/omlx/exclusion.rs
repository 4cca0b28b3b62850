//! Settings that exclude one another, and settings that an engine ignores.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Release;

/// Two settings that must not be on together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The first field.
    pub one: &'static str,
    /// The field that excludes it.
    pub other: &'static str,
    /// What happens if they are.
    pub why: &'static str,
}

const ALL: &[Release] = &Release::ALL;
const LATER: &[Release] = &[Release::V0_5_0, Release::Flyto0_7_0];
const FLYTO: &[Release] = &[Release::Flyto0_7_0];

const DFLASH_FIRST: &str = "the DFlash engine is chosen first and uses neither; when it cannot start, oMLX silently loads the other engine with the other settings";
const RAISES: &str = "the release refuses both together, drops the whole entry with a warning and erases it at its next save (model_settings.py, __post_init__)";

/// The pairs by release. DFlash with TurboQuant or SpecPrefill is allowed by oMLX and never useful (facts/omlx.md 3.1); the MTP rules are `__post_init__` of
/// 0.5.0 and of flyto-0.7.0 (0.5.0 dropped mtp with TurboQuant, facts/omlx.md 3.3).
static PAIRS: &[(&str, &str, &str, &[Release])] = &[
    ("dflash_enabled", "turboquant_kv_enabled", DFLASH_FIRST, ALL),
    ("dflash_enabled", "specprefill_enabled", DFLASH_FIRST, ALL),
    ("mtp_enabled", "dflash_enabled", RAISES, LATER),
    ("mtp_enabled", "turboquant_kv_enabled", RAISES, FLYTO),
    ("vlm_mtp_enabled", "dflash_enabled", RAISES, LATER),
    ("vlm_mtp_enabled", "specprefill_enabled", RAISES, LATER),
    ("vlm_mtp_enabled", "mtp_enabled", RAISES, LATER),
    ("vlm_mtp_enabled", "turboquant_kv_enabled", RAISES, LATER),
];

/// The pairs of a profile's fields that are on together and must not be.
pub fn conflicts(release: Release, declared: &BTreeMap<String, Value>) -> Vec<Conflict> {
    let on = |field: &str| declared.get(field) == Some(&Value::Bool(true));
    PAIRS
        .iter()
        .filter(|(one, other, _, releases)| releases.contains(&release) && on(one) && on(other))
        .map(|(one, other, why, _)| Conflict { one, other, why })
        .collect()
}

/// The fields that a DFlash engine ignores: it is given prompt, `max_tokens` and `temperature` only (0.3.8 engine/dflash.py; facts/omlx.md 8.1, capacity 3.6).
/// Stop strings, seeds and grammars of a request are ignored too, but are no settings of a model.
pub fn sampler_fields_ignored_by_dflash(release: Release) -> &'static [&'static str] {
    match release {
        Release::V0_3_8 | Release::V0_5_0 | Release::Flyto0_7_0 => &[
            "top_p",
            "top_k",
            "min_p",
            "repetition_penalty",
            "presence_penalty",
            "thinking_budget_enabled",
            "thinking_budget_tokens",
            "guided_grammar_enabled",
            "guided_grammar",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(fields: &[&str]) -> BTreeMap<String, Value> {
        fields.iter().map(|field| ((*field).to_owned(), Value::Bool(true))).collect()
    }

    #[test]
    fn pairs_by_release() {
        let pairs = |release, fields: &[&str]| -> Vec<(&str, &str)> {
            conflicts(release, &on(fields)).into_iter().map(|conflict| (conflict.one, conflict.other)).collect()
        };
        let both = ["dflash_enabled", "turboquant_kv_enabled"];
        assert_eq!(pairs(Release::V0_3_8, &both), [("dflash_enabled", "turboquant_kv_enabled")]);
        let mtp = ["mtp_enabled", "turboquant_kv_enabled"];
        assert_eq!(pairs(Release::V0_5_0, &mtp), []);
        assert_eq!(pairs(Release::Flyto0_7_0, &mtp), [("mtp_enabled", "turboquant_kv_enabled")]);
        assert_eq!(pairs(Release::V0_3_8, &["dflash_enabled"]), []);
    }
}
