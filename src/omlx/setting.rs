//! The keys of oMLX's settings.json.

use serde_json::Value;

use super::preset::Preset;
use super::value::{Kind, Misfit, Range, Release, check};

/// How a changed key reaches a running server (facts/omlx.md 7.3). The names are the flat ones of `POST /admin/api/global-settings`, which takes a part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At once, nothing is disturbed.
    Live(&'static str),
    /// At once, and every loaded model is unloaded, the pinned ones too; 0.3.8 does not load those again.
    LiveUnloadsAll(&'static str),
    /// At once; what no longer fits is evicted or aborted.
    LiveMayEvict(&'static str),
    /// Only a restart reads it.
    Restart,
}

/// Sections of settings.json that other keys of the fleet file decide than `[omlx.settings]` (fleet.md): the address, the weights and the key.
pub const DECIDED_ELSEWHERE: [&str; 3] = ["server", "model", "auth"];

/// One key of settings.json in some releases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The section, a key of the file's top level.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// The JSON type.
    pub kind: Kind,
    /// Whether null is a value too (it then means the default).
    pub nullable: bool,
    /// What an absent key means; `None` is null.
    pub default: Option<Preset>,
    /// What makes sense.
    pub range: Range,
    /// How a change reaches a running server.
    pub reach: Reach,
    /// Whether oMLX itself may change it without being told to (facts/omlx.md 1.4, 1.6).
    pub server_rewrites: bool,
    /// The releases that know it so.
    pub releases: &'static [Release],
}

impl Setting {
    /// `section.key`, as the fleet file writes it below `[omlx.settings]`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// What an absent key means, as JSON.
    pub fn default_value(&self) -> Value {
        self.default.map_or(Value::Null, Preset::value)
    }

    /// Checks a value. Errors: [`Misfit`], whose text continues the key's name.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        if self.nullable && value.is_null() { Ok(()) } else { check(self.kind, self.range, value) }
    }
}
