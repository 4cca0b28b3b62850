//! The one table of settings.json: what each release's `GlobalSettings` holds.
//!
//! Order, types and defaults: settings.py of the release (facts/omlx.md 2.1, 2.2). Ranges: `GlobalSettings.validate`, and counts, times and sizes above 0.
//! Reach: `update_global_settings` of admin/routes.py (facts/omlx.md 7.3); for a key of 0.5.0 of which nothing is known, a restart, which is always right.

use super::column::{ALL, COUNT, FLYTO, LATER, OFF, ON, V038, V050};
use super::preset::Preset;
use super::setting::{Reach, Setting};
use super::value::{Kind, Range, Release};
use Kind::{Bool, Int, List, Number, Text, TextList};
use Reach::{Live, LiveMayEvict, LiveUnloadsAll, Restart};

const EMPTY: Option<Preset> = Some(Preset::Text(""));
const NOTHING: Option<Preset> = None;
/// `socket`'s own range.
const PORT: Range = Range::Between(1.0, 65_535.0);
const RATIO: Range = Range::AboveUpTo(0.0, 1.0);
const LOG_LEVELS: Range = Range::Texts(&["trace", "debug", "info", "warning", "error", "critical"]);
const TOOLS_PROFILES: Range = Range::Texts(&["minimal", "coding", "messaging", "full"]);
const TIERS: Range = Range::Texts(&["safe", "balanced", "aggressive", "custom"]);

#[expect(clippy::unnecessary_wraps, reason = "the column is optional")]
const fn int(n: u64) -> Option<Preset> {
    Some(Preset::Int(n))
}

#[expect(clippy::unnecessary_wraps, reason = "the column is optional")]
const fn number(n: f64) -> Option<Preset> {
    Some(Preset::Number(n))
}

#[expect(clippy::unnecessary_wraps, reason = "the column is optional")]
const fn text(t: &'static str) -> Option<Preset> {
    Some(Preset::Text(t))
}

const fn row(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    default: Option<Preset>,
    range: Range,
    reach: Reach,
) -> Setting {
    let nullable = default.is_none();
    Setting { section, key, kind, nullable, default, range, reach, server_rewrites: false, releases: ALL }
}

impl Setting {
    const fn only(self, releases: &'static [Release]) -> Self {
        Self { releases, ..self }
    }

    const fn rewritten(self) -> Self {
        Self { server_rewrites: true, ..self }
    }
}

static SETTINGS: &[Setting] = &[
    // 0.4.2 and later also take a comma-separated list.
    row("server", "host", Text, text("127.0.0.1"), Range::Any, Restart),
    row("server", "port", Int, int(8000), PORT, Restart),
    row("server", "log_level", Text, text("info"), LOG_LEVELS, Live("log_level")),
    row("server", "cors_origins", TextList, Some(Preset::OneText("*")), Range::Any, Restart),
    row("server", "server_aliases", TextList, Some(Preset::EmptyList), Range::Any, Live("server_aliases")).rewritten(),
    row(
        "server",
        "sse_keepalive_mode",
        Text,
        text("chunk"),
        Range::Texts(&["chunk", "comment", "off"]),
        Live("sse_keepalive_mode"),
    )
    .only(LATER),
    row("server", "auto_start_on_launch", Bool, ON, Range::Any, Restart).only(V050),
    row(
        "server",
        "burst_decode_mode",
        Text,
        text("balanced"),
        Range::Texts(&["off", "light", "balanced", "aggressive"]),
        Restart,
    )
    .only(V050),
    row("server", "preserve_mid_system_cache", Bool, ON, Range::Any, Restart).only(V050),
    row("model", "model_dirs", TextList, Some(Preset::EmptyList), Range::Any, LiveUnloadsAll("model_dirs")).rewritten(),
    row("model", "model_dir", Text, NOTHING, Range::Any, LiveUnloadsAll("model_dir")).rewritten(),
    row("model", "max_model_memory", Text, text("auto"), Range::AutoDisabledOrSize, LiveMayEvict("max_model_memory"))
        .only(V038),
    row("model", "model_fallback", Bool, OFF, Range::Any, Live("model_fallback")),
    row("model", "hide_helper_models", Bool, OFF, Range::Any, Restart).only(V050),
    row(
        "memory",
        "max_process_memory",
        Text,
        text("auto"),
        Range::AutoDisabledPercentOrSize,
        LiveMayEvict("max_process_memory"),
    )
    .only(V038),
    row("memory", "prefill_memory_guard", Bool, ON, Range::Any, Live("memory_prefill_memory_guard")),
    row("memory", "memory_guard_tier", Text, text("balanced"), TIERS, LiveMayEvict("memory_guard_tier")).only(LATER),
    row(
        "memory",
        "memory_guard_custom_ceiling_gb",
        Number,
        number(0.0),
        Range::AtLeast(0.0),
        LiveMayEvict("memory_guard_custom_ceiling_gb"),
    )
    .only(LATER),
    row("memory", "soft_threshold", Number, number(0.85), RATIO, Restart).only(LATER),
    row("memory", "hard_threshold", Number, number(0.95), RATIO, Restart).only(LATER),
    row("memory", "prefill_safe_zone_ratio", Number, number(0.8), Range::Between(0.5, 0.99), Restart).only(LATER),
    row("memory", "prefill_min_chunk_tokens", Int, int(32), Range::Between(1.0, 1024.0), Restart).only(LATER),
    row("memory", "prefill_transient_margin_gb", Number, number(12.0), Range::AtLeast(0.0), Restart).only(FLYTO),
    row("memory", "memory_admission_headroom_gb", Number, number(0.0), Range::AtLeast(0.0), Restart).only(FLYTO),
    row("scheduler", "max_concurrent_requests", Int, int(8), COUNT, Restart),
    row("scheduler", "embedding_batch_size", Int, int(32), COUNT, Restart).only(V050),
    row("scheduler", "chunked_prefill", Bool, OFF, Range::Any, Restart).only(V050),
    row("scheduler", "chunked_prefill", Bool, OFF, Range::Any, Live("chunked_prefill")).only(FLYTO),
    row("cache", "enabled", Bool, ON, Range::Any, LiveUnloadsAll("cache_enabled")),
    row("cache", "hot_cache_only", Bool, OFF, Range::Any, Restart),
    row("cache", "ssd_cache_dir", Text, NOTHING, Range::Any, LiveUnloadsAll("ssd_cache_dir")),
    row("cache", "ssd_cache_max_size", Text, text("auto"), Range::AutoOrSize, LiveUnloadsAll("ssd_cache_max_size")),
    row("cache", "hot_cache_max_size", Text, text("0"), Range::SizeOrZero, LiveUnloadsAll("hot_cache_max_size")),
    row("cache", "initial_cache_blocks", Int, int(256), COUNT, Restart),
    row("auth", "api_key", Text, NOTHING, Range::Any, Live("api_key")),
    row("auth", "secret_key", Text, NOTHING, Range::Any, Restart).rewritten(),
    row("auth", "skip_api_key_verification", Bool, OFF, Range::Any, Live("skip_api_key_verification")),
    row("auth", "sub_keys", List, Some(Preset::EmptyList), Range::Any, Restart),
    row("mcp", "config_path", Text, NOTHING, Range::Any, Restart),
    row("huggingface", "endpoint", Text, EMPTY, Range::Url, Live("hf_endpoint")),
    row("huggingface", "hf_cache_enabled", Bool, ON, Range::Any, Restart).only(V050),
    row("huggingface", "disable_xet", Bool, OFF, Range::Any, Restart).only(FLYTO),
    row("modelscope", "endpoint", Text, EMPTY, Range::Url, Live("ms_endpoint")),
    row("network", "http_proxy", Text, EMPTY, Range::Url, Live("network_http_proxy")),
    row("network", "https_proxy", Text, EMPTY, Range::Url, Live("network_https_proxy")),
    row("network", "no_proxy", Text, EMPTY, Range::Any, Live("network_no_proxy")),
    row("network", "ca_bundle", Text, EMPTY, Range::Any, Live("network_ca_bundle")),
    row("sampling", "max_context_window", Int, int(32_768), COUNT, Live("sampling_max_context_window")),
    row("sampling", "max_context_window_policy", Int, NOTHING, COUNT, Restart).only(V050),
    row("sampling", "max_tokens", Int, int(32_768), COUNT, Live("sampling_max_tokens")),
    row("sampling", "temperature", Number, number(1.0), Range::Between(0.0, 2.0), Live("sampling_temperature")),
    row("sampling", "top_p", Number, number(0.95), Range::Between(0.0, 1.0), Live("sampling_top_p")),
    row("sampling", "top_k", Int, int(0), Range::AtLeast(0.0), Live("sampling_top_k")),
    row(
        "sampling",
        "repetition_penalty",
        Number,
        number(1.0),
        Range::AtLeast(0.0),
        Live("sampling_repetition_penalty"),
    ),
    row("logging", "log_dir", Text, NOTHING, Range::Any, Restart),
    row("logging", "retention_days", Int, int(7), COUNT, Restart),
    row("claude_code", "context_scaling_enabled", Bool, OFF, Range::Any, Live("claude_code_context_scaling_enabled")),
    row("claude_code", "target_context_size", Int, int(200_000), COUNT, Live("claude_code_target_context_size")),
    row("claude_code", "mode", Text, text("cloud"), Range::Texts(&["local", "cloud"]), Live("claude_code_mode")),
    row("claude_code", "opus_model", Text, NOTHING, Range::Any, Live("claude_code_opus_model")),
    row("claude_code", "sonnet_model", Text, NOTHING, Range::Any, Live("claude_code_sonnet_model")),
    row("claude_code", "haiku_model", Text, NOTHING, Range::Any, Live("claude_code_haiku_model")),
    row("integrations", "codex_model", Text, NOTHING, Range::Any, Live("integrations_codex_model")),
    row("integrations", "opencode_model", Text, NOTHING, Range::Any, Live("integrations_opencode_model")),
    row("integrations", "openclaw_model", Text, NOTHING, Range::Any, Live("integrations_openclaw_model")),
    row("integrations", "hermes_model", Text, NOTHING, Range::Any, Restart).only(V050),
    row("integrations", "pi_model", Text, NOTHING, Range::Any, Live("integrations_pi_model")),
    row("integrations", "copilot_model", Text, NOTHING, Range::Any, Restart).only(V050),
    row("integrations", "copilot_model", Text, NOTHING, Range::Any, Live("integrations_copilot_model")).only(FLYTO),
    row(
        "integrations",
        "openclaw_tools_profile",
        Text,
        text("coding"),
        TOOLS_PROFILES,
        Live("integrations_openclaw_tools_profile"),
    ),
    row("integrations", "markitdown_enabled", Bool, ON, Range::Any, Restart).only(V050),
    row("integrations", "markitdown_expose_model", Bool, OFF, Range::Any, Restart).only(V050),
    row("integrations", "markitdown_max_file_size_mb", Int, int(25), COUNT, Restart).only(V050),
    row("integrations", "markitdown_max_files_per_request", Int, int(5), COUNT, Restart).only(V050),
    row("integrations", "markitdown_pdf_processing_engine", Text, text("markitdown"), Range::Any, Restart).only(V050),
    row("ui", "language", Text, text("en"), Range::Any, Live("ui_language")),
    // The API demands at least 60, the file does not (facts/omlx.md 2.1); below it only a restart would do, so 60 is the sensible floor.
    row("idle_timeout", "idle_timeout_seconds", Int, NOTHING, Range::AtLeast(60.0), Live("idle_timeout_seconds")),
    row("video", "enabled", Bool, OFF, Range::Any, Restart).only(FLYTO),
    row("video", "worker_python", Text, EMPTY, Range::Any, Restart).only(FLYTO),
    row("video", "memory_lease_gb", Number, number(36.0), Range::Above(0.0), Restart).only(FLYTO),
    row("video", "max_queued_jobs", Int, int(4), COUNT, Restart).only(FLYTO),
    row("video", "job_timeout_seconds", Int, int(7200), Range::AtLeast(60.0), Restart).only(FLYTO),
    row("video", "progress_stall_timeout_seconds", Int, int(600), Range::AtLeast(30.0), Restart).only(FLYTO),
    row("video", "default_steps", Int, int(20), COUNT, Restart).only(FLYTO),
    row("video", "default_fps", Int, int(16), COUNT, Restart).only(FLYTO),
    row("video", "prompt_extend_model", Text, EMPTY, Range::Any, Restart).only(FLYTO),
    row("video", "first_frame_model", Text, EMPTY, Range::Any, Restart).only(FLYTO),
    row("video", "max_frames", Int, int(121), Range::AtLeast(5.0), Restart).only(FLYTO),
    row("video", "max_steps", Int, int(50), COUNT, Restart).only(FLYTO),
    row("video", "max_pixels_per_frame", Int, int(921_600), Range::AtLeast(256.0), Restart).only(FLYTO),
    row("video", "artifacts_max_count", Int, int(50), COUNT, Restart).only(FLYTO),
    row("video", "artifacts_max_gb", Number, number(50.0), Range::Above(0.0), Restart).only(FLYTO),
    row("video", "upscaler_model_path", Text, EMPTY, Range::Any, Restart).only(FLYTO),
    row("video", "max_upscale_resolution", Int, int(2160), Range::AtLeast(480.0), Restart).only(FLYTO),
    row("image", "enabled", Bool, OFF, Range::Any, Restart).only(FLYTO),
    row("image", "worker_python", Text, EMPTY, Range::Any, Restart).only(FLYTO),
    row("image", "memory_lease_gb", Number, number(0.0), Range::AtLeast(0.0), Restart).only(FLYTO),
    row("image", "max_queued_jobs", Int, int(8), COUNT, Restart).only(FLYTO),
    row("image", "job_timeout_seconds", Int, int(1800), Range::AtLeast(60.0), Restart).only(FLYTO),
    row("image", "progress_stall_timeout_seconds", Int, int(300), Range::AtLeast(30.0), Restart).only(FLYTO),
    row("image", "default_steps", Int, int(0), Range::AtLeast(0.0), Restart).only(FLYTO),
    row("image", "default_size", Text, text("1024x1024"), Range::Any, Restart).only(FLYTO),
    row("image", "max_steps", Int, int(60), COUNT, Restart).only(FLYTO),
    row("image", "max_pixels", Int, int(4_194_304), Range::AtLeast(4096.0), Restart).only(FLYTO),
    row("image", "max_n", Int, int(4), COUNT, Restart).only(FLYTO),
    row("image", "sync_timeout_seconds", Int, int(900), Range::AtLeast(30.0), Restart).only(FLYTO),
    row("image", "artifacts_max_count", Int, int(200), COUNT, Restart).only(FLYTO),
    row("image", "artifacts_max_gb", Number, number(10.0), Range::Above(0.0), Restart).only(FLYTO),
];

/// The keys that a release knows, in the order in which it writes them (`GlobalSettings.save`).
pub fn settings(release: Release) -> impl Iterator<Item = &'static Setting> + Clone {
    SETTINGS.iter().filter(move |setting| setting.releases.contains(&release))
}

/// A key by its section and name. `None`: the release drops it at its next save.
pub fn setting(release: Release, section: &str, key: &str) -> Option<&'static Setting> {
    settings(release).find(|setting| setting.section == section && setting.key == key)
}

/// The top-level keys of settings.json in the order in which a release writes them, `version` first (facts/omlx.md 1.4).
pub fn section_order(release: Release) -> Vec<&'static str> {
    let mut order = vec!["version"];
    for setting in settings(release) {
        if order.last() != Some(&setting.section) {
            order.push(setting.section);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_sections() {
        assert_eq!(
            section_order(Release::V0_3_8).join(" "),
            "version server model memory scheduler cache auth mcp huggingface modelscope network sampling logging claude_code integrations ui idle_timeout"
        );
        assert!(section_order(Release::Flyto0_7_0).ends_with(&["idle_timeout", "video", "image"]));
    }

    #[test]
    fn keys_are_unique_within_a_release_and_sections_in_one_piece() {
        for release in Release::ALL {
            let mut paths: Vec<String> = settings(release).map(Setting::path).collect();
            let count = paths.len();
            paths.sort_unstable();
            paths.dedup();
            assert_eq!(paths.len(), count, "{release}");
            let mut sections = section_order(release);
            let count = sections.len();
            sections.sort_unstable();
            sections.dedup();
            assert_eq!(sections.len(), count, "{release}");
        }
    }

    #[test]
    fn every_default_fits_its_own_key() {
        for row in SETTINGS {
            assert_eq!(row.check(&row.default_value()), Ok(()), "{}", row.path());
        }
    }

    #[test]
    fn the_memory_keys_of_0_3_8_are_gone_later() {
        let knows = |release, section, key| setting(release, section, key).is_some();
        assert!(knows(Release::V0_3_8, "memory", "max_process_memory"));
        assert!(!knows(Release::V0_5_0, "memory", "max_process_memory"));
        assert!(!knows(Release::Flyto0_7_0, "model", "max_model_memory"));
        assert!(knows(Release::Flyto0_7_0, "memory", "memory_guard_tier"));
    }

    #[test]
    fn values_and_reach() {
        let of = |section, key| setting(Release::V0_3_8, section, key).expect("a key of 0.3.8");
        assert!(of("memory", "max_process_memory").check(&json!("80%")).is_ok());
        assert!(of("memory", "max_process_memory").check(&json!(80)).is_err(), "a number is a TypeError at start");
        assert!(of("cache", "ssd_cache_max_size").check(&json!("0")).is_err());
        assert!(of("cache", "hot_cache_max_size").check(&json!("20%")).is_err());
        assert!(of("logging", "log_dir").check(&json!(null)).is_ok());
        assert!(of("scheduler", "max_concurrent_requests").check(&json!(null)).is_err());
        assert_eq!(of("cache", "enabled").reach, Reach::LiveUnloadsAll("cache_enabled"));
        assert_eq!(of("scheduler", "max_concurrent_requests").reach, Reach::Restart);
        assert_eq!(of("sampling", "top_p").reach, Reach::Live("sampling_top_p"));
    }

    /// The defaults of settings.json as `flyto-mlx` 0.7.0 itself prints them (`GlobalSettings().to_dict()`).
    #[test]
    fn the_defaults_of_flyto() {
        let mut sections = serde_json::Map::new();
        for row in settings(Release::Flyto0_7_0) {
            let section = sections.entry(row.section).or_insert_with(|| json!({}));
            section[row.key] = row.default_value();
        }
        let printed: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/omlx/flyto-0.7.0-defaults.json")).expect("JSON");
        assert_eq!(serde_json::Value::Object(sections), printed);
    }
}
