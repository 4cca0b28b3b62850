//! What a load costs.

use crate::fleet::{Bytes, Fleet, ServedName};

/// What some loads on one machine cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadCost {
    /// Bytes to read.
    pub bytes: Bytes,
    /// A rough estimate, seconds; see [`load_seconds`].
    pub seconds: f64,
}

impl LoadCost {
    /// The cost of loading the names one after another: oMLX holds one lock over a whole load (facts of 0.3.8, engine_pool.py:343-412).
    pub fn of<'a>(fleet: &Fleet, names: impl IntoIterator<Item = &'a ServedName>) -> Self {
        let bytes = Bytes(names.into_iter().map(|name| load_bytes(fleet, name).get()).sum());
        Self { bytes, seconds: load_seconds(bytes) }
    }
}

/// The bytes that loading a name reads: its weights and the drafts of its profile, by their declared sizes; 0 for a name of another fleet.
pub fn load_bytes(fleet: &Fleet, name: &ServedName) -> Bytes {
    let weights = fleet.weights_of(name).map_or(0, |weights| weights.size.get());
    let drafts = fleet.profile_of(name).into_iter().flat_map(|profile| profile.drafts.values());
    let drafts: u64 = drafts.filter_map(|draft| fleet.weights.get(draft)).map(|draft| draft.size.get()).sum();
    Bytes(weights + drafts)
}

/// Roughly how many seconds a load of so many bytes takes: 1.5 s per 10^9 bytes.
///
/// Start-ups of oMLX with pinned models were seen to take 1 to 2 s a GB, although big Macs read 5 to 7 GB/s from their disks: building the
/// engine costs more than reading. The middle of that range is an estimate to plan with, never a promise.
#[expect(clippy::cast_precision_loss, reason = "an estimate of seconds")]
pub fn load_seconds(bytes: Bytes) -> f64 {
    const SECONDS_PER_BYTE: f64 = 1.5e-9;
    bytes.get() as f64 * SECONDS_PER_BYTE
}
