//! Shapes of known models, for weights whose config.json is not at hand.
//!
//! facts/capacity.md 6: read from published configurations; the 2B's feed-forward and linear-head widths follow its family's pattern and agree with the
//! sizes on disk. "Abliterated" and other builds keep the shape.

use super::geometry::{Experts, Geometry, LinearAttention};

/// A known model.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name that stands within a directory's name.
    pub name: &'static str,
    /// The published model of this shape, where no model of that name is published.
    pub stands_for: Option<&'static str>,
    /// Its shape.
    pub geometry: Geometry,
}

/// The entry whose name stands within the name of the weights' directory, without regard to case (json.md, capacity); the longest wins. `None` for a draft of
/// such a model: its shape is another.
pub fn find(directory: &str) -> Option<Entry> {
    let directory = directory.to_ascii_lowercase();
    if directory.contains("dflash") {
        return None;
    }
    let found = |row: &&Row| contains_name(&directory, &row.name.to_ascii_lowercase());
    let row = ROWS.iter().filter(found).max_by_key(|row| row.name.len())?;
    Some(Entry { name: row.name, stands_for: row.stands_for, geometry: row.geometry() })
}

/// Whether the name stands there as a whole: not as the beginning of a longer word, so that `…-2B` is not found in `…-2Bx` or `…-27B` in `…-127B`.
fn contains_name(directory: &str, name: &str) -> bool {
    directory.match_indices(name).any(|(at, _)| {
        let word = |c: char| c.is_ascii_alphanumeric();
        let before = directory[..at].chars().next_back().is_some_and(word);
        let after = directory[at + name.len()..].chars().next().is_some_and(word);
        !before && !after
    })
}

struct Row {
    name: &'static str,
    stands_for: Option<&'static str>,
    model_type: &'static str,
    hidden: u64,
    /// Full and linear layers.
    layers: (u64, u64),
    /// Query heads, key and value heads, numbers a head.
    heads: (u64, u64, u64),
    /// Key heads and value heads of 128 numbers each, with a convolution of width 4; `None` without linear layers.
    linear: Option<(u64, u64)>,
    feed_forward: u64,
    experts: Option<(u64, u64, u64)>,
    vocabulary: u64,
    tied: bool,
    native_context: u64,
}

impl Row {
    fn geometry(&self) -> Geometry {
        let layers = self.layers.0 + self.layers.1;
        Geometry {
            model_type: self.model_type.to_owned(),
            hidden: self.hidden,
            full_layers: self.layers.0,
            sliding: None,
            linear: self.linear.map(|(key_heads, value_heads)| LinearAttention {
                layers: self.layers.1,
                key_heads,
                value_heads,
                key_dim: 128,
                value_dim: 128,
                conv: 4,
            }),
            query_heads: self.heads.0,
            kv_heads: self.heads.1,
            head_dim: self.heads.2,
            gated_output: self.linear.is_some(),
            feed_forward: self.feed_forward,
            experts: self.experts.map(|(total, active, width)| Experts {
                layers,
                total,
                active,
                width,
                shared_width: width,
            }),
            vocabulary: self.vocabulary,
            tied: self.tied,
            native_context: Some(self.native_context),
            bits_per_weight: None,
        }
    }
}

const QWEN_2B: Row = Row {
    name: "Qwen3.5-2B",
    stands_for: None,
    model_type: "qwen3_5",
    hidden: 2048,
    layers: (6, 18),
    heads: (8, 2, 256),
    linear: Some((16, 16)),
    feed_forward: 6144,
    experts: None,
    vocabulary: 248_320,
    tied: true,
    native_context: 262_144,
};

static ROWS: &[Row] = &[
    Row {
        name: "Qwen3.6-35B-A3B",
        stands_for: None,
        model_type: "qwen3_5_moe",
        hidden: 2048,
        layers: (10, 30),
        heads: (16, 2, 256),
        linear: Some((16, 32)),
        feed_forward: 0,
        experts: Some((256, 8, 512)),
        vocabulary: 248_320,
        tied: false,
        native_context: 262_144,
    },
    Row {
        name: "Qwen3.6-27B",
        stands_for: None,
        model_type: "qwen3_5",
        hidden: 5120,
        layers: (16, 48),
        heads: (24, 4, 256),
        linear: Some((16, 48)),
        feed_forward: 17_408,
        experts: None,
        vocabulary: 248_320,
        tied: false,
        native_context: 262_144,
    },
    QWEN_2B,
    // No 3.6 of 2B was ever found: weights of that name are Qwen3.5-2B.
    Row { name: "Qwen3.6-2B", stands_for: Some("Qwen3.5-2B"), ..QWEN_2B },
    Row {
        name: "arctic-embed-l-v2.0",
        stands_for: None,
        model_type: "xlm-roberta",
        hidden: 1024,
        layers: (24, 0),
        heads: (16, 16, 64),
        linear: None,
        feed_forward: 4096,
        experts: None,
        vocabulary: 250_002,
        tied: true,
        native_context: 8192,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_the_name_within_the_directorys() {
        let name = |directory: &str| find(directory).map(|entry| entry.name);
        assert_eq!(name("Qwen3.6-35B-A3B-Abliterated-MLX-8bit"), Some("Qwen3.6-35B-A3B"));
        assert_eq!(name("qwen3.6-27b-mlx-8bit"), Some("Qwen3.6-27B"));
        assert_eq!(name("Qwen3.6-2B-MLX-4bit"), Some("Qwen3.6-2B"));
        assert_eq!(name("snowflake-arctic-embed-l-v2.0-8bit"), Some("arctic-embed-l-v2.0"));
        assert_eq!(name("Qwen3.6-35B-A3B-DFlash"), None);
        assert_eq!(name("Qwen3.6-27Bx"), None);
        assert_eq!(name("xQwen3.6-27B"), None);
        assert_eq!(name("Llama-3.3-70B"), None);
        assert_eq!(find("Qwen3.6-2B").and_then(|entry| entry.stands_for), Some("Qwen3.5-2B"));
    }

    /// facts/capacity.md 3.1: total and active parameters, in billions.
    #[test]
    fn parameters() {
        for (directory, total, active) in
            [("Qwen3.6-35B-A3B", 34.66, 2.95), ("Qwen3.6-27B", 26.90, 25.62), ("Qwen3.5-2B", 1.88, 1.88)]
        {
            let parameters = find(directory).expect("known").geometry.parameters();
            #[expect(clippy::cast_precision_loss, reason = "billions")]
            let billions = |n: u64| n as f64 / 1e9;
            assert!((billions(parameters.total) - total).abs() < 0.011, "{directory}: {parameters:?}");
            assert!((billions(parameters.active) - active).abs() < 0.011, "{directory}: {parameters:?}");
        }
    }
}
