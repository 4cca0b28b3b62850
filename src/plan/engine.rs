//! The cheapest way to bring each changed key of oMLX's into effect.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::engine_view::{EngineView, silence};
use super::keys::{FileKeys, KeyChange, NewValue};
use super::{Action, Change, ChangeKind, Disturbs, Input, Live, diff, pointer};
use crate::fleet::{Served, ServedName};
use crate::observe::{FileFact, is_name_held};
use crate::omlx::{self, Effect, Reach};
use crate::render::{OmlxFile, Text, Wanted};
use crate::schedule;

/// What is done about oMLX's keys, links and residents.
pub(super) struct EngineWork {
    pub(super) changes: Vec<Change>,
    pub(super) live: Vec<Live>,
    pub(super) needs_restart: Option<String>,
    /// Names that something changed for.
    pub(super) touched: BTreeSet<ServedName>,
}

/// A link that changes, by the served name at its end.
pub(super) struct LinkChange {
    pub(super) name: String,
    pub(super) action: Action,
}

/// Decides how each key comes into effect (facts 7.4), and what has to be loaded besides.
pub(super) fn plan(input: &Input<'_>, view: &EngineView, files: &[FileKeys], links: &[LinkChange]) -> EngineWork {
    let mut work = EngineWork { changes: Vec::new(), live: Vec::new(), needs_restart: None, touched: BTreeSet::new() };
    let changes: Vec<&KeyChange> = files.iter().flat_map(|file| &file.changes).collect();
    work.needs_restart = view.takes_over().filter(|_| view.may_run());
    work.changes.extend(files.iter().filter_map(|file| whole_file(file, view)));
    let is_whole = |change: &KeyChange| files.iter().any(|file| file.is_fresh && file.changes.contains(change));
    for change in &changes {
        let way = way(input, view, change);
        if let (Way::Restart(why), true) = (&way, view.may_run()) {
            work.needs_restart.get_or_insert_with(|| why.clone());
        }
        work.touched
            .extend(name_of(change).and_then(|name| input.fleet.served.get(name)).map(|served| served.name.clone()));
        if !is_whole(change) {
            work.changes.push(describe(change, &way, view));
        }
    }
    for link in links {
        work.touched.extend(input.fleet.served.get(&link.name).map(|served| served.name.clone()));
    }
    if work.needs_restart.is_none() && view.may_run() && !view.is_live() && !(changes.is_empty() && links.is_empty()) {
        let why = match (view.answers, silence(input)) {
            (true, _) => "oMLX has no API key, so its admin API is closed".to_owned(),
            (false, Some(error)) => format!("oMLX does not answer ({error}), so its API cannot be used"),
            (false, None) => "oMLX does not answer, so its API cannot be used".to_owned(),
        };
        work.needs_restart = Some(why);
    }
    if view.is_live() && work.needs_restart.is_none() {
        live_steps(input, view, &changes, links, &mut work);
    }
    work
}

/// The cheapest way for one key.
enum Way {
    /// Without a disturbance; the text says how.
    Live(&'static str),
    /// PUT, then that model is unloaded and loaded again.
    Reload,
    /// With the daemon's next start; the text says why.
    Restart(String),
    /// The daemon does not run: the file is enough.
    File,
}

fn way(input: &Input<'_>, view: &EngineView, change: &KeyChange) -> Way {
    if !view.may_run() {
        return Way::File;
    }
    if let Some(why) = view.takes_over() {
        return Way::Restart(why);
    }
    let release = input.machine.omlx.release;
    match change.file {
        OmlxFile::Settings => {
            let key = pointer::dotted(&change.key);
            let setting = match change.key.as_slice() {
                [section, key] => omlx::setting(release, section, key),
                _ => None,
            };
            match setting.map(|setting| setting.reach) {
                Some(Reach::Live(_)) if !change.is_secret || is_api_key(change) => {
                    Way::Live("POST /admin/api/global-settings")
                }
                Some(Reach::LiveMayEvict(_)) => Way::Restart(format!(
                    "{key} can be set live, but oMLX {release} then evicts at once or stops unloading idle models until its next start"
                )),
                Some(Reach::LiveUnloadsAll(_)) => {
                    Way::Restart(format!("setting {key} live unloads every model, pinned ones too"))
                }
                _ => Way::Restart(format!("oMLX reads {key} at start only")),
            }
        }
        OmlxFile::ModelProfiles => Way::Live("the profiles API"),
        OmlxFile::ModelSettings if change.new == NewValue::Absent && is_unknown(input, view, change) => {
            Way::Restart("oMLX no longer knows the model, so its API cannot clear the entry".to_owned())
        }
        OmlxFile::ModelSettings => {
            let Some([name, field]) = change.key.get(1..).and_then(|rest| <&[String; 2]>::try_from(rest).ok()) else {
                return Way::Restart("no API of this release removes a model's whole entry".to_owned());
            };
            match omlx::field(release, field).map(|field| field.effect) {
                Some(Effect::Live) => Way::Live("PUT settings"),
                Some(Effect::Profile) => Way::Live("applying the stored profile"),
                Some(Effect::Reload) if view.loaded.contains(name) => Way::Reload,
                Some(Effect::Reload) => Way::Live("PUT settings; the model is not loaded"),
                Some(Effect::FileOnly) => Way::Restart(format!("the API of oMLX {release} does not carry {field}")),
                None => Way::Restart(format!("oMLX {release} does not know {field}")),
            }
        }
    }
}

/// Whether the name is neither declared on the machine nor known to the running server.
fn is_unknown(input: &Input<'_>, view: &EngineView, change: &KeyChange) -> bool {
    name_of(change).is_some_and(|name| {
        let is_declared = input.fleet.served.get(name).is_some_and(|served| served.is_on(&input.machine.name));
        !is_declared && !view.listed.contains(name)
    })
}

fn is_api_key(change: &KeyChange) -> bool {
    change.key == ["auth", "api_key"]
}

fn name_of(change: &KeyChange) -> Option<&str> {
    match change.file {
        OmlxFile::Settings => None,
        OmlxFile::ModelSettings | OmlxFile::ModelProfiles => change.key.get(1).map(String::as_str),
    }
}

/// A file that is not there, or is no JSON, is written whole: one change with one diff instead of one for each key.
fn whole_file(file: &FileKeys, view: &EngineView) -> Option<Change> {
    let merge = file.merge.as_ref().filter(|_| file.is_fresh)?;
    let (action, reason) = if merge.keep_aside {
        (Action::Update, "is not JSON; it is kept aside under a dated name")
    } else {
        (Action::Create, "declared, and not on the machine")
    };
    Some(Change {
        kind: ChangeKind::File,
        path: merge.path.clone(),
        key: None,
        action,
        disturbs: if view.may_run() { Disturbs::Restart } else { Disturbs::Nothing },
        names: Vec::new(),
        reason: reason.to_owned(),
        diff: diff::unified("", &format!("{}\n", merge.fresh.shown())),
    })
}

fn describe(change: &KeyChange, way: &Way, view: &EngineView) -> Change {
    let (disturbs, how) = match way {
        Way::Live(how) => (Disturbs::Nothing, format!("live, by {how}")),
        Way::Reload => {
            (Disturbs::Reload, "it decides how the engine is built, so the model is loaded again".to_owned())
        }
        Way::Restart(why) => (Disturbs::Restart, why.clone()),
        Way::File if view.is_held => (Disturbs::Nothing, "oMLX is held: the file only".to_owned()),
        Way::File => (Disturbs::Nothing, "oMLX does not run: the file only".to_owned()),
    };
    let shown = |value: String| if change.is_secret { diff::REDACTED.to_owned() } else { value };
    let old = change.old.as_ref().map(|old| shown(old.to_string()));
    let new = match &change.new {
        NewValue::Absent => None,
        value => Some(shown(value.text().shown())),
    };
    let name = (disturbs == Disturbs::Reload).then(|| name_of(change)).flatten();
    Change {
        kind: ChangeKind::Setting,
        path: change.path.clone(),
        key: Some(pointer::dotted(&change.key)),
        action: match (&change.old, &change.new) {
            (None, _) => Action::Create,
            (_, NewValue::Absent) => Action::Remove,
            _ => Action::Update,
        },
        disturbs,
        names: name.and_then(|name| ServedName::new(name).ok()).into_iter().collect(),
        reason: format!("{}; {how}", change.reason),
        diff: Some(diff::of_value(old.as_deref(), new.as_deref())),
    }
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

fn live_steps(
    input: &Input<'_>,
    view: &EngineView,
    changes: &[&KeyChange],
    links: &[LinkChange],
    work: &mut EngineWork,
) {
    let mut models = model_work(input, view, changes);
    let declared = |name: &str| input.fleet.served.get(name).filter(|served| served.is_on(&input.machine.name));
    let (present, gone): (Vec<_>, Vec<_>) =
        std::mem::take(&mut models).into_iter().partition(|(name, _)| declared(name).is_some());

    for link in links.iter().filter(|link| link.action != Action::Create && view.loaded.contains(&link.name)) {
        // A re-scan keeps what is loaded, also under a link that is gone or points elsewhere (facts 7.4).
        work.live.extend(ServedName::new(&link.name).ok().map(|name| Live::Unload { name }));
    }
    // The API knows a model only until the re-scan that finds its link gone.
    for (name, model) in &gone {
        let Ok(name) = ServedName::new(*name) else { continue };
        work.live.extend(put(&name, model));
        for change in changes.iter().filter(|change| change.file == OmlxFile::ModelProfiles && change.key.len() == 3) {
            if change.key[1] == name.as_str() {
                let undo = change.old.as_ref().map(|old| Text::literal(old.to_string()));
                work.live.push(Live::Profile { name: name.clone(), profile: change.key[2].clone(), body: None, undo });
            }
        }
    }
    if !links.is_empty() || present.iter().any(|(name, _)| !view.listed.contains(*name)) {
        work.live.push(Live::Rescan);
    }
    for (name, model) in &present {
        let Some(served) = declared(name) else { continue };
        let active = served.profile.as_str();
        work.live.extend(model.changes_profile.then(|| profile_step(input, &served.name, active)).flatten());
        work.live.extend(put(&served.name, model));
        if model.changes_profile {
            work.live.push(Live::ApplyProfile { name: served.name.clone(), profile: active.to_owned() });
        }
        // After that: oMLX forgets which profile is active when that one is deleted.
        work.live.extend(model.beside.iter().filter_map(|profile| profile_step(input, &served.name, profile)));
    }
    work.live.extend(global_step(input, changes));
    for (name, _) in present.iter().filter(|(_, model)| model.reloads) {
        work.live.extend(declared(name).map(|served| Live::Reload { name: served.name.clone(), load: true }));
    }
    for served in residents_now(input) {
        let is_relinked = links.iter().any(|link| link.name == served.name.as_str());
        let is_absent = !view.loaded.contains(served.name.as_str()) || is_relinked;
        if is_absent && work.touched.contains(&served.name) && !is_name_held(input.observed, served.name.as_str()) {
            work.live.push(Live::Load { name: served.name.clone() });
        }
    }
}

fn model_work<'a>(input: &Input<'_>, view: &EngineView, changes: &[&'a KeyChange]) -> BTreeMap<&'a str, ModelWork<'a>> {
    let release = input.machine.omlx.release;
    let mut models: BTreeMap<&str, ModelWork<'_>> = BTreeMap::new();
    for change in changes {
        let Some(name) = name_of(change) else { continue };
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
