//! A model's config.json as a shape.

use serde_json::{Map, Value};

use super::geometry::{Experts, Geometry, LinearAttention, SlidingAttention};

/// Why a config.json gives no shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeometryError {
    /// No JSON.
    #[error("config.json is no JSON")]
    NotJson,
    /// JSON, but no object.
    #[error("config.json holds no object")]
    NotObject,
    /// A number that is needed is not there.
    #[error("config.json lacks \"{0}\"")]
    Missing(&'static str),
    /// A key of another type.
    #[error("\"{0}\" in config.json is no whole number")]
    WrongType(&'static str),
    /// Zero, or beyond what any model has.
    #[error("\"{key}\" in config.json is {value}, which no model has")]
    Absurd {
        /// The key.
        key: &'static str,
        /// What it says.
        value: u64,
    },
    /// Layers of a kind that this arithmetic does not know.
    #[error("config.json has {0}, which this arithmetic does not know")]
    Unsupported(String),
}

/// Bounds far above any model and small enough that no product of them overflows: parameters stay below 2^61, caches saturate.
pub(super) const MOST_LAYERS: u64 = 1 << 10;
const MOST_HEADS: u64 = 1 << 10;
const MOST_DIM: u64 = 1 << 12;
pub(super) const MOST_HIDDEN: u64 = 1 << 17;
const MOST_WIDTH: u64 = 1 << 18;
pub(super) const MOST_VOCABULARY: u64 = 1 << 24;
/// The longest context that is taken seriously, tokens.
pub(super) const MOST_CONTEXT: u64 = 1 << 30;

/// Reads a config.json (Hugging Face's, as MLX writes it). A nested `text_config` is the text model of one that also sees; what it lacks is looked for
/// around it. Errors: [`GeometryError`].
pub fn geometry_of_config(text: &str) -> Result<Geometry, GeometryError> {
    let value: Value = serde_json::from_str(text).map_err(|_| GeometryError::NotJson)?;
    Keys::of(&value)?.geometry()
}

/// The keys of the text model, then those around it.
pub(super) struct Keys<'a> {
    inner: &'a Map<String, Value>,
    outer: &'a Map<String, Value>,
}

impl<'a> Keys<'a> {
    /// Errors: it is no object.
    pub(super) fn of(value: &'a Value) -> Result<Self, GeometryError> {
        let outer = value.as_object().ok_or(GeometryError::NotObject)?;
        let inner = outer.get("text_config").and_then(Value::as_object);
        Ok(Self { inner: inner.unwrap_or(outer), outer })
    }
}

impl Keys<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.inner.get(key).or_else(|| self.outer.get(key)).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// A whole number from 1 to `most`, under the first of the names that is there.
    pub(super) fn optional(&self, names: &[&'static str], most: u64) -> Result<Option<u64>, GeometryError> {
        let Some((key, value)) = names.iter().find_map(|key| self.get(key).map(|value| (*key, value))) else {
            return Ok(None);
        };
        let value = value.as_u64().ok_or(GeometryError::WrongType(key))?;
        if (1..=most).contains(&value) { Ok(Some(value)) } else { Err(GeometryError::Absurd { key, value }) }
    }

    fn needed(&self, names: &[&'static str], most: u64) -> Result<u64, GeometryError> {
        self.optional(names, most)?.ok_or(GeometryError::Missing(names[0]))
    }

    fn geometry(&self) -> Result<Geometry, GeometryError> {
        if self.get("kv_lora_rank").is_some() {
            return Err(GeometryError::Unsupported("multi-head latent attention".to_owned()));
        }
        let layers = self.needed(&["num_hidden_layers", "n_layer", "n_layers"], MOST_LAYERS)?;
        let hidden = self.needed(&["hidden_size", "n_embd", "d_model"], MOST_HIDDEN)?;
        let query_heads = self.needed(&["num_attention_heads", "n_head", "n_heads"], MOST_HEADS)?;
        let kv_heads = self.optional(&["num_key_value_heads", "n_kv_heads"], MOST_HEADS)?.unwrap_or(query_heads);
        let head_dim = match self.optional(&["head_dim"], MOST_DIM)? {
            Some(head_dim) => head_dim,
            None if hidden / query_heads > 0 && hidden / query_heads <= MOST_DIM => hidden / query_heads,
            None => return Err(GeometryError::Missing("head_dim")),
        };
        let (full_layers, sliding, linear_layers) = self.layer_kinds(layers)?;
        let linear = (linear_layers > 0).then(|| self.linear(linear_layers)).transpose()?;
        let experts = self.experts(layers)?;
        let feed_forward = match experts {
            Some(experts) if experts.layers == layers => 0,
            _ => self.optional(&["intermediate_size", "n_inner"], MOST_WIDTH)?.unwrap_or(4 * hidden),
        };
        Ok(Geometry {
            model_type: self.text("model_type").to_owned(),
            hidden,
            full_layers,
            sliding,
            linear,
            query_heads,
            kv_heads,
            head_dim,
            gated_output: self.gated_output(linear.is_some()),
            feed_forward,
            experts,
            vocabulary: self.optional(&["vocab_size"], MOST_VOCABULARY)?.unwrap_or(0),
            tied: self.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
            native_context: self.optional(&["max_position_embeddings", "n_positions", "max_seq_len"], MOST_CONTEXT)?,
            bits_per_weight: self.bits_per_weight(),
        })
    }

    /// How many layers attend to everything, to a window, and linearly. `layer_types` says it layer by layer; else every `full_attention_interval`-th layer is
    /// full and the rest linear (Qwen3-Next and later), or every `sliding_window_pattern`-th full and the rest sliding (Gemma 3); else all are full: a bare
    /// `sliding_window` is what many configurations carry and few engines use.
    fn layer_kinds(&self, layers: u64) -> Result<(u64, Option<SlidingAttention>, u64), GeometryError> {
        let window = || self.needed(&["sliding_window", "sliding_window_size"], MOST_CONTEXT);
        if let Some(types) = self.get("layer_types").and_then(Value::as_array) {
            let (mut full, mut sliding, mut linear) = (0, 0, 0);
            for kind in types {
                match kind.as_str().unwrap_or("") {
                    "full_attention" | "attention" | "global" => full += 1,
                    "sliding_attention" | "chunked_attention" | "local" => sliding += 1,
                    "linear_attention" => linear += 1,
                    other => {
                        return Err(GeometryError::Unsupported(format!("layers of type \"{}\"", other.escape_debug())));
                    }
                }
            }
            if full + sliding + linear != layers {
                return Err(GeometryError::Absurd { key: "layer_types", value: full + sliding + linear });
            }
            let sliding =
                if sliding > 0 { Some(SlidingAttention { layers: sliding, window: window()? }) } else { None };
            return Ok((full, sliding, linear));
        }
        if let Some(interval) = self.optional(&["full_attention_interval"], MOST_LAYERS)? {
            let full = layers / interval;
            return Ok((full, None, layers - full));
        }
        if let Some(pattern) = self.optional(&["sliding_window_pattern"], MOST_LAYERS)? {
            let full = layers / pattern;
            return Ok((full, Some(SlidingAttention { layers: layers - full, window: window()? }), 0));
        }
        Ok((layers, None, 0))
    }

    fn linear(&self, layers: u64) -> Result<LinearAttention, GeometryError> {
        Ok(LinearAttention {
            layers,
            key_heads: self.needed(&["linear_num_key_heads"], MOST_HEADS)?,
            value_heads: self.needed(&["linear_num_value_heads"], MOST_HEADS)?,
            key_dim: self.needed(&["linear_key_head_dim"], MOST_DIM)?,
            value_dim: self.needed(&["linear_value_head_dim"], MOST_DIM)?,
            conv: self.optional(&["linear_conv_kernel_dim"], MOST_DIM)?.unwrap_or(4),
        })
    }

    fn experts(&self, layers: u64) -> Result<Option<Experts>, GeometryError> {
        let Some(total) = self.optional(&["num_experts", "num_local_experts", "n_routed_experts"], 1 << 14)? else {
            return Ok(None);
        };
        let active = self.needed(&["num_experts_per_tok", "num_experts_per_token", "top_k_experts"], 1 << 14)?;
        if active > total {
            return Err(GeometryError::Absurd { key: "num_experts_per_tok", value: active });
        }
        let width =
            self.needed(&["moe_intermediate_size", "expert_intermediate_size", "intermediate_size"], MOST_WIDTH)?;
        let shared_width = match self.optional(&["shared_expert_intermediate_size"], MOST_WIDTH)? {
            Some(width) => width,
            None => self.optional(&["n_shared_experts", "num_shared_experts"], 1 << 10)?.unwrap_or(0) * width,
        };
        let dense = self.optional(&["first_k_dense_replace"], MOST_LAYERS)?.unwrap_or(0).min(layers);
        Ok(Some(Experts { layers: layers - dense, total, active, width, shared_width }))
    }

    /// Said by `attn_output_gate`; the hybrid Qwen family has it also where it does not say so.
    fn gated_output(&self, is_hybrid: bool) -> bool {
        let said = self.get("attn_output_gate").and_then(Value::as_bool);
        said.unwrap_or_else(|| is_hybrid && self.text("model_type").starts_with("qwen3"))
    }

    fn bits_per_weight(&self) -> Option<f64> {
        let quantization = self.get("quantization").or_else(|| self.get("quantization_config"))?;
        let bits = quantization.get("bits").and_then(Value::as_u64).filter(|bits| (1..=16).contains(bits))?;
        let group =
            quantization.get("group_size").and_then(Value::as_u64).filter(|group| (8..=4096).contains(group))?;
        #[expect(clippy::cast_precision_loss, reason = "both below 2^13")]
        Some(bits as f64 + 32.0 / group as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    const QWEN_27B: &str = r#"{
        "model_type": "qwen3_5", "architectures": ["Qwen3_5ForConditionalGeneration"],
        "quantization": {"group_size": 64, "bits": 8},
        "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27},
        "text_config": {
            "model_type": "qwen3_5_text", "hidden_size": 5120, "num_hidden_layers": 64, "full_attention_interval": 4,
            "num_attention_heads": 24, "num_key_value_heads": 4, "head_dim": 256, "intermediate_size": 17408, "vocab_size": 248320,
            "linear_num_key_heads": 16, "linear_num_value_heads": 48, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
            "linear_conv_kernel_dim": 4, "max_position_embeddings": 262144, "tie_word_embeddings": false
        }
    }"#;

    #[test]
    fn a_nested_hybrid_model_is_what_the_catalogue_says() {
        let read = geometry_of_config(QWEN_27B).expect("a shape");
        let known = catalogue::find("Qwen3.6-27B-MLX-8bit").expect("in the catalogue").geometry;
        assert_eq!(read.bits_per_weight, Some(8.5));
        assert_eq!(Geometry { model_type: known.model_type.clone(), bits_per_weight: None, ..read }, known);
    }

    #[test]
    fn kinds_of_layers() {
        let config = |extra: &str| {
            format!(
                r#"{{"num_hidden_layers": 6, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128{extra}}}"#
            )
        };
        let shape = |extra: &str| geometry_of_config(&config(extra));
        let plain = shape("").expect("plain");
        assert_eq!((plain.full_layers, plain.kv_heads, plain.head_dim, plain.sliding), (6, 2, 16, None));
        let gemma = shape(r#", "sliding_window": 512, "sliding_window_pattern": 6"#).expect("gemma");
        assert_eq!((gemma.full_layers, gemma.sliding), (1, Some(SlidingAttention { layers: 5, window: 512 })));
        let typed = shape(
            r#", "sliding_window": 512, "layer_types": ["sliding_attention","sliding_attention","sliding_attention","full_attention","sliding_attention","full_attention"]"#,
        )
        .expect("typed");
        assert_eq!((typed.full_layers, typed.sliding.map(|sliding| sliding.layers)), (2, Some(4)));
        let mistral = shape(r#", "sliding_window": 4096"#).expect("a bare window");
        assert_eq!(mistral.full_layers, 6);
        assert_eq!(
            shape(r#", "layer_types": ["mamba","mamba","mamba","mamba","mamba","mamba"]"#),
            Err(GeometryError::Unsupported("layers of type \"mamba\"".to_owned()))
        );
        assert_eq!(
            shape(r#", "layer_types": ["full_attention"]"#),
            Err(GeometryError::Absurd { key: "layer_types", value: 1 })
        );
        assert_eq!(shape(r#", "full_attention_interval": 4"#), Err(GeometryError::Missing("linear_num_key_heads")));
    }

    #[test]
    fn what_is_no_shape_is_a_typed_error() {
        use GeometryError as E;
        for (text, error) in [
            ("", E::NotJson),
            ("{\"num_hidden_layers\":", E::NotJson),
            ("[1]", E::NotObject),
            ("{}", E::Missing("num_hidden_layers")),
            (r#"{"num_hidden_layers": "x"}"#, E::WrongType("num_hidden_layers")),
            (r#"{"num_hidden_layers": -3}"#, E::WrongType("num_hidden_layers")),
            (r#"{"num_hidden_layers": 0}"#, E::Absurd { key: "num_hidden_layers", value: 0 }),
            (r#"{"num_hidden_layers": 18446744073709551615}"#, E::Absurd { key: "num_hidden_layers", value: u64::MAX }),
            (
                r#"{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 0}"#,
                E::Absurd { key: "num_attention_heads", value: 0 },
            ),
            (r#"{"kv_lora_rank": 512}"#, E::Unsupported("multi-head latent attention".to_owned())),
        ] {
            assert_eq!(geometry_of_config(text), Err(error), "{text}");
        }
        assert_eq!(geometry_of_config(&"[".repeat(100_000)), Err(E::NotJson));
    }
}
