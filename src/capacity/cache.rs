//! What a sequence costs beside the weights: KV cache, recurrent state, prefill scratch.

use super::geometry::Geometry;

/// mlx-lm grows a cache in steps of this many tokens (cache.py, `KVCache.step`).
const STEP: u64 = 256;

/// oMLX prefills in chunks of this many tokens (0.3.8 `memory_monitor.py`:389, `chunk_size` 2048).
pub const PREFILL_CHUNK: u64 = 2048;

/// How the KV cache is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KvFormat {
    /// 16 bits a number.
    Half,
    /// MLX's affine quantisation: bits + 32 / 64 a number.
    Affine {
        /// 4 or 8.
        bits: u8,
    },
    /// oMLX's TurboQuant: per vector `ceil(head_dim · bits / 32) · 4 + 2` bytes.
    TurboQuant {
        /// 2 to 8, halves too.
        bits: f64,
        /// Whether the last layer stays at 16 bits (`turboquant_skip_last`).
        skip_last: bool,
    },
}

/// Bytes of KV cache that one more token costs, all growing layers together: `2 · kv_heads · head_dim · bytes` a layer (facts/capacity.md 3.2). Grouped-query
/// attention counts its key and value heads, never its query heads; layers with a window or a state do not grow.
pub fn kv_bytes_per_token(geometry: &Geometry, format: KvFormat) -> u64 {
    layers_kv(geometry, geometry.full_layers, format)
}

/// Bytes of KV cache of one sequence of `tokens`, rounded up to whole steps of 256; layers with a window stop at it.
pub fn kv_bytes(geometry: &Geometry, tokens: u64, format: KvFormat) -> u64 {
    let tokens = round_up(tokens);
    let full = kv_bytes_per_token(geometry, format).saturating_mul(tokens);
    // Sliding layers keep rotating caches, which TurboQuant leaves alone.
    let sliding = geometry.sliding.map_or(0, |sliding| {
        layers_kv(geometry, sliding.layers, KvFormat::Half).saturating_mul(tokens.min(round_up(sliding.window)))
    });
    full.saturating_add(sliding)
}

/// Bytes of KV cache of one request: the model's own, and those of the drafts that run beside it (facts/capacity.md 6: 4096 bytes a layer and token for the
/// DFlash drafts, their sliding layers capped at the window). Drafts are never quantised.
pub fn request_kv_bytes(geometry: &Geometry, drafts: &[Geometry], tokens: u64, format: KvFormat) -> u64 {
    let of_drafts = drafts.iter().map(|draft| kv_bytes(draft, tokens, KvFormat::Half)).fold(0, u64::saturating_add);
    kv_bytes(geometry, tokens, format).saturating_add(of_drafts)
}

fn layers_kv(geometry: &Geometry, layers: u64, format: KvFormat) -> u64 {
    // Keys and values.
    let vectors = 2 * geometry.kv_heads;
    let half = vectors * geometry.head_dim * 2;
    match format {
        KvFormat::Half => layers * half,
        // In 1/16 bytes, so that 8.5 and 4.5 bits stay whole numbers.
        KvFormat::Affine { bits } => layers * vectors * geometry.head_dim * (2 * u64::from(bits) + 1) / 16,
        KvFormat::TurboQuant { bits, skip_last } => {
            let kept = u64::from(skip_last).min(layers);
            (layers - kept) * vectors * turboquant_vector(geometry.head_dim, bits) + kept * half
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a head has at most 4096 numbers of at most 8 bits"
)]
fn turboquant_vector(head_dim: u64, bits: f64) -> u64 {
    (head_dim as f64 * bits / 32.0).ceil() as u64 * 4 + 2
}

fn round_up(tokens: u64) -> u64 {
    tokens.div_ceil(STEP).saturating_mul(STEP)
}

/// Bytes of recurrent state of one sequence, whatever its length: fp32 state and the convolution's last inputs at 16 bits (facts/capacity.md 3.2).
pub fn state_bytes(geometry: &Geometry) -> u64 {
    geometry.linear.map_or(0, |linear| {
        let inputs = 2 * linear.key_heads * linear.key_dim + linear.value_heads * linear.value_dim;
        recurrent_bytes(geometry) + linear.layers * (linear.conv - 1) * inputs * 2
    })
}

/// The fp32 part of [`state_bytes`]: what every step reads and writes whole.
pub fn recurrent_bytes(geometry: &Geometry) -> u64 {
    geometry.linear.map_or(0, |linear| linear.layers * linear.value_heads * linear.value_dim * linear.key_dim * 4)
}

/// Bytes of prefill scratch that one more token of context costs: above 128 numbers a head MLX computes attention unfused, with fp32 scores of
/// `query_heads · chunk · context` (oMLX's own conservative model, `memory_monitor.py`:366-405); up to 128 nothing.
pub fn scratch_bytes_per_token(geometry: &Geometry) -> u64 {
    let attends = geometry.full_layers > 0 || geometry.sliding.is_some();
    if geometry.head_dim > 128 && attends { geometry.query_heads * PREFILL_CHUNK * 4 } else { 0 }
}

/// Bytes of prefill scratch at a context of `tokens`: the scores, or, up to 128 numbers a head, the output of one chunk. The output beside the scores (below
/// one part in 200 at 64 Ki) is left out, as in the facts' own numbers.
///
/// Of several models in one process only the largest counts: one worker thread runs them all, so that two chunks never overlap (facts/capacity.md 3.3, 3.7).
pub fn scratch_bytes(geometry: &Geometry, tokens: u64) -> u64 {
    let per_token = scratch_bytes_per_token(geometry);
    if per_token == 0 {
        return geometry.query_heads * tokens.min(PREFILL_CHUNK) * geometry.head_dim * 4;
    }
    let seen = match geometry.sliding {
        Some(sliding) if geometry.full_layers == 0 => tokens.min(sliding.window.saturating_add(PREFILL_CHUNK)),
        _ => tokens,
    };
    per_token.saturating_mul(seen)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::super::geometry::SlidingAttention;
    use super::*;

    const KI: u64 = 1024;

    fn known(directory: &str) -> Geometry {
        catalogue::find(directory).expect("in the catalogue").geometry
    }

    fn models() -> [Geometry; 3] {
        [known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"), known("Qwen3.5-2B")]
    }

    #[expect(clippy::cast_precision_loss, reason = "two decimals")]
    fn gib(bytes: u64) -> String {
        format!("{:.2}", bytes as f64 / f64::from(1 << 30))
    }

    /// facts/capacity.md 3.2 and the fixture numbers of section 7.
    #[test]
    fn bytes_a_token_and_states() {
        assert_eq!(models().map(|model| kv_bytes_per_token(&model, KvFormat::Half)), [20_480, 65_536, 12_288]);
        assert_eq!(models().map(|model| state_bytes(&model)), [64_389_120, 153_944_064, 19_537_920]);
        assert_eq!(models().map(|model| recurrent_bytes(&model)), [62_914_560, 150_994_944, 18_874_368]);
        assert_eq!(models().map(|model| scratch_bytes_per_token(&model)), [131_072, 196_608, 65_536]);
    }

    #[test]
    fn caches_at_64_ki() {
        let at = |format| models().map(|model| gib(kv_bytes(&model, 64 * KI, format)));
        let turbo = |bits| KvFormat::TurboQuant { bits, skip_last: true };
        assert_eq!(at(KvFormat::Half), ["1.25", "4.00", "0.75"]);
        assert_eq!(at(KvFormat::Affine { bits: 8 }), ["0.66", "2.12", "0.40"]);
        assert_eq!(at(KvFormat::Affine { bits: 4 }), ["0.35", "1.12", "0.21"]);
        assert_eq!(at(turbo(4.0)), ["0.41", "1.20", "0.28"]);
        assert_eq!(at(turbo(3.0)), ["0.34", "0.97", "0.24"]);
        assert_eq!(models().map(|model| gib(kv_bytes(&model, 256 * KI, KvFormat::Half))), ["5.00", "16.00", "3.00"]);
        assert_eq!(kv_bytes(&known("Qwen3.6-27B"), 64 * KI, KvFormat::Half), 4 << 30);
    }

    /// The cross-checks of facts/capacity.md 3.2: what an independent trace of vLLM lists at 262,144 tokens, to the 2 or 3 % of its padding; and the mistake
    /// of counting every layer of a hybrid model, which is four times too high.
    #[test]
    fn others_count_the_same() {
        let at_262_144 = |model: &Geometry| kv_bytes(model, 262_144, KvFormat::Half) + state_bytes(model);
        for (directory, listed) in [("Qwen3.6-27B", 17_520_656_384), ("Qwen3.6-35B-A3B", 5_514_854_400)] {
            let ours = at_262_144(&known(directory));
            assert!(ours <= listed && listed - ours < listed / 33, "{directory}: {ours} {listed}");
        }
        let dense = known("Qwen3.6-27B");
        let naive = Geometry { full_layers: dense.layers(), linear: None, ..dense.clone() };
        assert_eq!(kv_bytes_per_token(&naive, KvFormat::Half), 262_144);
        assert_eq!(kv_bytes_per_token(&naive, KvFormat::Half), 4 * kv_bytes_per_token(&dense, KvFormat::Half));
    }

    #[test]
    fn scratch() {
        let at = |tokens| models().map(|model| scratch_bytes(&model, tokens) >> 30);
        assert_eq!([32 * KI, 64 * KI, 128 * KI].map(at), [[4, 6, 2], [8, 12, 4], [16, 24, 8]]);
        let embedder = known("arctic-embed-l-v2.0");
        assert_eq!(scratch_bytes(&embedder, 8192), 16 * 2048 * 64 * 4);
        assert_eq!(scratch_bytes(&embedder, 100), 16 * 100 * 64 * 4);
    }

    /// The draft of the 35B (facts/capacity.md 6): 4096 B a layer and token, five layers with a window of 4096, one full.
    #[test]
    fn windows_stop_growing() {
        let draft = Geometry {
            full_layers: 1,
            sliding: Some(SlidingAttention { layers: 5, window: 4096 }),
            linear: None,
            query_heads: 32,
            kv_heads: 8,
            head_dim: 128,
            ..known("Qwen3.6-35B-A3B")
        };
        assert_eq!(kv_bytes(&draft, 64 * KI, KvFormat::Half), 4096 * (64 * KI + 5 * 4096));
        assert_eq!(kv_bytes(&draft, 1, KvFormat::Half), 4096 * 256 * 6, "whole steps of 256");
        let moe = known("Qwen3.6-35B-A3B");
        let both = request_kv_bytes(&moe, &[draft], 64 * KI, KvFormat::Half);
        assert_eq!(both, 20_480 * 64 * KI + 4096 * (64 * KI + 5 * 4096));
    }

    #[test]
    fn one_layer_of_turboquant_keeps_its_bits() {
        let one = Geometry { full_layers: 1, ..known("Qwen3.6-27B") };
        let turbo = KvFormat::TurboQuant { bits: 2.5, skip_last: true };
        assert_eq!(kv_bytes_per_token(&one, turbo), kv_bytes_per_token(&one, KvFormat::Half));
        assert_eq!(turboquant_vector(256, 2.5), 82);
    }
}
