//! `model_settings.json` and `model_profiles.json`: one entry an engine, one profile a served name.

use serde_json::{Map, Value, json};

use super::document::document;
use super::{OmlxFile, OwnedDocument, OwnedKey};
use crate::fleet::{Fleet, Machine, Profile, Served};
use crate::omlx::{self, Field};

/// Every profile carries these times: the same input gives the same bytes, and oMLX only shows them. ISO 8601 in UTC as Python's `isoformat` writes it (facts:
/// section 4.1).
const FIXED_TIME: &str = "2026-01-01T00:00:00+00:00";

/// `model_settings.json` of a machine.
pub(super) fn model_settings(fleet: &Fleet, machine: &Machine) -> OwnedDocument {
    let by_clock = fleet.has_windows(&machine.name);
    let keys = fleet
        .engines_on(&machine.name)
        .flat_map(|served| {
            omlx::fields(machine.omlx.release)
                .filter_map(move |field| entry_key(fleet, machine, served, field, by_clock))
        })
        .collect();
    document(OmlxFile::ModelSettings, machine.omlx.release, &frame("models"), keys)
}

/// `model_profiles.json` of a machine. 0.3.8 reads it at start only.
pub(super) fn model_profiles(fleet: &Fleet, machine: &Machine) -> OwnedDocument {
    let keys = fleet
        .served_on(&machine.name)
        .filter_map(|served| Some((served, fleet.profiles.get(&served.profile)?)))
        .flat_map(|(served, profile)| profile_keys(fleet, machine, served, profile))
        .collect();
    document(OmlxFile::ModelProfiles, machine.omlx.release, &frame("profiles"), keys)
}

/// Both files say `version` 1 in every release (`model_settings.py` and `model_profiles.py` of 0.3.8 and of the fork).
fn frame(table: &str) -> Map<String, Value> {
    [("version".to_owned(), json!(1)), (table.to_owned(), json!({}))].into_iter().collect()
}

/// What the entry of a served name must say about a field; `None` for a field that is not ours.
fn entry_key(fleet: &Fleet, machine: &Machine, served: &Served, field: &Field, by_clock: bool) -> Option<OwnedKey> {
    let path = ["models", served.name.as_str(), field.name];
    let key = match field.name {
        // Only the reconciler sets it where windows decide (fleet.md, Ownership).
        "is_pinned" if by_clock => return None,
        "is_pinned" => OwnedKey::value(&path, served.is_resident_on(&machine.name)),
        "ttl_seconds" => match served.ttl {
            Some(ttl) => OwnedKey::value(&path, ttl.as_secs()),
            None => OwnedKey::absent(&path),
        },
        // Always set: otherwise oMLX guesses from the directory's name (facts: section 5.3).
        "model_type_override" => OwnedKey::value(&path, fleet.weights_of(&served.name)?.kind.as_str()),
        "model_alias" => OwnedKey::absent(&path),
        "active_profile_name" => OwnedKey::value(&path, served.profile.as_str()),
        _ if !field.in_profile => return None,
        _ => match profile_value(fleet, machine, fleet.profile_of(&served.name)?, field.name) {
            Some(value) => OwnedKey::value(&path, value),
            None => OwnedKey::absent(&path),
        },
    };
    Some(key.or(field.default_value()))
}

/// A profile's field on a machine: a draft is the absolute path of its weights there. oMLX hands it to the loader as it is: a path, or else a repository that
/// it would download (facts: section 8.1).
fn profile_value(fleet: &Fleet, machine: &Machine, profile: &Profile, field: &str) -> Option<Value> {
    match profile.drafts.get(field) {
        Some(draft) => fleet.weights.get(draft).map(|weights| Fleet::weights_path(machine, weights).into()),
        None => profile.fields.get(field).cloned(),
    }
}

/// The profile of a served name, in the order in which oMLX writes it (`ModelProfile.to_dict`). Undeclared fields are not listed: after a PUT oMLX copies every
/// other field into the stored profile (facts: section 4.2), and that is no drift.
fn profile_keys(fleet: &Fleet, machine: &Machine, served: &Served, profile: &Profile) -> Vec<OwnedKey> {
    let name = profile.name.as_str();
    let at = ["profiles", served.name.engine(), name];
    let path = |key: &'static str| [at[0], at[1], at[2], key];
    let mut keys = vec![
        OwnedKey::value(&path("name"), name),
        OwnedKey::presence(&path("display_name"), name),
        OwnedKey::presence(&path("description"), Value::Null).or(Value::Null),
        OwnedKey::presence(&path("created_at"), FIXED_TIME),
        OwnedKey::presence(&path("updated_at"), FIXED_TIME),
        OwnedKey::presence(&path("settings"), json!({})),
    ];
    let is_exposed = served.name.exposed_profile().is_some();
    let values: Vec<(&str, Value)> = if is_exposed {
        overlay(fleet, machine, served, profile)
    } else {
        let fields = omlx::profile_fields(machine.omlx.release);
        fields.filter_map(|field| Some((field.name, profile_value(fleet, machine, profile, field.name)?))).collect()
    };
    for (field, value) in values {
        keys.push(OwnedKey::value(&[at[0], at[1], at[2], "settings", field], value));
    }
    keys.push(OwnedKey::presence(&path("source_template"), Value::Null).or(Value::Null));
    if is_exposed {
        keys.push(OwnedKey::value(&path("expose_as_model"), true));
        keys.push(OwnedKey::value(&path("api_name"), name));
    } else if omlx::ways(machine.omlx.release).exposed_profiles {
        // The loader fills in a missing `api_name` and rewrites the file at start (facts: section 4.3).
        keys.push(OwnedKey::presence(&path("expose_as_model"), false).or(Value::Bool(false)));
        keys.push(OwnedKey::presence(&path("api_name"), name));
    }
    keys
}

/// What an exposed profile says. oMLX lays it over the entry of its engine with the request-time fields alone (0.4.5.dev1 `model_settings.py`,
/// `_settings_with_profile_locked`): so what the engine's own profile says and this one does not is said to be as if nobody had said it.
fn overlay(fleet: &Fleet, machine: &Machine, served: &Served, profile: &Profile) -> Vec<(&'static str, Value)> {
    let engine = fleet.served.get(served.name.engine()).and_then(|engine| fleet.profiles.get(&engine.profile));
    let is_said_below = |field: &Field| engine.is_some_and(|engine| engine.fields.contains_key(field.name));
    omlx::profile_fields(machine.omlx.release)
        .filter(|field| field.is_request_time())
        .filter_map(|field| {
            let value = profile_value(fleet, machine, profile, field.name);
            Some((field.name, value.or_else(|| is_said_below(field).then(|| field.default_value()))?))
        })
        .collect()
}
