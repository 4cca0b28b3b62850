//! What one served name costs on one machine.

use super::cache::{KvFormat, request_kv_bytes, scratch_bytes, state_bytes};
use super::catalogue;
use super::geometry::Geometry;
use super::model_config::{GeometryError, MOST_CONTEXT, geometry_of_config};
use super::{Measured, MeasuredWeights};
use crate::fleet::{
    Bytes, Fleet, Machine, Profile, Served, ServedName, SettingPath, Weights, WeightsKind, WeightsName,
};
use crate::omlx::{default_context, estimated_size, ways};

/// Where the numbers of a name are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The declared size alone: nothing is known of its cache.
    Declared,
    /// The shape is the catalogue's; the size is declared or measured.
    Catalogue,
    /// Size and config.json are the machine's own.
    Measured,
}

impl Source {
    /// As json.md writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Catalogue => "catalogue",
            Self::Measured => "measured",
        }
    }
}

/// What a served name costs on a machine. Bytes that hang on a shape that is not known are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// The name.
    pub served: ServedName,
    /// Its weights.
    pub weights: WeightsName,
    /// What they are for.
    pub kind: WeightsKind,
    /// Bytes of its weights.
    pub weights_bytes: Bytes,
    /// Bytes of the drafts that its profile loads beside it; oMLX does not count them.
    pub draft_bytes: Bytes,
    /// oMLX's own estimate: 1.05 times the weights. The sum of these is what decides `fits`.
    pub estimated: Bytes,
    /// Tokens of context that are reserved for each request.
    pub context: u64,
    /// Requests at full context that are reserved for.
    pub concurrency: u32,
    /// How the cache is stored.
    pub kv_format: KvFormat,
    /// The shape, where it is known.
    pub geometry: Option<Geometry>,
    /// Bytes of KV cache of all reserved requests, the drafts' included.
    pub kv_bytes: Option<u64>,
    /// The shapes of the drafts in use whose config.json was read: they keep a cache too.
    pub draft_geometries: Vec<Geometry>,
    /// Bytes of recurrent state of all reserved requests.
    pub state_bytes: Option<u64>,
    /// Bytes of scratch of one prefill at full context.
    pub scratch_bytes: Option<u64>,
    /// Where the numbers are from: `Measured` when both the size and the shape are.
    pub source: Source,
    /// Where the shape is from.
    pub shape_by: Source,
    /// Whether the size was measured.
    pub is_size_measured: bool,
    /// The model that the catalogue's entry stands for, where none of the weights' name is published.
    pub stands_for: Option<&'static str>,
    /// Why the machine's own config.json was of no use.
    pub config_problem: Option<GeometryError>,
    /// Bits a weight, its scales included, where they are known.
    pub bits_per_weight: Option<f64>,
}

impl Footprint {
    /// Bytes that are loaded before the first request: weights and drafts.
    pub fn loaded_bytes(&self) -> u64 {
        self.weights_bytes.get().saturating_add(self.draft_bytes.get())
    }
}

/// What a served name costs on a machine; `None` only for a name whose weights or profile are not declared.
pub fn footprint(fleet: &Fleet, machine: &Machine, served: &Served, measured: Option<&Measured>) -> Option<Footprint> {
    let weights = fleet.weights.get(&served.model)?;
    let profile = fleet.profiles.get(&served.profile)?;
    let of = |name: &WeightsName| measured.and_then(|measured| measured.weights.get(name));
    let found = of(&weights.name);
    let (weights_bytes, is_size_measured) = size(weights, found);
    let shape = shape(weights, found);
    let drafts: Vec<&Weights> = drafts_in_use(profile).filter_map(|draft| fleet.weights.get(draft)).collect();
    let draft_bytes = drafts.iter().map(|draft| size(draft, of(&draft.name)).0.get()).fold(0, u64::saturating_add);
    // Several revisions of a draft share a name, so that the catalogue has none: only the machine's own config.json tells the shape.
    let draft_config = |draft: &&Weights| of(&draft.name)?.config.as_deref().map(geometry_of_config)?.ok();
    let draft_geometries: Vec<Geometry> = drafts.iter().filter_map(draft_config).collect();
    let native = shape.geometry.as_ref().and_then(|geometry| geometry.native_context);
    let context = sharing(fleet, machine, served)
        .filter_map(|other| fleet.profiles.get(&other.profile))
        .map(|other| reserved_context(machine, other, native))
        .fold(reserved_context(machine, profile, native), u64::max);
    let kv_format = kv_format(profile);
    let holds_cache = matches!(weights.kind, WeightsKind::Llm | WeightsKind::Vlm);
    let requests = u64::from(served.concurrency.max(1));
    let each = |bytes: fn(&Geometry) -> u64| {
        if holds_cache {
            shape.geometry.as_ref().map(|geometry| bytes(geometry).saturating_mul(requests))
        } else {
            Some(0)
        }
    };
    let kv = if holds_cache {
        shape
            .geometry
            .as_ref()
            .map(|geometry| request_kv_bytes(geometry, &draft_geometries, context, kv_format).saturating_mul(requests))
    } else {
        Some(0)
    };
    Some(Footprint {
        served: served.name.clone(),
        weights: weights.name.clone(),
        kind: weights.kind,
        weights_bytes,
        draft_bytes: Bytes(draft_bytes),
        estimated: estimated_size(weights_bytes),
        context,
        concurrency: served.concurrency.max(1),
        kv_format,
        kv_bytes: kv,
        draft_geometries,
        state_bytes: each(state_bytes),
        scratch_bytes: shape.geometry.as_ref().map(|geometry| scratch_bytes(geometry, context)),
        source: match shape.source {
            Source::Measured if !is_size_measured => Source::Catalogue,
            source => source,
        },
        shape_by: shape.source,
        is_size_measured,
        stands_for: shape.stands_for,
        config_problem: shape.problem,
        bits_per_weight: bits_per_weight(weights, weights_bytes, shape.geometry.as_ref()),
        geometry: shape.geometry,
    })
}

/// The names that are answered by the engine of another (`NAME:PROFILE`): each may bring a longer context than it declares.
fn sharing<'a>(fleet: &'a Fleet, machine: &'a Machine, engine: &'a Served) -> impl Iterator<Item = &'a Served> {
    let all = fleet.served.iter().filter(|_| ways(machine.omlx.release).exposed_profiles);
    all.filter(|other| other.name.exposed_profile().is_some() && other.name.engine() == engine.name.as_str())
}

/// The drafts that a profile makes oMLX load: those whose feature is on.
pub fn drafts_in_use(profile: &Profile) -> impl Iterator<Item = &WeightsName> {
    draft_fields_in_use(profile).map(|(_, draft)| draft)
}

/// These drafts with the fields that name them.
pub(super) fn draft_fields_in_use(profile: &Profile) -> impl Iterator<Item = (&str, &WeightsName)> {
    let feature = |field: &str| match field {
        "dflash_draft_model" => "dflash_enabled",
        "specprefill_draft_model" => "specprefill_enabled",
        _ => "vlm_mtp_enabled",
    };
    profile
        .drafts
        .iter()
        .map(|(field, draft)| (field.as_str(), draft))
        .filter(move |(field, _)| profile.is_on(feature(field)))
}

/// Whether a profile runs the DFlash engine: enabled, and with a draft (facts/omlx.md 3.1).
pub fn runs_dflash(profile: &Profile) -> bool {
    profile.is_on("dflash_enabled")
        && (profile.drafts.contains_key("dflash_draft_model") || profile.fields.contains_key("dflash_draft_model"))
}

/// The size of weights: as measured when they are whole, else as declared.
fn size(weights: &Weights, found: Option<&MeasuredWeights>) -> (Bytes, bool) {
    use super::WeightsState as S;
    let whole = found.filter(|found| matches!(found.state, S::Present | S::Unknown));
    match whole.and_then(|found| found.bytes).filter(|bytes| bytes.get() > 0) {
        Some(bytes) => (bytes, true),
        None => (weights.size, false),
    }
}

struct Shape {
    geometry: Option<Geometry>,
    source: Source,
    stands_for: Option<&'static str>,
    problem: Option<GeometryError>,
}

/// The shape: the machine's own config.json, else the catalogue's by the directory's name, else none.
fn shape(weights: &Weights, found: Option<&MeasuredWeights>) -> Shape {
    let read = found.and_then(|found| found.config.as_deref()).map(geometry_of_config);
    let problem = match read {
        Some(Ok(geometry)) => {
            return Shape { geometry: Some(geometry), source: Source::Measured, stands_for: None, problem: None };
        }
        Some(Err(problem)) => Some(problem),
        None => None,
    };
    match catalogue::find(weights.basename()) {
        Some(entry) => {
            Shape { geometry: Some(entry.geometry), source: Source::Catalogue, stands_for: entry.stands_for, problem }
        }
        None => Shape { geometry: None, source: Source::Declared, stands_for: None, problem },
    }
}

/// Tokens of context: `max_context_window` of the profile, else what the release takes. Never more than the model was made for when nothing is declared.
fn reserved_context(machine: &Machine, profile: &Profile, native: Option<u64>) -> u64 {
    if let Some(declared) = profile.number("max_context_window") {
        return declared.min(MOST_CONTEXT);
    }
    let path = SettingPath(vec!["sampling".to_owned(), "max_context_window".to_owned()]);
    let of_file = machine.omlx.settings.get(&path).and_then(serde_json::Value::as_u64);
    // oMLX's own default of `sampling.max_context_window` in every release.
    let context = default_context(machine.omlx.release, of_file.unwrap_or(32_768), native);
    native.map_or(context, |native| context.min(native)).min(MOST_CONTEXT)
}

/// TurboQuant where the profile has it on; the DFlash engine does not use it (facts/omlx.md 8.2).
pub fn kv_format(profile: &Profile) -> KvFormat {
    if !profile.is_on("turboquant_kv_enabled") || runs_dflash(profile) {
        return KvFormat::Half;
    }
    let bits = profile.fields.get("turboquant_kv_bits").and_then(serde_json::Value::as_f64);
    let skip_last = profile.fields.get("turboquant_skip_last").and_then(serde_json::Value::as_bool);
    KvFormat::TurboQuant { bits: bits.unwrap_or(4.0).clamp(1.0, 16.0), skip_last: skip_last.unwrap_or(true) }
}

/// Bits a weight: as the configuration says, else by "8bit" in the directory's name (MLX's groups of 64: half a bit more), else by size and parameters.
fn bits_per_weight(weights: &Weights, bytes: Bytes, geometry: Option<&Geometry>) -> Option<f64> {
    if let Some(bits) = geometry.and_then(|geometry| geometry.bits_per_weight) {
        return Some(bits);
    }
    let name = weights.basename().to_ascii_lowercase();
    let said = name.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| match word {
        "bf16" | "fp16" | "f16" => Some(16.0),
        _ => word
            .strip_suffix("bit")?
            .parse::<u8>()
            .ok()
            .filter(|bits| (2..=8).contains(bits))
            .map(|bits| f64::from(bits) + 0.5),
    });
    #[expect(clippy::cast_precision_loss, reason = "a ratio to three digits")]
    let computed = || {
        let parameters = geometry?.parameters().total;
        let bits = bytes.get() as f64 * 8.0 / parameters as f64;
        (1.0..=33.0).contains(&bits).then_some(bits)
    };
    said.or_else(computed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn of(fleet: &Fleet, machine: &str, served: &str, measured: Option<&Measured>) -> Footprint {
        let machine = fleet.machines.get(machine).expect("a machine");
        footprint(fleet, machine, fleet.served.get(served).expect("a name"), measured).expect("a footprint")
    }

    #[test]
    fn names_of_the_example() {
        let fleet = testing::example();
        let dflash = of(&fleet, "mac-studio1", "moe-dflash", None);
        assert_eq!((dflash.weights_bytes, dflash.draft_bytes), (Bytes::gib(36), Bytes(998_579_896)));
        assert_eq!((dflash.kv_bytes, dflash.state_bytes), (Some(20_480 * 16_384), Some(64_389_120)));
        assert_eq!((dflash.scratch_bytes, dflash.source), (Some(2 << 30), Source::Catalogue));
        assert_eq!(dflash.bits_per_weight, Some(8.5));
        let librarian = of(&fleet, "mac-mini3", "dense-librarian", None);
        assert_eq!(librarian.kv_format, KvFormat::TurboQuant { bits: 4.0, skip_last: true });
        assert_eq!((librarian.kv_bytes, librarian.scratch_bytes), (Some(19_696 * 65_536), Some(12 << 30)));
        let embedder = of(&fleet, "mac-mini1", "embed-arctic", None);
        assert_eq!((embedder.kv_bytes, embedder.state_bytes, embedder.context), (Some(0), Some(0), 8192));
        assert_eq!(of(&fleet, "mac-mini1", "extract-2b", None).stands_for, Some("Qwen3.5-2B"));
    }

    #[test]
    fn what_was_measured_wins_and_what_is_broken_does_not() {
        let fleet = testing::example();
        let weights = |config: &str, state| {
            let found = MeasuredWeights { bytes: Some(Bytes(1000)), config: Some(config.to_owned()), state };
            Measured {
                weights: [(WeightsName::new("dense-27b").expect("a slug"), found)].into(),
                ..Measured::default()
            }
        };
        let small =
            r#"{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "max_position_embeddings": 128}"#;
        let measured = weights(small, super::super::WeightsState::Present);
        let whole = of(&fleet, "mac-mini3", "dense-librarian", Some(&measured));
        assert_eq!((whole.source, whole.weights_bytes, whole.estimated), (Source::Measured, Bytes(1000), Bytes(1050)));
        assert_eq!(whole.geometry.as_ref().map(|geometry| geometry.full_layers), Some(2));
        let measured = weights("{", super::super::WeightsState::Incomplete);
        let broken = of(&fleet, "mac-mini3", "dense-librarian", Some(&measured));
        assert_eq!((broken.source, broken.weights_bytes), (Source::Catalogue, Bytes::gib(27)));
        assert_eq!(broken.config_problem, Some(GeometryError::NotJson));
    }

    /// facts/capacity.md 3.1: from a directory's name, and from the measured size of one that does not say it.
    #[test]
    fn bits_a_weight() {
        for (directory, bytes, bits) in [
            ("Qwen3.6-27B-MLX-8bit", 27 << 30, 8.5),
            ("Qwen3.6-27B-4bit", 15 << 30, 4.5),
            ("Qwen3.6-27B-bf16", 54 << 30, 16.0),
            ("Qwen3.6-27B", 28_580_000_000, 8.5),
            ("Qwen3.6-27B", 15_130_000_000, 4.5),
            ("Qwen3.6-35B-A3B", 36_830_000_000, 8.5),
            ("Qwen3.6-35B-A3B", 19_500_000_000, 4.5),
        ] {
            let text = include_str!("../../fleet.toml").replace("Qwen3.6-27B-MLX-8bit", directory);
            let fleet = testing::fleet(&text);
            let weights = fleet.weights.get("dense-27b").expect("declared");
            let geometry = catalogue::find(directory).expect("known").geometry;
            let found = bits_per_weight(weights, Bytes(bytes), Some(&geometry)).expect("known");
            assert!((found - bits).abs() < 0.01, "{directory} of {bytes}: {found}");
        }
    }

    #[test]
    fn unknown_weights_have_a_size_and_nothing_else() {
        let text = include_str!("../../fleet.toml").replace("Qwen3.6-27B-MLX-8bit", "Mystery-9B");
        let fleet = testing::fleet(&text);
        let found = of(&fleet, "mac-mini3", "dense-librarian", None);
        assert_eq!((found.source, found.kv_bytes, found.scratch_bytes), (Source::Declared, None, None));
    }
}
