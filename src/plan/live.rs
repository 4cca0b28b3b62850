//! The steps through oMLX's API that bring changed keys into effect while it runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::engine_view::EngineView;
use super::keys::{KeyChange, NewValue};
use super::{Action, Input, Live, pointer};
use crate::fleet::{Served, ServedName};
use crate::observe::{FileFact, is_name_held};
use crate::omlx::{self, Effect, Reach};
use crate::render::{OmlxFile, Text, Wanted};
use crate::schedule;

/// A link that changes, by the served name at its end.
pub(super) struct LinkChange {
    pub(super) name: String,
    pub(super) action: Action,
}

/// The steps, in order; `touched` are the names that something changed for.
pub(super) fn live_steps(
    input: &Input<'_>,
    view: &EngineView,
    changes: &[&KeyChange],
    links: &[LinkChange],
    touched: &BTreeSet<ServedName>,
) -> Vec<Live> {
    let mut steps = Vec::new();
    let declared = |name: &str| input.fleet.served.get(name).filter(|served| served.is_on(&input.machine.name));
    let (present, gone): (Vec<_>, Vec<_>) =
        model_work(input, view, changes).into_iter().partition(|(name, _)| declared(name).is_some());

    for link in links.iter().filter(|link| link.action != Action::Create && view.loaded.contains(&link.name)) {
        // A re-scan keeps what is loaded, also under a link that is gone or points elsewhere (facts 7.4).
        steps.extend(ServedName::new(&link.name).ok().map(|name| Live::Unload { name }));
    }
    // The API knows a model only until the re-scan that finds its link gone.
    for (name, model) in &gone {
        let Ok(name) = ServedName::new(*name) else { continue };
        steps.extend(put(&name, model));
        for change in changes.iter().filter(|change| change.file == OmlxFile::ModelProfiles && change.key.len() == 3) {
            if change.key[1] == name.as_str() {
                let undo = change.old.as_ref().map(|old| Text::literal(old.to_string()));
                steps.push(Live::Profile { name: name.clone(), profile: change.key[2].clone(), body: None, undo });
            }
        }
    }
    if !links.is_empty() || present.iter().any(|(name, _)| !view.listed.contains(*name)) {
        steps.push(Live::Rescan);
    }
    for (name, model) in &present {
        let Some(served) = declared(name) else { continue };
        let active = served.profile.as_str();
        steps.extend(model.changes_profile.then(|| profile_step(input, &served.name, active)).flatten());
        steps.extend(put(&served.name, model));
        if model.changes_profile {
            steps.push(Live::ApplyProfile { name: served.name.clone(), profile: active.to_owned() });
        }
        // After that: oMLX forgets which profile is active when that one is deleted.
        steps.extend(model.beside.iter().filter_map(|profile| profile_step(input, &served.name, profile)));
    }
    steps.extend(global_step(input, changes));
    for (name, _) in present.iter().filter(|(_, model)| model.reloads) {
        steps.extend(declared(name).map(|served| Live::Reload { name: served.name.clone(), load: true }));
    }
    for served in residents_now(input) {
        let is_relinked = links.iter().any(|link| link.name == served.name.as_str());
        let is_absent = !view.loaded.contains(served.name.as_str()) || is_relinked;
        if is_absent && touched.contains(&served.name) && !is_name_held(input.observed, served.name.as_str()) {
            steps.push(Live::Load { name: served.name.clone() });
        }
    }
    steps
}

/// A JSON object whose values may have holes, on one line.
fn object(fields: &[(String, Text)]) -> Text {
    let mut text = Text::literal("{");
    for (index, (key, value)) in fields.iter().enumerate() {
        text.push(if index == 0 { "" } else { ", " });
        text.push(&Value::from(key.as_str()).to_string());
        text.push(": ");
        text.append(value.clone());
    }
    text.push("}");
    text
}

/// What changes for one model: the body of the PUT, what undoes it, and the stored profiles that must follow.
#[derive(Default)]
struct ModelWork<'a> {
    body: Vec<(String, Text)>,
    undo: Map<String, Value>,
    /// The profile that is active.
    changes_profile: bool,
    /// The others: exposed under names of their own, or no longer declared.
    beside: BTreeSet<&'a str>,
    reloads: bool,
}

fn model_work<'a>(input: &Input<'_>, view: &EngineView, changes: &[&'a KeyChange]) -> BTreeMap<&'a str, ModelWork<'a>> {
    let release = input.machine.omlx.release;
    let mut models: BTreeMap<&str, ModelWork<'_>> = BTreeMap::new();
    for change in changes {
        let Some(name) = change.name() else { continue };
        let model = models.entry(name).or_default();
        let ([_, _, field], OmlxFile::ModelSettings) = (change.key.as_slice(), change.file) else {
            let active = input.fleet.served.get(name).map(|served| served.profile.as_str());
            match change.key.get(2).filter(|profile| Some(profile.as_str()) != active) {
                Some(other) if change.file == OmlxFile::ModelProfiles => _ = model.beside.insert(other),
                _ => model.changes_profile = true,
            }
            continue;
        };
        let known = omlx::field(release, field);
        // What the stored profile says must follow, or the next person to apply it brings the old value back.
        model.changes_profile |= known.is_some_and(|known| known.in_profile || known.effect == Effect::Profile);
        if known.is_some_and(|known| known.effect == Effect::Profile) {
            continue;
        }
        // 0.3.8 ignores null for is_pinned (facts 6.3), so its absence is written as false.
        let absent = || if field == "is_pinned" { Value::Bool(false) } else { Value::Null };
        let is_absent = change.new == NewValue::Absent;
        let value = if is_absent { Text::literal(absent().to_string()) } else { change.new.text() };
        model.body.push((field.clone(), value));
        model.undo.insert(field.clone(), change.old.clone().unwrap_or_else(absent));
        model.reloads |= known.is_some_and(|known| known.effect == Effect::Reload) && view.loaded.contains(name);
    }
    models
}

fn put(name: &ServedName, model: &ModelWork<'_>) -> Option<Live> {
    let undo = Text::literal(Value::Object(model.undo.clone()).to_string());
    (!model.body.is_empty()).then(|| Live::Settings { name: name.clone(), body: object(&model.body), undo })
}

fn global_step(input: &Input<'_>, changes: &[&KeyChange]) -> Option<Live> {
    let (mut body, mut undo, mut changes_key) = (Vec::new(), Map::new(), false);
    for change in changes.iter().filter(|change| change.file == OmlxFile::Settings) {
        let [section, key] = change.key.as_slice() else { continue };
        let Some(Reach::Live(flat)) =
            omlx::setting(input.machine.omlx.release, section, key).map(|setting| setting.reach)
        else {
            continue;
        };
        body.push((flat.to_owned(), change.new.text()));
        if change.is_secret {
            changes_key = true;
        } else {
            undo.insert(flat.to_owned(), change.old.clone().unwrap_or_default());
        }
    }
    let undo = Text::literal(Value::Object(undo).to_string());
    (!body.is_empty()).then(|| Live::Global { body: object(&body), undo, changes_key })
}

/// The names that are resident on the machine now, by the clock.
pub(super) fn residents_now<'a>(input: &Input<'a>) -> Vec<&'a Served> {
    schedule::state_at(input.fleet, input.machine, input.now).resident
}

/// A stored profile of an engine, as it should be (nothing when it is not declared) and as it is.
fn profile_step(input: &Input<'_>, name: &ServedName, profile: &str) -> Option<Live> {
    let at = ["profiles".to_owned(), name.to_string(), profile.to_owned()];
    let (entry, document) =
        super::keys::documents(input).find(|(_, document)| document.file == OmlxFile::ModelProfiles)?;
    let mut wanted = Map::new();
    for owned in document.keys.iter().filter(|owned| owned.path.starts_with(&at)) {
        let Wanted::Value(value) = &owned.wanted else { continue };
        match owned.path.get(3..) {
            Some([key]) => wanted.insert(key.clone(), value.clone()),
            Some([section, key]) => wanted
                .entry(section.clone())
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut()
                .and_then(|section| section.insert(key.clone(), value.clone())),
            _ => None,
        };
    }
    let undo = match input.observed.files.get(&entry.path) {
        Some(FileFact::File { bytes: Some(bytes), .. }) => {
            let found: Value = serde_json::from_slice(bytes).unwrap_or_default();
            pointer::get(&found, &at).map(|found| Text::literal(found.to_string()))
        }
        _ => None,
    };
    let body = (!wanted.is_empty()).then(|| Text::literal(Value::Object(wanted).to_string()));
    Some(Live::Profile { name: name.clone(), profile: profile.to_owned(), body, undo })
}
