//! How much memory models may take on a machine, and what sets the limit.

use super::Measured;
use crate::fleet::{Bytes, Machine};
use crate::omlx::{MemoryLimits, memory_limits};

/// Where a GPU limit is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuLimitSource {
    /// `gpu_limit` of the fleet file: fleetctl sets it at each boot.
    Declared,
    /// `iogpu.wired_limit_mb` of the machine, above 0.
    Set,
    /// The default of macOS, from a table of what was seen.
    Estimated,
}

/// How much memory the GPU may wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuLimit {
    /// Bytes.
    pub bytes: Bytes,
    /// Where it is from.
    pub source: GpuLimitSource,
}

/// Metal's `recommendedMaxWorkingSetSize` by RAM in GiB, in bytes, with `iogpu.wired_limit_mb` = 0, as seen under macOS 15 and 26 (facts/macos.md 3.5).
/// Older releases had 2/3 up to 36 GB and 3/4 above; the rule itself is not published and cannot be asked of `sysctl`.
const DEFAULT_LIMITS: [(u64, u64); 9] = [
    (8, 5_700_000_000),
    (16, 12_713_115_648),
    (24, 19_069_654_794),
    (48, 40_200_896_512),
    (64, 55_662_788_608),
    (96, 83_494_174_720),
    (128, 115_448_725_504),
    (256, 223_338_299_392),
    (512, 498_216_206_336),
];

/// The default GPU limit for so much RAM: the table; between two of its rows, and beyond them, the smaller share of its neighbours.
pub fn default_gpu_limit(ram: Bytes) -> Bytes {
    let share = |(gib, bytes): (u64, u64)| u128::from(bytes) * u128::from(ram.get()) / u128::from(gib * Bytes::GIB);
    let exact = DEFAULT_LIMITS.iter().find(|(gib, _)| gib * Bytes::GIB == ram.get());
    if let Some((_, bytes)) = exact {
        return Bytes(*bytes);
    }
    let below = DEFAULT_LIMITS.iter().rev().find(|(gib, _)| gib * Bytes::GIB < ram.get());
    let above = DEFAULT_LIMITS.iter().find(|(gib, _)| gib * Bytes::GIB > ram.get());
    let smallest = [below, above].into_iter().flatten().map(|row| share(*row)).min().unwrap_or(0);
    Bytes(u64::try_from(smallest).unwrap_or(u64::MAX))
}

/// The most that `gpu_limit` should leave the GPU: RAM − max(4 GiB, 8 %). Above it macOS freezes or panics instead of refusing an allocation (facts/macos.md
/// 3.5, from the field).
pub fn highest_gpu_limit(ram: Bytes) -> Bytes {
    let reserve = (ram.get() / 100 * 8).max(4 * Bytes::GIB);
    Bytes(ram.get().saturating_sub(reserve))
}

/// The GPU limit of a machine: as declared, else as set on the machine, else the default.
pub fn gpu_limit(machine: &Machine, measured: Option<&Measured>) -> GpuLimit {
    let set = measured.and_then(|measured| measured.gpu_wired_limit).filter(|limit| limit.get() > 0);
    match (machine.gpu_limit, set) {
        (Some(bytes), _) => GpuLimit { bytes, source: GpuLimitSource::Declared },
        (None, Some(bytes)) => GpuLimit { bytes, source: GpuLimitSource::Set },
        (None, None) => {
            GpuLimit { bytes: default_gpu_limit(ram(machine, measured)), source: GpuLimitSource::Estimated }
        }
    }
}

/// RAM: as measured, else as declared.
pub fn ram(machine: &Machine, measured: Option<&Measured>) -> Bytes {
    measured.and_then(|measured| measured.ram).unwrap_or(machine.memory)
}

/// What sets the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitBy {
    /// oMLX's limit for models.
    Omlx,
    /// The GPU limit.
    Gpu,
    /// oMLX's limit for its process (in the later releases the ceiling of the memory guard).
    Process,
}

impl LimitBy {
    /// As json.md writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Omlx => "omlx",
            Self::Gpu => "gpu",
            Self::Process => "process",
        }
    }
}

/// The budget of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The smallest of oMLX's model limit, its process limit and the GPU limit.
    pub limit: Bytes,
    /// Which of the three that is.
    pub by: LimitBy,
    /// The GPU limit and its source.
    pub gpu: GpuLimit,
    /// oMLX's own limits.
    pub omlx: MemoryLimits,
    /// RAM.
    pub ram: Bytes,
}

impl Budget {
    /// The smaller of oMLX's model limit and the GPU limit: what a pinned set must fit in (fleet.md). Where a release has no model limit, its process limit
    /// counts instead.
    pub fn pinned_limit(&self) -> Bytes {
        let omlx = self.omlx.model.or(self.omlx.process).unwrap_or(self.gpu.bytes);
        omlx.min(self.gpu.bytes)
    }
}

/// The budget of a machine by its declared release and settings (facts/capacity.md 3.4; json.md, `limit_bytes`).
pub fn budget(machine: &Machine, measured: Option<&Measured>) -> Budget {
    let ram = ram(machine, measured);
    let gpu = gpu_limit(machine, measured);
    let omlx = memory_limits(machine.omlx.release, ram, &machine.omlx.settings);
    let limits = [(omlx.model, LimitBy::Omlx), (Some(gpu.bytes), LimitBy::Gpu), (omlx.process, LimitBy::Process)];
    let smallest = limits.into_iter().filter_map(|(limit, by)| Some((limit?, by))).min_by_key(|(limit, _)| *limit);
    let (limit, by) = smallest.unwrap_or((gpu.bytes, LimitBy::Gpu));
    Budget { limit, by, gpu, omlx, ram }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Fleet;
    use crate::testing;

    fn of(fleet: &Fleet, machine: &str) -> (String, LimitBy) {
        let budget = budget(fleet.machines.get(machine).expect("declared"), None);
        (format!("{:.2}", budget.limit.as_gib()), budget.by)
    }

    /// facts/capacity.md 7: 11.52, 50.4 and, with `gpu_limit` 84GB, 79.2; without it 77.76.
    #[test]
    fn the_budgets_of_the_example() {
        let fleet = testing::example();
        assert_eq!(of(&fleet, "mac-mini1"), ("11.52".to_owned(), LimitBy::Omlx));
        assert_eq!(of(&fleet, "mac-mini3"), ("50.40".to_owned(), LimitBy::Omlx));
        assert_eq!(of(&fleet, "mac-studio1"), ("79.20".to_owned(), LimitBy::Omlx));
        let fleet = testing::fleet(&include_str!("../../fleet.toml").replace("gpu_limit = \"84GB\"", ""));
        assert_eq!(of(&fleet, "mac-studio1"), ("77.76".to_owned(), LimitBy::Gpu));
    }

    /// With the older rule of macOS passed in as what the machine has set: 10.67, 48, 72 GiB.
    #[test]
    fn the_budgets_under_the_older_rule() {
        let fleet = testing::fleet(&include_str!("../../fleet.toml").replace("gpu_limit = \"84GB\"", ""));
        for (machine, bytes, limit) in [
            ("mac-mini1", 11_453_251_584, "10.67"),
            ("mac-mini3", 48 << 30, "48.00"),
            ("mac-studio1", 72 << 30, "72.00"),
        ] {
            let machine = fleet.machines.get(machine).expect("declared");
            let measured = Measured { gpu_wired_limit: Some(Bytes(bytes)), ..Measured::default() };
            let budget = budget(machine, Some(&measured));
            assert_eq!((format!("{:.2}", budget.limit.as_gib()).as_str(), budget.by), (limit, LimitBy::Gpu));
            assert_eq!(budget.gpu.source, GpuLimitSource::Set);
        }
    }

    #[test]
    fn between_the_rows_of_the_table() {
        let share = |gib: u64| default_gpu_limit(Bytes::gib(gib)).as_gib() / Bytes::gib(gib).as_gib();
        assert!((share(36) - 0.74).abs() < 0.001, "24 is 0.74, 48 is 0.78");
        assert!((share(192) - 0.8125).abs() < 0.001, "256 is 0.81");
        assert!((share(1024) - 0.906).abs() < 0.001);
        assert!(share(4) < 0.67);
        assert_eq!(default_gpu_limit(Bytes(0)), Bytes(0));
        assert_eq!(highest_gpu_limit(Bytes::gib(16)), Bytes::gib(12));
    }
}
