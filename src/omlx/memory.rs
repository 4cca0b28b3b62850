//! oMLX's own memory limits, by release.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value::percent_of_ram;
use super::{Preset, Release, parse_size, setting};
use crate::fleet::{Bytes, SettingPath};

const GIB: u64 = Bytes::GIB;

/// What oMLX allows itself on a machine, in bytes. `None`: no such limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The sum of the estimated sizes of the loaded models (`max_model_memory`); the later releases have no such limit of its own.
    pub model: Option<Bytes>,
    /// The process as a whole (`max_process_memory`; from 0.3.11 on the static ceiling of the guard's tier).
    pub process: Option<Bytes>,
    /// Beyond this a prefill is aborted (0.3.8: the larger of RAM − 4 GiB and the process limit; later the process limit itself).
    pub hard: Option<Bytes>,
}

/// The memory that 0.3.8 leaves to the system: a fifth of RAM, at least 2 and at most 8 GiB (settings.py:75, `_adaptive_system_reserve`).
fn system_reserve(ram: Bytes) -> Bytes {
    Bytes((ram.get() / 5).clamp(2 * GIB, 8 * GIB))
}

/// oMLX's limits on a machine with this much RAM, under the declared keys of settings.json.
///
/// 0.3.8: process = RAM − reserve, model = 0.9 of that and at least 1 GiB (facts/omlx.md 6.1, settings.py:75; the help text's 80 % is wrong). `max_model_memory` is
/// not for the fleet file to declare, so it is "auto" here; what a machine really has is known by measuring only.
///
/// 0.5.0 and flyto-0.7.0: the static ceiling RAM − reserve of the tier (facts/omlx.md 6.2; `process_memory_enforcer.py`). The ceiling that is in force moves with
/// the memory that other programs use and may be lower at any moment; it is not computable beforehand. An unknown value counts as the default.
pub fn memory_limits(release: Release, ram: Bytes, declared: &BTreeMap<SettingPath, Value>) -> MemoryLimits {
    let of = |key: &str| {
        let path = SettingPath(vec!["memory".to_owned(), key.to_owned()]);
        let default = || setting(release, "memory", key).and_then(|setting| setting.default).map(Preset::value);
        declared.get(&path).cloned().or_else(default).unwrap_or(Value::Null)
    };
    match release {
        Release::V0_3_8 => {
            let auto = ram.get().saturating_sub(system_reserve(ram).get());
            let process = process_limit(of("max_process_memory").as_str().unwrap_or("auto"), ram, auto);
            let hard = process.map(|process| process.max(ram.get().saturating_sub(4 * GIB)));
            let model = (auto / 10 * 9 + auto % 10 * 9 / 10).max(GIB);
            MemoryLimits { model: Some(Bytes(model)), process: process.map(Bytes), hard: hard.map(Bytes) }
        }
        Release::V0_5_0 | Release::Flyto0_7_0 => {
            if of("prefill_memory_guard") == Value::Bool(false) {
                return MemoryLimits { model: None, process: None, hard: None };
            }
            let tier = of("memory_guard_tier");
            let reserve = guard_reserve(release, ram, tier.as_str().unwrap_or("balanced"));
            let mut ceiling = ram.get().saturating_sub(reserve);
            let custom = of("memory_guard_custom_ceiling_gb").as_f64().filter(|gib| *gib > 0.0);
            if let (Some("custom"), Some(gib)) = (tier.as_str(), custom) {
                ceiling = ceiling.min(gib_to_bytes(gib));
            }
            MemoryLimits { model: None, process: Some(Bytes(ceiling)), hard: Some(Bytes(ceiling)) }
        }
    }
}

/// `max_process_memory` of 0.3.8 (settings.py `parse_process_memory`, facts/omlx.md 2.1).
fn process_limit(text: &str, ram: Bytes, auto: u64) -> Option<u64> {
    if text.eq_ignore_ascii_case("disabled") {
        return None;
    }
    if text.eq_ignore_ascii_case("auto") {
        return Some(auto);
    }
    let share = |percent: u64| u64::try_from(u128::from(ram.get()) * u128::from(percent) / 100).unwrap_or(u64::MAX);
    Some(percent_of_ram(text).map_or_else(|| parse_size(text).unwrap_or(auto), share))
}

/// The static reserve of the memory guard's tiers. flyto-0.7.0: 12, 8, 6, 8 GiB, below 16 GiB of RAM 4 (`process_memory_enforcer.py`,
/// `_STATIC_RESERVE_LARGE`). 0.5.0: 8, 6, 4, 2 GiB since 0.4.1, below 24 GiB of RAM 4 (facts/omlx.md 6.2).
fn guard_reserve(release: Release, ram: Bytes, tier: &str) -> u64 {
    let (small, [safe, balanced, aggressive, custom]) = match release {
        Release::Flyto0_7_0 => (16, [12, 8, 6, 8]),
        Release::V0_5_0 | Release::V0_3_8 => (24, [8, 6, 4, 2]),
    };
    let gib = match tier {
        _ if ram.get() < small * GIB => 4,
        "safe" => safe,
        "aggressive" => aggressive,
        "custom" => custom,
        _ => balanced,
    };
    gib * GIB
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a declared number of GiB above 0; casts saturate"
)]
fn gib_to_bytes(gib: f64) -> u64 {
    (gib * GIB as f64) as u64
}

/// oMLX's `estimated_size` of a model: 1.05 times the bytes of its weights, cut to whole bytes (0.3.8 `model_discovery.py`:602). Drafts, KV cache and other
/// caches are no part of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "as Python computes it: int(total * 1.05)"
)]
pub fn estimated_size(weights: Bytes) -> Bytes {
    Bytes((weights.get() as f64 * 1.05) as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(release: Release, ram: u64, declared: &[(&str, Value)]) -> MemoryLimits {
        let declared = declared
            .iter()
            .map(|(key, value)| (SettingPath(vec!["memory".to_owned(), (*key).to_owned()]), value.clone()))
            .collect();
        memory_limits(release, Bytes::gib(ram), &declared)
    }

    /// The table of facts/omlx.md 6.1, GiB.
    #[test]
    fn the_budgets_of_0_3_8() {
        for (ram, process, model) in [
            (16, 12.8, 11.52),
            (24, 19.2, 17.28),
            (32, 25.6, 23.04),
            (36, 28.8, 25.92),
            (48, 40.0, 36.0),
            (64, 56.0, 50.4),
            (96, 88.0, 79.2),
            (128, 120.0, 108.0),
            (192, 184.0, 165.6),
            (256, 248.0, 223.2),
            (512, 504.0, 453.6),
        ] {
            let found = limits(Release::V0_3_8, ram, &[]);
            let near = |bytes: Option<Bytes>, gib: f64| bytes.is_some_and(|bytes| (bytes.as_gib() - gib).abs() < 1e-6);
            assert!(near(found.process, process) && near(found.model, model), "{ram}: {found:?}");
        }
        let hard = |ram| limits(Release::V0_3_8, ram, &[]).hard.map(|bytes| format!("{:.1}", bytes.as_gib()));
        assert_eq!([16, 64, 96].map(hard), [Some("12.8".into()), Some("60.0".into()), Some("92.0".into())]);
    }

    #[test]
    fn a_declared_process_limit() {
        let process = |text: &str| limits(Release::V0_3_8, 100, &[("max_process_memory", json!(text))]).process;
        assert_eq!(process("80%"), Some(Bytes::gib(80)));
        assert_eq!(process("80"), Some(Bytes::gib(80)));
        assert_eq!(process("48GB"), Some(Bytes::gib(48)));
        assert_eq!(process("Disabled"), None);
        assert_eq!(process("auto"), Some(Bytes::gib(92)));
    }

    #[test]
    fn the_ceilings_of_the_later_releases() {
        let gib = |release, ram, declared: &[(&str, Value)]| limits(release, ram, declared).process.map(Bytes::as_gib);
        assert_eq!(gib(Release::V0_5_0, 96, &[]), Some(90.0));
        assert_eq!(gib(Release::V0_5_0, 16, &[]), Some(12.0));
        assert_eq!(gib(Release::Flyto0_7_0, 16, &[]), Some(8.0));
        assert_eq!(gib(Release::Flyto0_7_0, 96, &[("memory_guard_tier", json!("safe"))]), Some(84.0));
        let custom = [("memory_guard_tier", json!("custom")), ("memory_guard_custom_ceiling_gb", json!(50))];
        assert_eq!(gib(Release::V0_5_0, 96, &custom), Some(50.0));
        assert_eq!(gib(Release::V0_5_0, 96, &[("prefill_memory_guard", json!(false))]), None);
    }

    #[test]
    fn sizes_as_omlx_estimates_them() {
        assert_eq!(estimated_size(Bytes(400_635)), Bytes(420_666));
        assert_eq!(estimated_size(Bytes(0)), Bytes(0));
    }
}
