//! oMLX as it runs now, as far as the planner cares, and the cheapest way to bring each changed key into effect.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keys::{FileKeys, KeyChange, NewValue};
use super::{Action, Change, ChangeKind, Disturbs, Input, Live, diff, pointer};
use crate::fleet::{Served, ServedName};
use crate::observe::{Answer, AnswerError, FileFact};
use crate::omlx::{self, Effect, Reach};
use crate::render::{OmlxFile, Text};
use crate::schedule;

/// oMLX's label.
pub(super) const OMLX_LABEL: &str = "dev.fleetctl.omlx";

/// oMLX on the machine, as it runs now.
pub(super) struct EngineView {
    /// launchd has our daemon loaded.
    pub(super) is_bootstrapped: bool,
    /// It answers us: then changes can go through its API.
    pub(super) answers: bool,
    /// The release that it says it is.
    pub(super) version: Option<String>,
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
        Self {
            is_bootstrapped: observed.jobs.contains_key(OMLX_LABEL),
            answers: observed.engine.models.got().is_some(),
            version: observed
                .engine
                .status
                .got()
                .and_then(|status| status.get("version"))
                .and_then(Value::as_str)
                .map(str::to_owned),
            loaded: ids(true),
            listed: ids(false),
            has_admin: found_key(input).is_some(),
            is_held: is_held(input, "omlx"),
        }
    }

    /// Whether a process may be running that has read the files: it answers, or answers badly, or launchd has it loaded.
    pub(super) fn may_run(&self) -> bool {
        self.is_bootstrapped && !self.is_held
    }

    /// Whether changes can be made through the API.
    pub(super) fn is_live(&self) -> bool {
        self.is_bootstrapped && self.answers && self.has_admin && !self.is_held
    }
}

/// Whether a unit was stopped by hand (`STATE/held.json`).
pub(super) fn is_held(input: &Input<'_>, unit: &str) -> bool {
    let units = input.observed.held.as_ref().and_then(|held| held.get("units"));
    match units {
        Some(Value::Object(units)) => units.contains_key(unit),
        Some(Value::Array(units)) => units.iter().any(|held| held.as_str() == Some(unit)),
        _ => false,
    }
}

/// Names that were unloaded by hand.
pub(super) fn is_name_held(input: &Input<'_>, name: &ServedName) -> bool {
    let names = input.observed.held.as_ref().and_then(|held| held.get("names"));
    match names {
        Some(Value::Object(names)) => names.contains_key(name.as_str()),
        Some(Value::Array(names)) => names.iter().any(|held| held.as_str() == Some(name.as_str())),
        _ => false,
    }
}

fn found_key<'a>(input: &Input<'a>) -> Option<&'a str> {
    let path = format!("{}/settings.json", input.machine.omlx.base);
    match input.observed.files.get(&path)? {
        FileFact::File { bytes: Some(bytes), .. } => {
            let key: Value = serde_json::from_slice(bytes).ok()?;
            key.pointer("/auth/api_key")?.as_str().filter(|key| !key.is_empty())?;
            Some("present")
        }
        _ => None,
    }
}

/// Why oMLX could not be asked, in words.
pub(super) fn silence<'a>(input: &Input<'a>) -> Option<&'a AnswerError> {
    match &input.observed.engine.models {
        Answer::Failed(error) => Some(error),
        _ => None,
    }
}

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
    for change in &changes {
        let way = way(input, view, change);
        if let (Way::Restart(why), true) = (&way, view.may_run()) {
            work.needs_restart.get_or_insert_with(|| why.clone());
        }
        work.touched
            .extend(name_of(change).and_then(|name| input.fleet.served.get(name)).map(|served| served.name.clone()));
        work.changes.push(describe(change, &way, view));
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

fn is_api_key(change: &KeyChange) -> bool {
    change.key == ["auth", "api_key"]
}

fn name_of(change: &KeyChange) -> Option<&str> {
    match change.file {
        OmlxFile::Settings => None,
        OmlxFile::ModelSettings | OmlxFile::ModelProfiles => change.key.get(1).map(String::as_str),
    }
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

fn live_steps(
    input: &Input<'_>,
    view: &EngineView,
    changes: &[&KeyChange],
    links: &[LinkChange],
    work: &mut EngineWork,
) {
    let release = input.machine.omlx.release;
    let gone = |link: &&LinkChange| link.action == Action::Remove;
    for link in links.iter().filter(gone).chain(links.iter().filter(|link| link.action == Action::Update)) {
        // A re-scan keeps what is loaded, also under a link that is gone or points elsewhere (facts 7.4).
        if let (true, Ok(name)) = (view.loaded.contains(&link.name), ServedName::new(&link.name)) {
            work.live.push(Live::Unload { name });
        }
    }
    if !links.is_empty() {
        work.live.push(Live::Rescan);
    }
    let declared = |name: &str| input.fleet.served.get(name).filter(|served| served.is_on(&input.machine.name));
    let mut puts: BTreeMap<&str, (Vec<(String, Text)>, Map<String, Value>)> = BTreeMap::new();
    let mut reloads: BTreeSet<&str> = BTreeSet::new();
    let mut profiles: BTreeSet<&str> = BTreeSet::new();
    let (mut global, mut global_undo) = (Vec::new(), Map::new());
    for change in changes {
        match change.file {
            OmlxFile::Settings => {
                let setting = match change.key.as_slice() {
                    [section, key] => omlx::setting(release, section, key),
                    _ => None,
                };
                if let Some(Reach::Live(flat)) = setting.map(|setting| setting.reach) {
                    global.push((flat.to_owned(), change.new.text()));
                    global_undo.insert(flat.to_owned(), change.old.clone().unwrap_or_default());
                }
            }
            OmlxFile::ModelProfiles => {
                profiles.extend(change.key.get(1).map(String::as_str));
            }
            OmlxFile::ModelSettings => {
                let [_, name, field] = change.key.as_slice() else { continue };
                if declared(name).is_none() {
                    continue;
                }
                let effect = omlx::field(release, field).map(|field| field.effect);
                if effect == Some(Effect::Profile) {
                    profiles.insert(name);
                    continue;
                }
                let (body, undo) = puts.entry(name).or_default();
                // 0.3.8 ignores null for is_pinned (facts 6.3), so its absence is written as false.
                let is_pin = field == "is_pinned";
                let absent =
                    |value: Option<Value>| value.unwrap_or(if is_pin { Value::Bool(false) } else { Value::Null });
                let value = if change.new == NewValue::Absent {
                    Text::literal(absent(None).to_string())
                } else {
                    change.new.text()
                };
                body.push((field.clone(), value));
                undo.insert(field.clone(), absent(change.old.clone()));
                if effect == Some(Effect::Reload) && view.loaded.contains(name) {
                    reloads.insert(name);
                }
                // What the stored profile says must follow, or the next person to apply it brings the old value back.
                if omlx::field(release, field).is_some_and(|field| field.in_profile) {
                    profiles.insert(name);
                }
            }
        }
    }
    for name in &profiles {
        if let Some(step) = declared(name).and_then(|served| profile_step(input, served)) {
            work.live.push(step);
        }
    }
    for (name, (body, undo)) in &puts {
        if let Some(served) = declared(name) {
            let undo = Text::literal(Value::Object(undo.clone()).to_string());
            work.live.push(Live::Settings { name: served.name.clone(), body: object(body), undo });
        }
    }
    for name in &profiles {
        if let Some(served) = declared(name) {
            let profile = served.profile.as_str().to_owned();
            work.live.push(Live::ApplyProfile { name: served.name.clone(), profile });
        }
    }
    if !global.is_empty() {
        let undo = Text::literal(Value::Object(global_undo).to_string());
        work.live.push(Live::Global { body: object(&global), undo });
    }
    let residents = residents_now(input);
    for served in reloads.iter().filter_map(|name| declared(name)) {
        work.live.push(Live::Reload { name: served.name.clone(), load: true });
    }
    for served in residents {
        let is_new =
            !view.loaded.contains(served.name.as_str()) || links.iter().any(|link| link.name == served.name.as_str());
        let touched = work.touched.contains(&served.name);
        if is_new && touched && !reloads.contains(served.name.as_str()) && !is_name_held(input, &served.name) {
            work.live.push(Live::Load { name: served.name.clone() });
        }
    }
}

/// The names that are resident on the machine now, by the clock.
pub(super) fn residents_now<'a>(input: &Input<'a>) -> Vec<&'a Served> {
    schedule::state_at(input.fleet, input.machine, input.now).resident
}

/// The stored profile of a name, as it should be and as it is.
fn profile_step(input: &Input<'_>, served: &Served) -> Option<Live> {
    let path = format!("{}/model_profiles.json", input.machine.omlx.base);
    let key = ["profiles".to_owned(), served.name.to_string(), served.profile.to_string()];
    let wanted = super::keys::documents(input)
        .filter(|(entry, _)| entry.path == path)
        .flat_map(|(_, document)| &document.keys)
        .find(|owned| owned.path == key)?;
    let crate::render::Wanted::Value(wanted) = &wanted.wanted else { return None };
    let undo = match input.observed.files.get(&path) {
        Some(FileFact::File { bytes: Some(bytes), .. }) => {
            let found: Value = serde_json::from_slice(bytes).unwrap_or_default();
            pointer::get(&found, &key).map(|found| Text::literal(found.to_string()))
        }
        _ => None,
    };
    Some(Live::Profile {
        name: served.name.clone(),
        profile: served.profile.as_str().to_owned(),
        body: Some(Text::literal(wanted.to_string())),
        undo,
    })
}
