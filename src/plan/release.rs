//! Another release of oMLX than declared: what the move to the declared one changes.

use serde_json::Value;

use super::Input;
use super::engine_view::EngineView;
use super::standing::Standing;
use crate::capacity;
use crate::fleet::{Release, layout};
use crate::observe::FileFact;
use crate::omlx;

/// What the move from the release that is there to the declared one changes, where both are known.
pub(super) fn notes(input: &Input<'_>, view: &EngineView) -> Vec<String> {
    let to = input.machine.omlx.release;
    let known = |text: &str| {
        Release::ALL
            .into_iter()
            .find(|release| text == release.as_str())
            .or_else(|| Release::ALL.into_iter().find(|release| text == omlx::reported_version(*release)))
    };
    let from = match &view.standing {
        Standing::Pending { running } => known(running),
        Standing::Other { release, .. } => known(release),
        Standing::Declared | Standing::Replaced { .. } => None,
    };
    let Some(from) = from.filter(|from| *from != to) else { return Vec::new() };
    let keys = lost(input, from, to);
    let vanishing =
        (!keys.is_empty()).then(|| format!("{from} to {to}, set here and unknown there: {}", keys.join(", ")));
    let behaviour =
        omlx::upgrade_notes(from, to).map(|note| format!("{from} to {to}, {}: {}", note.subject, note.text));
    vanishing.into_iter().chain(behaviour).chain(shared_engines(input, from, to)).collect()
}

/// Names that one engine of the new release could serve, where that of the old one needed two loads.
fn shared_engines(input: &Input<'_>, from: Release, to: Release) -> Vec<String> {
    if omlx::ways(from).exposed_profiles || !omlx::ways(to).exposed_profiles {
        return Vec::new();
    }
    capacity::findings(input.fleet)
        .into_iter()
        .filter(|finding| finding.rule.id == capacity::ONE_LOAD_SUFFICES.id)
        .filter(|finding| finding.machines.contains(&input.machine.name))
        .map(|finding| format!("{from} to {to}, one engine: {}: {}", finding.text, finding.help.unwrap_or_default()))
        .collect()
}

/// The keys that are set on the machine, to something else than what their absence means, and that the new release drops.
fn lost(input: &Input<'_>, from: Release, to: Release) -> Vec<String> {
    let file = |path: String| -> Value {
        match input.observed.files.get(&path) {
            Some(FileFact::File { bytes: Some(bytes), .. }) => serde_json::from_slice(bytes).unwrap_or_default(),
            _ => Value::Null,
        }
    };
    let settings = file(layout::settings_path(input.machine));
    let settings = omlx::vanishing_settings(from, to)
        .filter(|setting| {
            let found = settings.get(setting.section).and_then(|section| section.get(setting.key));
            found.is_some_and(|found| !omlx::same_value(found, &setting.default_value()))
        })
        .map(|setting| format!("{}.{}", setting.section, setting.key));
    let models = file(layout::model_settings_path(input.machine));
    let entries: Vec<(&String, &Value)> =
        models.get("models").and_then(Value::as_object).into_iter().flatten().collect();
    let fields = omlx::vanishing_fields(from, to).flat_map(|field| {
        entries
            .iter()
            .filter(|(_, entry)| {
                entry.get(field.name).is_some_and(|found| !omlx::same_value(found, &field.default_value()))
            })
            .map(|(name, _)| format!("{} of {name}", field.name))
            .collect::<Vec<_>>()
    });
    settings.chain(fields).collect()
}
