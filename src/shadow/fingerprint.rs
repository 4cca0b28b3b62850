//! What an experiment rests on. Any change starts a new one: pairs of two prompts, two parsers or two models are no sample of either.

use sha2::{Digest as _, Sha256};

use crate::fleet::{Fleet, ReferenceApi, Shadow, hex};

/// Changes when [`super::judge`] reads an answer in another way.
const PARSER: &str = "1";

/// The parts of a fingerprint, in order: what each is called and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    parts: Vec<(String, String)>,
}

impl Fingerprint {
    /// Of a calibration as the fleet file has it, and of the prompt around the inputs (system messages and request fields), as text.
    pub fn new(fleet: &Fleet, shadow: &Shadow, prompt: &str) -> Self {
        let mut parts = vec![("release".to_owned(), release(fleet))];
        let routes = fleet.slots.get(&shadow.slot).map(|slot| slot.route.as_slice()).unwrap_or_default();
        for served in routes.iter().filter_map(|rank| fleet.served.get(&rank.served)) {
            let weights = fleet.weights.get(&served.model);
            let profile = fleet.profiles.get(&served.profile);
            parts.push((
                format!("weights of {}", served.name),
                weights.map_or(String::new(), |w| format!("{} {}", w.directory, w.size)),
            ));
            let fields = profile.map(|p| serde_json::json!({ "fields": p.fields, "drafts": p.drafts.iter().map(|(k, v)| (k.clone(), v.to_string())).collect::<std::collections::BTreeMap<_, _>>() }));
            parts.push((
                format!("profile of {}", served.name),
                format!("{} {}", served.profile, fields.unwrap_or_default()),
            ));
        }
        let api = match shadow.reference.api {
            ReferenceApi::OpenAi => "openai",
            ReferenceApi::Anthropic => "anthropic",
        };
        parts.push(("reference".to_owned(), format!("{api} {} {}", shadow.reference.base_url, shadow.reference.model)));
        parts.push((
            "parser".to_owned(),
            format!("{PARSER} {} {} {}", shadow.score, shadow.tier, shadow.tiers.join("|")),
        ));
        parts.push(("prompt".to_owned(), hash(&[prompt])));
        Self { parts }
    }

    /// The parts.
    pub fn parts(&self) -> &[(String, String)] {
        &self.parts
    }

    /// 16 hex digits.
    pub fn id(&self) -> String {
        let fields: Vec<&str> = self.parts.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        hash(&fields)[..16].to_owned()
    }
}

fn release(fleet: &Fleet) -> String {
    fleet.canonical.pointer("/omlx/version").and_then(serde_json::Value::as_str).unwrap_or("unknown").to_owned()
}

/// SHA-256 of texts, in hex; each is preceded by its length, so that no two lists look alike.
pub fn hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hex(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn any_change_starts_a_new_experiment() {
        let text = include_str!("../../fleet.toml");
        let of = |text: &str, prompt: &str| {
            let fleet = testing::fleet(text);
            Fingerprint::new(&fleet, fleet.shadows.get("job-score").expect("declared"), prompt).id()
        };
        let before = of(text, "p");
        assert_eq!(before, of(&format!("# a comment\n{text}"), "p"));
        assert_eq!(
            before,
            of(&text.replace("rung      = \"shadow\"", "rung      = \"easy-5\""), "p"),
            "the ladder is no part of it"
        );
        assert_ne!(before, of(text, "q"));
        assert_ne!(before, of(&text.replace("gpt-5", "gpt-6"), "p"));
        assert_ne!(before, of(&text.replace("score     = \"/score\"", "score     = \"/points\""), "p"));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
