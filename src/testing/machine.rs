//! A machine as a value: what it holds right after an apply, and what a transaction makes of it. The planner's properties are checked on it; that the real runner
//! does the same is the lab's business (`tests/it/transaction`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::fleet::{Fleet, Machine, Release, sha256};
use crate::observe::{Answer, EngineAnswers, FileFact, Hardware, Identity, LaunchdJob, Memory, Observed, Path, Sudo};
use crate::omlx::{self, Reach};
use crate::plan::{Live, Merge, SecretId, Transaction, UnitAction, UnitKind, Values};
use crate::render::{Bundle, Content, OmlxFile, Placeholder, Text, Unit, Wanted};
use crate::secret::{ExposeSecret as _, SecretString};

/// Keys for everything that the example wants one for.
pub(crate) fn values() -> Values {
    let secret = |id: &str| (SecretId(id.to_owned()), SecretString::from(format!("key-of-{id}")));
    Values { secrets: [secret("omlx"), secret("gateway")].into(), tailnet_ip: None }
}

/// A file as the probe sees it.
pub(crate) fn file(user: &str, group: &str, mode: u32, bytes: Vec<u8>) -> FileFact {
    FileFact::File {
        user: user.to_owned(),
        group: group.to_owned(),
        mode,
        sha256: Some(sha256(&bytes)),
        bytes: Some(bytes),
    }
}

/// What a machine holds right after an apply of the bundle.
pub(crate) fn after_apply(fleet: &Fleet, machine: &Machine, bundle: &Bundle, values: &Values) -> Observed {
    let mut files = BTreeMap::new();
    for entry in &bundle.entries {
        let whole = |bytes: Vec<u8>| file(&entry.owner.user, &entry.owner.group, entry.mode, bytes);
        let fact = match &entry.content {
            Content::Whole(text) => whole(filled(text, values).into_bytes()),
            Content::Link { target } => FileFact::Link { target: target.clone() },
            Content::Keys(document) => {
                let mut root = json!({});
                for key in &document.keys {
                    let value = match &key.wanted {
                        Wanted::Value(value) => value.clone(),
                        Wanted::Hole(Placeholder::Secret(id)) => values.secrets[id].expose_secret().into(),
                        Wanted::Hole(_) => json!("made-on-the-machine"),
                        // oMLX writes its defaults out.
                        Wanted::Absent => match &key.default {
                            Some(default) => default.clone(),
                            None => continue,
                        },
                    };
                    set(&mut root, &key.path, value);
                }
                whole(root.to_string().into_bytes())
            }
        };
        files.insert(entry.path.clone(), fact);
    }
    let models: Vec<Value> = fleet
        .served_on(&machine.name)
        .map(|served| json!({"id": served.name.as_str(), "loaded": served.is_resident_on(&machine.name)}))
        .collect();
    Observed {
        machine: machine.name.clone(),
        taken_at: jiff::Timestamp::UNIX_EPOCH,
        path: Path::Tailnet,
        identity: Identity {
            user: machine.user.clone(),
            home: machine.home.clone(),
            macos: Some("15.6.1".to_owned()),
            boot_time: Some(1),
            now: 2,
            zone: None,
            tailnet_ip: None,
        },
        hardware: Hardware::default(),
        memory: Memory::default(),
        disk_free: BTreeMap::new(),
        files,
        serve_entries: BTreeSet::new(),
        jobs: bundle.units.iter().map(|unit| (unit.label.clone(), job(unit))).collect(),
        disabled: BTreeSet::new(),
        foreign: Vec::new(),
        listeners: BTreeMap::new(),
        connections: Some(Vec::new()),
        program_present: Some(true),
        programs: Some(bundle.units.iter().filter_map(|unit| unit.program.clone()).collect()),
        installed_release: None,
        engine: EngineAnswers {
            health: Answer::NotAsked,
            status: Answer::Got(json!({"version": omlx::reported_version(machine.omlx.release)})),
            models: Answer::Got(json!({ "models": models })),
        },
        engine_uptime: None,
        weights: BTreeMap::new(),
        manifest: serde_json::from_str(&bundle.manifest()).ok(),
        record: Some(json!({"fleet": fleet.name})),
        result: None,
        held: None,
        schedule: None,
        job_runs: BTreeMap::new(),
        lock: None,
        generations: Vec::new(),
        sudo: Some(Sudo::Allowed),
        checkup: None,
        notes: Vec::new(),
    }
}

fn job(unit: &Unit) -> LaunchdJob {
    LaunchdJob {
        path: Some(unit.plist.clone()),
        state: "running".to_owned(),
        pid: (unit.kind != UnitKind::Timed).then_some(4711),
        arguments: unit.loaded.arguments.clone(),
        environment: unit.loaded.environment.clone(),
        working_directory: unit.loaded.working_directory.clone(),
        ..LaunchdJob::default()
    }
}

fn filled(text: &Text, values: &Values) -> String {
    text.fill_but_secret_key(values).expect("values for all").expose_secret().to_owned()
}

/// Sets a key; what stands in the way and is no object is replaced, as `json_merge` does.
pub(crate) fn set(root: &mut Value, path: &[String], value: Value) {
    let mut at = root;
    for name in path {
        at = object(at).entry(name.clone()).or_insert(Value::Null);
    }
    *at = value;
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("made just now")
}

fn remove(root: &mut Value, path: &[String]) {
    let Some((last, before)) = path.split_last() else { return };
    let mut at = root;
    for name in before {
        let Some(below) = at.get_mut(name) else { return };
        at = below;
    }
    if let Some(map) = at.as_object_mut() {
        map.shift_remove(last);
    }
}

/// Carries a transaction out, as the runner and oMLX's API do.
pub(crate) fn carry_out(observed: &mut Observed, bundle: &Bundle, transaction: &Transaction, values: &Values) {
    for put in &transaction.puts {
        let bytes = filled(&put.text, values).into_bytes();
        observed.files.insert(put.path.clone(), file(&put.owner.user, &put.owner.group, put.mode, bytes));
    }
    for (path, target, _) in &transaction.links {
        observed.files.insert(path.clone(), FileFact::Link { target: target.clone() });
    }
    for path in &transaction.removes {
        observed.files.insert(path.clone(), FileFact::Missing);
    }
    for live in &transaction.live {
        through_the_api(observed, transaction, live, values);
    }
    for change in &transaction.merges {
        merge(observed, change, values);
    }
    for step in &transaction.units {
        match step.action {
            UnitAction::Start | UnitAction::Restart | UnitAction::TakeOver => {
                let unit = bundle.units.iter().find(|unit| unit.label == step.label).expect("a unit of the bundle");
                observed.jobs.insert(step.label.clone(), job(unit));
                observed.disabled.remove(&step.label);
                if step.kind == UnitKind::Omlx {
                    let is_resident = |name: &str| transaction.gate.resident.iter().any(|one| one.as_str() == name);
                    list(observed, transaction, is_resident);
                }
            }
            UnitAction::Remove => drop(observed.jobs.remove(&step.label)),
            UnitAction::LeaveHeld | UnitAction::Reload => {}
        }
    }
    observed.manifest = serde_json::from_str(&transaction.manifest).ok();
    let fleet = observed.record.as_ref().and_then(|record| record.get("fleet")).cloned();
    observed.record = Some(json!({"fleet": fleet.unwrap_or_else(|| "home".into()), "keys": transaction.keys_written}));
}

fn merge(observed: &mut Observed, change: &Merge, values: &Values) {
    let found = match observed.files.get(&change.path) {
        Some(FileFact::File { bytes: Some(bytes), .. }) if !change.keep_aside => serde_json::from_slice(bytes).ok(),
        _ => None,
    };
    let document = match found {
        None => serde_json::from_str(&filled(&change.fresh, values)).expect("a fresh file is JSON"),
        Some(mut document) => {
            for path in &change.remove {
                remove(&mut document, path);
            }
            for (path, value) in &change.set {
                set(&mut document, path, serde_json::from_str(&filled(value, values)).expect("JSON"));
            }
            document
        }
    };
    let document: Value = document;
    let bytes = document.to_string().into_bytes();
    observed.files.insert(change.path.clone(), file(&change.owner.user, &change.owner.group, 0o600, bytes));
}

/// One of oMLX's files, changed by oMLX.
fn edit(observed: &mut Observed, path: &str, change: impl FnOnce(&mut Value)) {
    let Some(FileFact::File { bytes: Some(bytes), sha256: hash, .. }) = observed.files.get_mut(path) else {
        panic!("{path} is there while oMLX runs")
    };
    let mut document = serde_json::from_slice(bytes).expect("JSON");
    change(&mut document);
    *bytes = document.to_string().into_bytes();
    *hash = Some(sha256(bytes));
}

fn through_the_api(observed: &mut Observed, transaction: &Transaction, live: &Live, values: &Values) {
    let path = |file: OmlxFile| {
        let name = match file {
            OmlxFile::Settings => "settings.json",
            OmlxFile::ModelSettings => "model_settings.json",
            OmlxFile::ModelProfiles => "model_profiles.json",
        };
        format!("{}/{name}", transaction.base)
    };
    let body = |text: &Text| -> Map<String, Value> { serde_json::from_str(&filled(text, values)).expect("JSON") };
    match live {
        Live::Rescan => {
            let loaded = loaded(observed);
            list(observed, transaction, |name| loaded.contains(name));
        }
        Live::Settings { name, body: text, .. } => edit(observed, &path(OmlxFile::ModelSettings), |document| {
            for (field, value) in body(text) {
                let at = ["models".to_owned(), name.to_string(), field];
                if value.is_null() { remove(document, &at) } else { set(document, &at, value) }
            }
        }),
        Live::Profile { name, profile, body: text, .. } => {
            edit(observed, &path(OmlxFile::ModelProfiles), |document| {
                let at = ["profiles".to_owned(), name.to_string(), profile.clone()];
                match text {
                    Some(text) => set(document, &at, Value::Object(body(text))),
                    None => remove(document, &at),
                }
            });
        }
        Live::Global { body: text, .. } => edit(observed, &path(OmlxFile::Settings), |document| {
            for (flat, value) in body(text) {
                let (section, key) = section_and_key(transaction.gate.release, &flat);
                set(document, &[section, key], value);
            }
        }),
        Live::ApplyProfile { name, profile } => {
            let stored = match observed.files.get(&path(OmlxFile::ModelProfiles)) {
                Some(FileFact::File { bytes: Some(bytes), .. }) => {
                    let all: Value = serde_json::from_slice(bytes).expect("JSON");
                    all["profiles"][name.as_str()][profile]["settings"].as_object().cloned().unwrap_or_default()
                }
                _ => Map::new(),
            };
            edit(observed, &path(OmlxFile::ModelSettings), |document| {
                let at = |field: &str| ["models".to_owned(), name.to_string(), field.to_owned()];
                for (field, value) in stored {
                    set(document, &at(&field), value);
                }
                set(document, &at("active_profile_name"), profile.as_str().into());
            });
        }
        Live::Reload { name, load: true } | Live::Load { name } => mark(observed, name.as_str(), true),
        Live::Reload { name, load: false } | Live::Unload { name } => mark(observed, name.as_str(), false),
    }
}

fn section_and_key(release: Release, flat: &str) -> (String, String) {
    let setting = omlx::settings(release).find(|setting| matches!(setting.reach, Reach::Live(name) if name == flat));
    let setting = setting.unwrap_or_else(|| panic!("{flat} is no live setting"));
    (setting.section.to_owned(), setting.key.to_owned())
}

fn loaded(observed: &Observed) -> BTreeSet<String> {
    let models = observed.engine.models.got().and_then(|answer| answer["models"].as_array());
    let is_loaded = |model: &&Value| model["loaded"] == true;
    models.into_iter().flatten().filter(is_loaded).filter_map(|model| Some(model["id"].as_str()?.to_owned())).collect()
}

fn list(observed: &mut Observed, transaction: &Transaction, is_loaded: impl Fn(&str) -> bool) {
    let names = transaction.gate.listed.iter().map(crate::fleet::ServedName::as_str);
    let models: Vec<Value> = names.map(|name| json!({"id": name, "loaded": is_loaded(name)})).collect();
    observed.engine.models = Answer::Got(json!({ "models": models }));
    observed.engine.status = Answer::Got(json!({"version": omlx::reported_version(transaction.gate.release)}));
}

fn mark(observed: &mut Observed, name: &str, is_loaded: bool) {
    let Answer::Got(answer) = &mut observed.engine.models else { return };
    for model in answer["models"].as_array_mut().into_iter().flatten() {
        if model["id"] == name {
            model["loaded"] = is_loaded.into();
        }
    }
}
