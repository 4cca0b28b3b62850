//! oMLX as it runs now, as far as the planner cares.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Input;
use super::standing::{Standing, standing};
use crate::fleet::layout;
use crate::observe::{Answer, AnswerError, FileFact, is_held};

/// oMLX's label.
pub(super) const OMLX_LABEL: &str = "dev.fleetctl.omlx";

/// oMLX on the machine, as it runs now.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct EngineView {
    /// launchd has our daemon loaded.
    pub(super) is_bootstrapped: bool,
    /// It answers us: then changes can go through its API.
    pub(super) answers: bool,
    /// How its release, and the installed one, stand to the declared.
    pub(super) standing: Standing,
    /// Names that it has loaded.
    pub(super) loaded: BTreeSet<String>,
    /// Names that it lists.
    pub(super) listed: BTreeSet<String>,
    /// Its admin API can be used: there is a key to log in with (facts 6.3: without a key the admin API asks for a setup first).
    pub(super) has_admin: bool,
    /// It was stopped by hand.
    pub(super) is_held: bool,
}

impl EngineView {
    pub(super) fn of(input: &Input<'_>) -> Self {
        let observed = input.observed;
        let models: Vec<&Value> = observed
            .engine
            .models
            .got()
            .and_then(|answer| answer.get("models"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        let ids = |loaded_only: bool| -> BTreeSet<String> {
            models
                .iter()
                .filter(|model| !loaded_only || model.get("loaded").and_then(Value::as_bool) == Some(true))
                .filter_map(|model| model.get("id").and_then(Value::as_str).map(str::to_owned))
                .collect()
        };
        let is_bootstrapped = observed.jobs.contains_key(OMLX_LABEL);
        let running = observed.engine.status.got().and_then(|status| status.get("version")?.as_str());
        let installed = observed.installed_release.as_deref();
        Self {
            is_bootstrapped,
            answers: observed.engine.models.got().is_some(),
            standing: standing(input.machine.omlx.release, running, installed, is_bootstrapped),
            loaded: ids(true),
            listed: ids(false),
            has_admin: has_key(input),
            is_held: is_held(observed, "omlx"),
        }
    }

    /// Whether a process may be running that has read the files: it answers, or answers badly, or launchd has it loaded.
    pub(super) fn may_run(&self) -> bool {
        self.is_bootstrapped && !self.is_held
    }

    /// Why a restart is due although nothing else asks for one: the declared release waits for it.
    pub(super) fn takes_over(&self) -> Option<String> {
        match &self.standing {
            Standing::Pending { running } => {
                Some(format!("oMLX {running} still runs; the declared release is installed and starts with it"))
            }
            Standing::Declared | Standing::Replaced { .. } | Standing::Other { .. } => None,
        }
    }

    /// Whether changes can be made through the API.
    pub(super) fn is_live(&self) -> bool {
        self.is_bootstrapped && self.answers && self.has_admin && !self.is_held
    }
}

/// Whether oMLX's settings hold an API key.
fn has_key(input: &Input<'_>) -> bool {
    let Some(FileFact::File { bytes: Some(bytes), .. }) =
        input.observed.files.get(&layout::settings_path(input.machine))
    else {
        return false;
    };
    let settings: Option<Value> = serde_json::from_slice(bytes).ok();
    let key = settings.as_ref().and_then(|settings| settings.pointer("/auth/api_key")?.as_str());
    key.is_some_and(|key| !key.is_empty())
}

/// Why oMLX could not be asked, in words.
pub(super) fn silence<'a>(input: &Input<'a>) -> Option<&'a AnswerError> {
    match &input.observed.engine.models {
        Answer::Failed(error) => Some(error),
        _ => None,
    }
}
