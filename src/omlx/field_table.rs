//! The one table of model settings: what each release's `ModelSettings` dataclass holds.
//!
//! Order: that of the dataclasses (0.3.8, 0.5.0 and flyto-0.7.0 `model_settings.py` agree wherever they share fields), which is the order of writing.
//! Types and defaults: the same dataclasses. `in_profile`: `UNIVERSAL_PROFILE_FIELDS` and `MODEL_SPECIFIC_PROFILE_FIELDS` of `model_profiles.py`.
//! Ranges: the admin page of 0.3.8 (facts/omlx.md 3.1) and the comments of the dataclasses; counts and times are above 0. Effects: facts/omlx.md 7.1, 7.2 and the fields
//! of admin/routes.py `ModelSettingsRequest`: what is not there is file-only.

use super::column::{ALL, COUNT, FLYTO, LATER, OFF, ON, V038, V050};
use super::field::{Effect, Field};
use super::preset::Preset;
use super::value::{Kind, Range, Release};
use Effect::{FileOnly, Live, Profile, Reload};
use Kind::{Bool, Int, IntObject, Number, Object, Text, TextList};

/// The kinds of model that 0.3.8's admin page lets one set (facts/omlx.md 3.1).
const MODEL_TYPES: Range =
    Range::Texts(&["llm", "vlm", "embedding", "reranker", "audio_stt", "audio_tts", "audio_sts"]);

/// A field without a default that a profile may hold: the most frequent shape.
const fn held(name: &'static str, kind: Kind, range: Range, effect: Effect, releases: &'static [Release]) -> Field {
    Field { name, kind, default: None, range, effect, in_profile: true, server_rewrites: false, releases }
}

/// A field that no profile may hold.
const fn own(name: &'static str, kind: Kind, range: Range, effect: Effect, releases: &'static [Release]) -> Field {
    Field { name, kind, default: None, range, effect, in_profile: false, server_rewrites: false, releases }
}

impl Field {
    const fn or(self, default: Option<Preset>) -> Self {
        Self { default, ..self }
    }

    const fn rewritten(self) -> Self {
        Self { server_rewrites: true, ..self }
    }
}

static FIELDS: &[Field] = &[
    held("max_context_window", Int, COUNT, Live, ALL),
    held("max_tokens", Int, COUNT, Live, ALL),
    held("temperature", Number, Range::Between(0.0, 2.0), Live, ALL),
    held("top_p", Number, Range::Between(0.0, 1.0), Live, ALL),
    held("top_k", Int, Range::AtLeast(0.0), Live, ALL),
    // mlx_lm sample_utils refuses a negative penalty at request time.
    held("repetition_penalty", Number, Range::AtLeast(0.0), Live, ALL),
    // mlx_lm sample_utils refuses a min_p outside 0 to 1 at request time.
    held("min_p", Number, Range::Between(0.0, 1.0), Live, ALL),
    held("presence_penalty", Number, Range::Any, Live, ALL),
    held("force_sampling", Bool, Range::Any, Live, ALL).or(OFF),
    held("max_tool_result_tokens", Int, COUNT, Live, ALL),
    held("chat_template_kwargs", Object, Range::Any, Live, ALL),
    held("forced_ct_kwargs", TextList, Range::Any, Live, ALL),
    own("ttl_seconds", Int, COUNT, Live, ALL),
    own("model_type_override", Text, MODEL_TYPES, Reload, ALL),
    own("model_alias", Text, Range::Any, Live, ALL),
    held("video_default_steps", Int, COUNT, Live, FLYTO),
    held("video_default_fps", Int, COUNT, Live, FLYTO),
    held("video_default_size", Text, Range::Any, Live, FLYTO),
    held("video_default_seconds", Number, Range::Above(0.0), Live, FLYTO),
    held("video_default_upscale_resolution", Int, Range::AtLeast(0.0), Live, FLYTO),
    held("image_default_steps", Int, COUNT, Live, FLYTO),
    held("image_default_size", Text, Range::Any, Live, FLYTO),
    // 0.3.8's API turns anything below 2 into null.
    held("index_cache_freq", Int, Range::AtLeast(2.0), Reload, ALL),
    held("enable_thinking", Bool, Range::Any, Live, ALL),
    own("preserve_thinking", Bool, Range::Any, FileOnly, V038),
    held("preserve_thinking", Bool, Range::Any, FileOnly, LATER),
    held("thinking_budget_enabled", Bool, Range::Any, Live, ALL).or(OFF),
    held("thinking_budget_tokens", Int, COUNT, Live, ALL),
    held("reasoning_effort_budgets", IntObject, Range::Any, FileOnly, FLYTO),
    held("reasoning_parser", Text, Range::Any, Live, ALL),
    held("guided_grammar_enabled", Bool, Range::Any, Live, V050).or(OFF),
    held("guided_grammar", Text, Range::Any, Live, V050),
    held("turboquant_kv_enabled", Bool, Range::Any, Reload, ALL).or(OFF),
    held("turboquant_kv_bits", Number, Range::Numbers(&[2.0, 2.5, 3.0, 3.5, 4.0, 6.0, 8.0]), Reload, ALL)
        .or(Some(Preset::Int(4))),
    held("turboquant_skip_last", Bool, Range::Any, FileOnly, ALL).or(ON),
    held("specprefill_enabled", Bool, Range::Any, Reload, ALL).or(OFF),
    held("specprefill_draft_model", Text, Range::Any, Reload, ALL),
    held("specprefill_keep_pct", Number, Range::Between(0.1, 0.5), Live, ALL),
    held("specprefill_threshold", Int, Range::Between(1024.0, 131_072.0), Live, ALL),
    held("dflash_enabled", Bool, Range::Any, Reload, ALL).or(OFF),
    held("dflash_draft_model", Text, Range::Any, Reload, ALL),
    // The engine of 0.3.8 asks only whether it is set (engine/dflash.py:99); the page offers 4 and 8.
    held("dflash_draft_quant_bits", Int, Range::Numbers(&[4.0, 8.0]), Reload, V038),
    held("dflash_draft_quant_enabled", Bool, Range::Any, Reload, LATER),
    held("dflash_draft_quant_weight_bits", Int, Range::Numbers(&[2.0, 4.0, 8.0]), Reload, LATER),
    held("dflash_draft_quant_activation_bits", Int, Range::Numbers(&[16.0, 32.0]), Reload, LATER),
    held("dflash_draft_quant_group_size", Int, Range::Numbers(&[32.0, 64.0, 128.0]), Reload, LATER),
    held("dflash_max_ctx", Int, COUNT, Reload, LATER),
    held("dflash_max_concurrent", Int, COUNT, Reload, FLYTO).or(Some(Preset::Int(4))),
    held("dflash_kv_pressure_threshold", Number, Range::AboveUpTo(0.0, 1.0), FileOnly, FLYTO),
    held("dflash_in_memory_cache", Bool, Range::Any, Reload, LATER).or(ON),
    held("dflash_in_memory_cache_max_entries", Int, COUNT, Reload, LATER).or(Some(Preset::Int(4))),
    held("dflash_in_memory_cache_max_bytes", Int, COUNT, Reload, LATER).or(Some(Preset::Int(8 << 30))),
    held("dflash_ssd_cache", Bool, Range::Any, Reload, LATER).or(OFF),
    held("dflash_ssd_cache_max_bytes", Int, COUNT, Reload, V050).or(Some(Preset::Int(20 << 30))),
    held("dflash_draft_window_size", Int, COUNT, Reload, V050),
    held("dflash_draft_sink_size", Int, Range::AtLeast(0.0), Reload, V050),
    held("dflash_verify_mode", Text, Range::Texts(&["dflash", "adaptive", "ddtree", "off"]), Reload, V050),
    held("mtp_enabled", Bool, Range::Any, Reload, LATER).or(OFF),
    held("mtp_num_draft_tokens", Int, COUNT, Reload, V050),
    own("max_concurrent_requests", Int, COUNT, FileOnly, FLYTO),
    held("vlm_mtp_enabled", Bool, Range::Any, Reload, LATER).or(OFF),
    held("vlm_mtp_draft_model", Text, Range::Any, Reload, LATER),
    held("vlm_mtp_draft_block_size", Int, COUNT, Reload, LATER),
    held("aligner_model", Text, Range::Any, Live, FLYTO),
    held("aligner_max_audio_seconds", Number, Range::Above(0.0), Live, FLYTO),
    held("default_aligner_overflow", Text, Range::Texts(&["error", "chunk"]), Live, FLYTO),
    held("default_diarize_quality", Text, Range::Texts(&["standard", "high"]), Live, FLYTO),
    held("default_long_audio", Text, Range::Texts(&["auto", "chunk", "off"]), Live, FLYTO),
    held("long_audio_chunk_minutes", Number, Range::Above(0.0), Live, FLYTO),
    own("is_pinned", Bool, Range::Any, Live, ALL).or(OFF),
    own("is_default", Bool, Range::Any, Live, ALL).or(OFF).rewritten(),
    own("is_hidden", Bool, Range::Any, Live, V050).or(OFF),
    own("is_favorite", Bool, Range::Any, Live, V050).or(OFF),
    own("trust_remote_code", Bool, Range::Any, Reload, ALL).or(OFF),
    own("display_name", Text, Range::Any, FileOnly, ALL),
    own("description", Text, Range::Any, FileOnly, ALL),
    own("active_profile_name", Text, Range::Any, Profile, ALL).rewritten(),
];

/// The fields that a release knows, in the order in which it writes them (`dataclasses.fields`, facts/omlx.md 3.1).
pub fn fields(release: Release) -> impl Iterator<Item = &'static Field> + Clone {
    FIELDS.iter().filter(move |field| field.releases.contains(&release))
}

/// A field by oMLX's name. `None`: the release drops it when it reads the file, without a word.
pub fn field(release: Release, name: &str) -> Option<&'static Field> {
    fields(release).find(|field| field.name == name)
}

/// The fields that a profile may hold, in the order of writing.
pub fn profile_fields(release: Release) -> impl Iterator<Item = &'static Field> + Clone {
    fields(release).filter(|field| field.in_profile)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_unique_within_a_release() {
        for release in Release::ALL {
            let mut names: Vec<&str> = fields(release).map(|field| field.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{release}");
        }
    }

    /// The order in which 0.3.8 writes an entry (facts/omlx.md 3.1).
    #[test]
    fn the_order_of_0_3_8() {
        let names: Vec<&str> = fields(Release::V0_3_8).map(|field| field.name).collect();
        insta::assert_snapshot!(names.join(" "), @"max_context_window max_tokens temperature top_p top_k repetition_penalty min_p presence_penalty force_sampling max_tool_result_tokens chat_template_kwargs forced_ct_kwargs ttl_seconds model_type_override model_alias index_cache_freq enable_thinking preserve_thinking thinking_budget_enabled thinking_budget_tokens reasoning_parser turboquant_kv_enabled turboquant_kv_bits turboquant_skip_last specprefill_enabled specprefill_draft_model specprefill_keep_pct specprefill_threshold dflash_enabled dflash_draft_model dflash_draft_quant_bits is_pinned is_default trust_remote_code display_name description active_profile_name");
    }

    /// What no profile of 0.3.8 may hold (facts/omlx.md 4.1, the list "never", with `preserve_thinking`, which is in neither list there).
    #[test]
    fn what_profiles_may_not_hold() {
        let excluded = |release| -> Vec<&str> {
            fields(release).filter(|field| !field.in_profile).map(|field| field.name).collect()
        };
        assert_eq!(
            excluded(Release::V0_3_8),
            [
                "ttl_seconds",
                "model_type_override",
                "model_alias",
                "preserve_thinking",
                "is_pinned",
                "is_default",
                "trust_remote_code",
                "display_name",
                "description",
                "active_profile_name"
            ]
        );
        assert_eq!(profile_fields(Release::V0_3_8).count(), 27);
        assert!(profile_fields(Release::Flyto0_7_0).any(|field| field.name == "preserve_thinking"));
        assert!(!profile_fields(Release::Flyto0_7_0).any(|field| field.name == "max_concurrent_requests"));
    }

    #[test]
    fn a_release_knows_its_own_fields_only() {
        assert!(field(Release::V0_3_8, "dflash_draft_quant_bits").is_some());
        assert!(field(Release::V0_5_0, "dflash_draft_quant_bits").is_none());
        assert!(field(Release::V0_3_8, "dflash_max_ctx").is_none());
        assert!(field(Release::Flyto0_7_0, "guided_grammar").is_none());
        assert!(field(Release::V0_5_0, "video_default_fps").is_none());
    }

    #[test]
    fn ranges() {
        let check =
            |name: &str, value: serde_json::Value| field(Release::V0_3_8, name).map(|field| field.check(&value));
        let fits = |name: &str, value: serde_json::Value| check(name, value).is_some_and(|checked| checked.is_ok());
        assert!(fits("turboquant_kv_bits", json!(3.5)) && fits("turboquant_kv_bits", json!(4)));
        assert!(!fits("turboquant_kv_bits", json!(99)) && !fits("turboquant_kv_bits", json!(5)));
        assert!(fits("top_p", json!(1)) && !fits("top_p", json!(7)));
        assert!(fits("specprefill_keep_pct", json!(0.2)) && !fits("specprefill_keep_pct", json!(0.6)));
        assert!(!fits("ttl_seconds", json!(0)) && !fits("max_context_window", json!(-1)));
        assert!(!fits("index_cache_freq", json!(1)) && !fits("enable_thinking", json!("yes")));
        let message = check("turboquant_kv_bits", json!(99)).and_then(Result::err).map(|misfit| misfit.to_string());
        insta::assert_snapshot!(message.unwrap_or_default(), @"must be one of 2, 2.5, 3, 3.5, 4, 6, 8");
    }

    #[test]
    fn every_default_fits_its_own_field() {
        for row in FIELDS {
            if row.default.is_some() {
                assert_eq!(row.check(&row.default_value()), Ok(()), "{}", row.name);
            }
        }
    }
}
