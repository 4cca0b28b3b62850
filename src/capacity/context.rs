//! The largest context that is left.

use super::cache::{KvFormat, request_kv_bytes, scratch_bytes};
use super::geometry::Geometry;
use super::model_config::MOST_CONTEXT;
use crate::fleet::Bytes;

/// The share of the limit that is left free: below it every byte is a risk (facts/capacity.md 3.4, h = 0.05).
pub const RESERVE_PERCENT: u64 = 5;

/// The limit without its reserve.
pub fn usable(limit: Bytes) -> u64 {
    limit.get() / 100 * (100 - RESERVE_PERCENT) + limit.get() % 100 * (100 - RESERVE_PERCENT) / 100
}

/// The longest context in tokens for one request to this model, in whole steps of 256, when `occupied` bytes are taken (weights, drafts and states of all that is
/// loaded, its own included): the largest with KV + scratch ≤ (1 − h) · limit − occupied. At most what the model was made for.
///
/// `drafts` that run beside it keep a cache that grows too. All other requests are at rest: this is the best case (facts/capacity.md 3.4).
pub fn largest_context(geometry: &Geometry, drafts: &[Geometry], format: KvFormat, limit: Bytes, occupied: u64) -> u64 {
    const STEP: u64 = 256;
    let Some(free) = usable(limit).checked_sub(occupied) else { return 0 };
    let fits = |steps: u64| {
        let tokens = steps * STEP;
        request_kv_bytes(geometry, drafts, tokens, format).saturating_add(scratch_bytes(geometry, tokens)) <= free
    };
    // KV and scratch never shrink with the context, so that halving finds the last that fits.
    let (mut fitting, mut beyond) = (0, geometry.native_context.unwrap_or(MOST_CONTEXT).min(MOST_CONTEXT) / STEP + 1);
    while beyond - fitting > 1 {
        let middle = fitting + (beyond - fitting) / 2;
        if fits(middle) {
            fitting = middle;
        } else {
            beyond = middle;
        }
    }
    fitting * STEP
}

#[cfg(test)]
mod tests {
    use super::super::cache::state_bytes;
    use super::super::catalogue;
    use super::*;

    fn known(directory: &str) -> Geometry {
        catalogue::find(directory).expect("in the catalogue").geometry
    }

    /// facts/capacity.md 3.4, in thousands of tokens: weights of 34.30 and 26.61 GiB, a draft of 0.93.
    #[test]
    fn the_contexts_of_the_facts() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "GiB of the facts")]
        let gib = |gib: f64| (gib * 1024.0 * 1024.0 * 1024.0) as u64;
        let (moe, dense) = (known("Qwen3.6-35B-A3B"), known("Qwen3.6-27B"));
        let turbo = KvFormat::TurboQuant { bits: 4.0, skip_last: true };
        let thousands = |geometry: &Geometry, format, limit: u64, occupied: u64| {
            (largest_context(geometry, &[], format, Bytes::gib(limit), occupied) + 500) / 1000
        };
        let alone = gib(26.61) + state_bytes(&dense);
        assert_eq!(thousands(&dense, KvFormat::Half, 48, alone), 77);
        assert_eq!(
            thousands(&dense, turbo, 48, alone),
            93,
            "93.6 before it is cut to whole steps; the facts round it to 94"
        );
        let both = gib(34.30 + 26.61 + 0.93) + state_bytes(&moe) + state_bytes(&dense);
        assert_eq!([thousands(&moe, KvFormat::Half, 72, both), thousands(&dense, KvFormat::Half, 72, both)], [45, 26]);
        assert_eq!([thousands(&moe, KvFormat::Half, 84, both), thousands(&dense, KvFormat::Half, 84, both)], [126, 73]);
    }

    /// mini3 in facts/capacity.md 3.4: 64 Ki tokens take 42.8 GiB with a cache at 16 bits and 40.0 with TurboQuant, of 48; 128 Ki would not fit.
    #[test]
    fn what_64_ki_tokens_take_in_all() {
        let dense = known("Qwen3.6-27B");
        let turbo = KvFormat::TurboQuant { bits: 4.0, skip_last: true };
        #[expect(clippy::cast_precision_loss, reason = "one decimal")]
        let total = |format, tokens: u64| {
            let request = request_kv_bytes(&dense, &[], tokens, format) + scratch_bytes(&dense, tokens);
            26.61 + (request + state_bytes(&dense)) as f64 / f64::from(1 << 30)
        };
        assert!((total(KvFormat::Half, 64 << 10) - 42.8).abs() < 0.06);
        assert!((total(turbo, 64 << 10) - 40.0).abs() < 0.06);
        assert!(total(turbo, 128 << 10) > 48.0);
    }

    #[test]
    fn no_room_and_more_than_enough() {
        let moe = known("Qwen3.6-35B-A3B");
        assert_eq!(largest_context(&moe, &[], KvFormat::Half, Bytes::gib(10), 11 << 30), 0);
        assert_eq!(largest_context(&moe, &[], KvFormat::Half, Bytes::gib(10), 10 << 30), 0);
        assert_eq!(largest_context(&moe, &[], KvFormat::Half, Bytes::gib(500), 0), 262_144);
    }
}
