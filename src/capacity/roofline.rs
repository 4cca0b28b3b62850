//! How fast a machine can decode at best: by how fast it reads its memory.

use super::cache::{KvFormat, kv_bytes, recurrent_bytes};
use super::geometry::Geometry;

/// What is decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Decode<'a> {
    /// The model's shape.
    pub geometry: &'a Geometry,
    /// Bits a weight, its scales included: 8.5 and 4.5 for MLX's 8 and 4 bit in groups of 64.
    pub bits_per_weight: f64,
    /// How the KV cache is stored.
    pub kv: KvFormat,
    /// Tokens of context.
    pub context: u64,
}

#[expect(clippy::cast_precision_loss, reason = "a bound to three digits")]
impl Decode<'_> {
    fn weight_bytes(&self, parameters: f64) -> f64 {
        parameters * self.bits_per_weight / 8.0
    }

    /// Bytes of weights that a step of `batch` tokens reads. Dense weights are read once; of E experts with k a token the step touches
    /// `E · (1 − (1 − k/E)^batch)`, if routing is uniform; real routing is more skewed and touches fewer (facts/capacity.md 3.5).
    pub fn step_weights(&self, batch: u32) -> f64 {
        let parameters = self.geometry.parameters();
        let experts = self.geometry.experts.map_or(0.0, |experts| {
            let share = experts.active as f64 / experts.total as f64;
            let touched = experts.total as f64 * (1.0 - (1.0 - share).powf(f64::from(batch)));
            experts.layers as f64 * touched * parameters.expert as f64
        });
        self.weight_bytes(parameters.dense as f64 + experts)
    }

    /// Bytes that one sequence reads and writes in a step beside the weights: its cache, and its recurrent state twice.
    fn sequence(&self) -> f64 {
        // Nothing is rounded up to whole steps of the cache here: only what is written is read.
        let step = kv_bytes(self.geometry, 256, self.kv) as f64 / 256.0;
        let sliding = self.geometry.sliding.filter(|sliding| sliding.window < self.context);
        let cache = if sliding.is_some() {
            kv_bytes(self.geometry, self.context, self.kv) as f64
        } else {
            step * self.context as f64
        };
        cache + 2.0 * recurrent_bytes(self.geometry) as f64
    }

    /// Tokens per second of `batch` equal sequences together, at most: `batch · BW / (W(batch) + batch · (KV + 2S))`. `bandwidth` in bytes per second.
    pub fn bound(&self, bandwidth: f64, batch: u32) -> f64 {
        let batch_size = f64::from(batch.max(1));
        batch_size * bandwidth / (self.step_weights(batch.max(1)) + batch_size * self.sequence())
    }

    /// Verify steps per second of speculative decoding with blocks of `block` tokens and a draft of `draft` bytes, at most. A step's tokens are at most that
    /// times the accepted length.
    pub fn speculative_steps(&self, bandwidth: f64, block: u32, draft: f64) -> f64 {
        bandwidth / (self.step_weights(block) + draft)
    }
}

/// The share of the plain bound that such a model reaches in practice, lowest and highest: dense ones 70 to 85 %, mixtures with few active experts 25 to 45 %,
/// bound by kernel launches (facts/capacity.md 3.5, from measurements of others).
pub fn usual_share(geometry: &Geometry) -> (f64, f64) {
    if geometry.experts.is_some() { (0.25, 0.45) } else { (0.70, 0.85) }
}

/// Tokens a DFlash block holds (facts/capacity.md 6: block 16).
pub const DFLASH_BLOCK: u32 = 16;

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    const M3_ULTRA: f64 = 819e9;
    const M4_PRO: f64 = 273e9;

    fn known(directory: &str) -> Geometry {
        catalogue::find(directory).expect("in the catalogue").geometry
    }

    fn decode(geometry: &Geometry, bits_per_weight: f64, context: u64) -> Decode<'_> {
        Decode { geometry, bits_per_weight, kv: KvFormat::Half, context }
    }

    /// The table of facts/capacity.md 3.5 (contexts 0, 8 Ki, 64 Ki), to half a percent of its rounded numbers.
    #[test]
    fn the_table() {
        let (moe, dense, small) = (known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"), known("Qwen3.5-2B"));
        for (geometry, bits, bandwidth, bounds) in [
            (&moe, 8.5, M3_ULTRA, [251.0, 239.0, 178.0]),
            (&dense, 8.5, M3_ULTRA, [29.8, 29.2, 25.7]),
            (&dense, 8.5, M4_PRO, [9.9, 9.7, 8.6]),
            (&dense, 4.5, M4_PRO, [18.6, 17.9, 14.4]),
            (&moe, 8.5, M4_PRO, [83.8, 79.7, 59.4]),
            (&small, 4.5, 120e9, [109.0, 100.0, 63.0]),
            (&moe, 8.5, 120e9, [36.9, 35.0, 26.1]),
        ] {
            for (context, bound) in [0, 8192, 65_536].into_iter().zip(bounds) {
                let found = decode(geometry, bits, context).bound(bandwidth, 1);
                assert!((found / bound - 1.0).abs() < 0.008, "{context}: {found} {bound}");
            }
        }
    }

    #[test]
    fn fixture_numbers() {
        let (moe, dense, small) = (known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"), known("Qwen3.5-2B"));
        let bound = |geometry, bits, bandwidth| format!("{:.1}", decode(geometry, bits, 0).bound(bandwidth, 1));
        assert_eq!(bound(&dense, 8.5, M3_ULTRA), "29.8");
        assert_eq!(bound(&dense, 8.5, M4_PRO), "9.9");
        assert!((decode(&moe, 8.5, 0).bound(M3_ULTRA, 1) - 251.5).abs() < 0.15);
        assert!((decode(&small, 4.5, 0).bound(120e9, 1) - 109.5).abs() < 0.05);
    }

    #[test]
    fn batches() {
        let (moe, dense) = (known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"));
        let many = |geometry, context, bandwidth, batches: &[u32]| -> Vec<f64> {
            batches.iter().map(|batch| decode(geometry, 8.5, context).bound(bandwidth, *batch)).collect()
        };
        let near = |found: &[f64], expected: &[f64]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
            }
        };
        near(&many(&moe, 2048, M3_ULTRA, &[1, 2, 4, 8, 16]), &[248.0, 364.0, 481.0, 591.0, 713.0]);
        near(&many(&dense, 8192, M3_ULTRA, &[1, 2, 4, 8]), &[29.0, 57.0, 107.0, 193.0]);
        near(&many(&dense, 8192, M4_PRO, &[1, 2, 4, 8]), &[9.7, 18.9, 36.0, 64.0]);
    }

    /// facts/capacity.md 3.1: bytes a token in GB, at 8 and at 4 bit.
    #[test]
    fn bytes_a_token() {
        for (directory, at_eight, at_four) in
            [("Qwen3.6-35B-A3B", 3.13, 1.66), ("Qwen3.6-27B", 27.2, 14.4), ("Qwen3.5-2B", 2.00, 1.06)]
        {
            let geometry = known(directory);
            for (bits, gigabytes) in [(8.5, at_eight), (4.5, at_four)] {
                let found = decode(&geometry, bits, 0).step_weights(1) / 1e9;
                assert!((found / gigabytes - 1.0_f64).abs() < 0.005, "{directory} {bits}: {found}");
            }
        }
    }

    /// What others measured, as a share of these bounds (facts/capacity.md 3.5): the 35B on an M3 Ultra at 29 %, the 27B on an M4 Max at 80 %; the article's 290
    /// tok/s of four requests at 60 % (3.6); an hour of the 27B on an M4 Pro, empty and at 64 Ki.
    #[test]
    fn what_others_measured() {
        let (moe, dense) = (known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"));
        let ultra = decode(&moe, 8.5, 0).bound(M3_ULTRA, 1);
        let max = decode(&dense, 8.5, 0).bound(546e9, 1);
        assert!((73.0 / ultra - 0.29).abs() < 0.005 && (max - 19.8).abs() < 0.1 && (15.9 / max - 0.80).abs() < 0.005);
        for (geometry, tokens, bound) in [(&moe, 72.0, ultra), (&moe, 75.0, ultra), (&dense, 15.9, max)] {
            let (low, high) = usual_share(geometry);
            assert!((low..=high).contains(&(tokens / bound)), "{tokens} of {bound}");
        }
        assert!((290.0 / decode(&moe, 8.5, 2048).bound(M3_ULTRA, 4) - 0.60).abs() < 0.005);
        let hour = |context| decode(&dense, 8.5, context).bound(M4_PRO, 1) * 3600.0 / 1000.0;
        assert!((hour(0) - 35.5).abs() < 0.5 && (hour(65_536) - 31.0).abs() < 0.5);
    }

    #[test]
    fn speculation() {
        let moe = known("Qwen3.6-35B-A3B");
        let decode = decode(&moe, 8.5, 0);
        assert!((decode.step_weights(DFLASH_BLOCK) / 15.7e9 - 1.0).abs() < 0.005);
        // 102 of the 256 experts of each layer.
        let (one, block) = (decode.step_weights(1), decode.step_weights(DFLASH_BLOCK));
        let expert = decode.weight_bytes(40.0 * 3.0 * 2048.0 * 512.0);
        assert!(((block - one) / expert + 8.0 - 102.0).abs() < 0.5);
        let steps = decode.speculative_steps(M3_ULTRA, DFLASH_BLOCK, 0.93e9);
        assert!((steps - 49.0).abs() < 0.5);
        for (accepted, tokens) in [(4.0, 197.0), (6.0, 296.0), (8.0, 394.0)] {
            assert!((steps * accepted / tokens - 1.0_f64).abs() < 0.005);
        }
        assert!((245.0 / steps - 5.0).abs() < 0.05 && (326.0 / steps - 6.6).abs() < 0.05);
    }
}
