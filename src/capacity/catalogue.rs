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
    if directory.to_ascii_lowercase().contains("dflash") { None } else { find_named(directory) }
}

/// The entry whose name stands within the name of a directory, also that of a draft: the model that it was made for.
pub(super) fn find_named(directory: &str) -> Option<Entry> {
    let directory = directory.to_ascii_lowercase();
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

    #[expect(clippy::cast_precision_loss, reason = "billions")]
    fn billions(parameters: u64) -> f64 {
        parameters as f64 / 1e9
    }

    /// facts/capacity.md 3.1: total and active parameters, in billions.
    #[test]
    fn parameters() {
        for (directory, total, active) in
            [("Qwen3.6-35B-A3B", 34.66, 2.95), ("Qwen3.6-27B", 26.90, 25.62), ("Qwen3.5-2B", 1.88, 1.88)]
        {
            let parameters = find(directory).expect("known").geometry.parameters();
            assert!((billions(parameters.total) - total).abs() < 0.011, "{directory}: {parameters:?}");
            assert!((billions(parameters.active) - active).abs() < 0.011, "{directory}: {parameters:?}");
        }
        // The embedder, section 6: 568 M, 303 M of them outside the embedding; its positions and norms (10 M) are not counted.
        let embedder = find("arctic-embed-l-v2.0").expect("known").geometry;
        let total = billions(embedder.parameters().total);
        let inside = total - billions(embedder.vocabulary * embedder.hidden);
        assert!((total / 0.568 - 1.0).abs() < 0.02 && (inside / 0.303 - 1.0).abs() < 0.01, "{total} {inside}");
    }

    /// facts/capacity.md 3.1 and 6: sizes that follow from the parameters. GB at 8 and 4 bit; the 27B also in GiB, the 2B's text at 16 and 4 bit in GiB.
    #[test]
    fn sizes_by_parameters() {
        const GIB: f64 = 1.073_741_824;
        for (directory, bits, size, unit) in [
            ("Qwen3.6-35B-A3B", 8.5, 36.83, 1.0),
            ("Qwen3.6-35B-A3B", 8.5, 34.30, GIB),
            ("Qwen3.6-35B-A3B", 4.5, 19.50, 1.0),
            ("Qwen3.6-27B", 8.5, 28.58, 1.0),
            ("Qwen3.6-27B", 8.5, 26.61, GIB),
            ("Qwen3.6-27B", 4.5, 15.13, 1.0),
            ("Qwen3.5-2B", 8.5, 2.00, 1.0),
            ("Qwen3.5-2B", 4.5, 1.06, 1.0),
            ("Qwen3.5-2B", 16.0, 3.50, GIB),
            ("Qwen3.5-2B", 4.5, 0.99, GIB),
        ] {
            let parameters = billions(find(directory).expect("known").geometry.parameters().total);
            let found = parameters * bits / 8.0 / unit;
            assert!((found / size - 1.0_f64).abs() < 0.006, "{directory} at {bits}: {found}, not {size}");
        }
    }

    /// The table of facts/capacity.md 6: layers (full + linear), hidden, query and key-value heads, numbers a head, linear heads, context, vocabulary, tied.
    #[test]
    fn the_table_of_the_facts() {
        for (directory, layers, hidden, heads, linear, context, vocabulary, tied) in [
            ("Qwen3.6-35B-A3B", (10, 30), 2048, (16, 2, 256), (16, 32), 262_144, 248_320, false),
            ("Qwen3.6-27B", (16, 48), 5120, (24, 4, 256), (16, 48), 262_144, 248_320, false),
            ("Qwen3.5-2B", (6, 18), 2048, (8, 2, 256), (16, 16), 262_144, 248_320, true),
        ] {
            let known = find(directory).expect("known").geometry;
            let of_linear = known.linear.expect("hybrid");
            assert_eq!((known.full_layers, of_linear.layers), layers, "{directory}");
            assert_eq!(known.layers() / known.full_layers, 4, "{directory}: every fourth layer is full");
            assert_eq!((known.hidden, known.vocabulary, known.tied), (hidden, vocabulary, tied), "{directory}");
            assert_eq!((known.query_heads, known.kv_heads, known.head_dim), heads, "{directory}");
            assert_eq!((of_linear.key_heads, of_linear.value_heads), linear, "{directory}");
            assert_eq!((of_linear.key_dim, of_linear.value_dim, of_linear.conv), (128, 128, 4), "{directory}");
            assert_eq!(known.native_context, Some(context), "{directory}");
        }
        let experts = find("Qwen3.6-35B-A3B").expect("known").geometry.experts.expect("a mixture");
        assert_eq!((experts.total, experts.active, experts.width, experts.shared_width), (256, 8, 512, 512));
        assert_eq!(find("Qwen3.6-27B").map(|entry| entry.geometry.feed_forward), Some(17_408));
        assert_eq!(find("Qwen3.5-2B").map(|entry| entry.geometry.feed_forward), Some(6144));
        let embedder = find("arctic-embed-l-v2.0").expect("known").geometry;
        assert_eq!((embedder.layers(), embedder.hidden, embedder.feed_forward), (24, 1024, 4096));
        assert_eq!((embedder.query_heads, embedder.kv_heads, embedder.head_dim), (16, 16, 64));
        assert_eq!(embedder.native_context, Some(8192));
    }
}
