//! What a draft's config.json says of the model that it was trained for.

use serde_json::Value;

use super::model_config::{GeometryError, Keys, MOST_HIDDEN, MOST_LAYERS, MOST_VOCABULARY};

/// The target of a draft. What its config.json does not say is `None`, or no tap.
///
/// A DFlash draft reads the hidden states of some layers of its target (`dflash_config.target_layer_ids` and `num_target_layers` of the drafts that z-lab
/// publishes), and has the target's hidden size and vocabulary (facts/capacity.md 6). Every draft proposes tokens by their numbers: the vocabulary is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DraftTarget {
    /// Layers of the target.
    pub(super) layers: Option<u64>,
    /// The layers that it reads, from 0.
    pub(super) taps: Vec<u64>,
    /// Numbers a token between layers.
    pub(super) hidden: Option<u64>,
    /// Tokens of the vocabulary.
    pub(super) vocabulary: Option<u64>,
}

/// Reads the config.json of a draft. Errors: [`GeometryError`].
pub(super) fn draft_target_of_config(text: &str) -> Result<DraftTarget, GeometryError> {
    let value: Value = serde_json::from_str(text).map_err(|_| GeometryError::NotJson)?;
    let keys = Keys::of(&value)?;
    let tap = |tap: &Value| tap.as_u64().ok_or(GeometryError::WrongType("target_layer_ids"));
    let taps = match value.pointer("/dflash_config/target_layer_ids") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(taps)) => taps.iter().map(tap).collect::<Result<_, _>>()?,
        Some(_) => return Err(GeometryError::WrongType("target_layer_ids")),
    };
    Ok(DraftTarget {
        layers: keys.optional(&["num_target_layers"], MOST_LAYERS)?,
        taps,
        hidden: keys.optional(&["hidden_size"], MOST_HIDDEN)?,
        vocabulary: keys.optional(&["vocab_size"], MOST_VOCABULARY)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_draft_says_of_its_target() {
        let text = r#"{"model_type": "qwen3", "hidden_size": 2048, "num_hidden_layers": 6, "num_target_layers": 40, "vocab_size": 248320, "block_size": 16,
            "dflash_config": {"mask_token_id": 248077, "target_layer_ids": [1, 6, 11, 16, 22, 27, 32, 37]}}"#;
        let expected = DraftTarget {
            layers: Some(40),
            taps: vec![1, 6, 11, 16, 22, 27, 32, 37],
            hidden: Some(2048),
            vocabulary: Some(248_320),
        };
        assert_eq!(draft_target_of_config(text), Ok(expected));
        assert_eq!(draft_target_of_config("{}"), Ok(DraftTarget::default()));
        for (text, error) in [
            ("", GeometryError::NotJson),
            ("[]", GeometryError::NotObject),
            (r#"{"hidden_size": "x"}"#, GeometryError::WrongType("hidden_size")),
            (r#"{"vocab_size": 0}"#, GeometryError::Absurd { key: "vocab_size", value: 0 }),
            (r#"{"dflash_config": {"target_layer_ids": 7}}"#, GeometryError::WrongType("target_layer_ids")),
            (r#"{"dflash_config": {"target_layer_ids": [1, -1]}}"#, GeometryError::WrongType("target_layer_ids")),
        ] {
            assert_eq!(draft_target_of_config(text), Err(error), "{text}");
        }
    }
}
