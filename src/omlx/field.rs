//! The fields of one model's entry in `model_settings.json`.

use serde_json::Value;

use super::preset::Preset;
use super::value::{Kind, Misfit, Range, Release, check};

/// When a changed field takes effect, by the cheapest way there is (facts/omlx.md 7.1, 7.2, 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// At once, through `PUT /admin/api/models/{id}/settings`; nothing is disturbed.
    Live,
    /// Through `POST /admin/api/models/{id}/profiles/{name}/apply`, at once; the PUT does not carry it.
    Profile,
    /// PUT, then unload and load that model: it decides how the engine is built.
    Reload,
    /// The PUT does not carry it: edit the file, then `POST /admin/api/reload` (unloads every model) or restart.
    FileOnly,
}

/// One field of a model's settings in some releases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// oMLX's own name.
    pub name: &'static str,
    /// The JSON type.
    pub kind: Kind,
    /// What an absent key means; `None` is null (oMLX then writes no key at all).
    pub default: Option<Preset>,
    /// What makes sense.
    pub range: Range,
    /// When a change takes effect.
    pub effect: Effect,
    /// Whether a profile may hold it (facts/omlx.md 4.1).
    pub in_profile: bool,
    /// Whether oMLX itself may change it without being told to (facts/omlx.md 4.2: `active_profile_name`, `is_default`).
    pub server_rewrites: bool,
    /// The releases that know it so.
    pub releases: &'static [Release],
}

impl Field {
    /// What an absent key means, as JSON: null where there is no default.
    pub fn default_value(&self) -> Value {
        self.default.map_or(Value::Null, Preset::value)
    }

    /// Whether the field names weights for speculative work: in the fleet file a key of [models], on a machine their path.
    pub fn names_draft(&self) -> bool {
        matches!(self.name, "dflash_draft_model" | "specprefill_draft_model" | "vlm_mtp_draft_model")
    }

    /// Whether it is laid over a running engine request by request: what a profile that is exposed under a name of its own may change without an engine of its
    /// own (0.4.5.dev1 `model_settings.py`, `_settings_with_profile_locked`).
    pub fn is_request_time(&self) -> bool {
        self.in_profile && REQUEST_TIME.contains(&self.name)
    }

    /// Checks a value. Errors: [`Misfit`], whose text continues the field's name.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        check(self.kind, self.range, value)
    }
}

/// `UNIVERSAL_PROFILE_FIELDS` of `model_profiles.py` in the releases that expose profiles (0.4.5.dev1 and later).
const REQUEST_TIME: [&str; 19] = [
    "max_context_window",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "force_sampling",
    "enable_thinking",
    "preserve_thinking",
    "thinking_budget_enabled",
    "thinking_budget_tokens",
    "reasoning_parser",
    "guided_grammar_enabled",
    "guided_grammar",
    "max_tool_result_tokens",
    "chat_template_kwargs",
    "forced_ct_kwargs",
];
