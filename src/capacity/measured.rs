//! What a machine itself says, as far as capacity asks: filled by `observe`.

use std::collections::BTreeMap;

use crate::fleet::{Bytes, WeightsName};

/// Facts of one machine. What was not asked or not answered is `None` or absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// RAM (`hw.memsize`).
    pub ram: Option<Bytes>,
    /// `iogpu.wired_limit_mb` in bytes; 0 is the default of macOS.
    pub gpu_wired_limit: Option<Bytes>,
    /// Memory that could be had now (`vm_stat`; facts/macos.md 3.4).
    pub available: Option<Bytes>,
    /// The declared weights that were looked at, by their key in [models].
    pub weights: BTreeMap<WeightsName, MeasuredWeights>,
}

/// Facts of one weights directory on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeasuredWeights {
    /// The sum of its top-level safetensors files (what oMLX sums), links followed.
    pub bytes: Option<Bytes>,
    /// The text of its config.json.
    pub config: Option<String>,
    /// Whether it is whole.
    pub state: WeightsState,
}

/// Whether a weights directory is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightsState {
    /// Not known.
    #[default]
    Unknown,
    /// There, with every file that its index names.
    Present,
    /// There, and the index names a file that is not.
    Incomplete,
    /// Not there.
    Missing,
}
