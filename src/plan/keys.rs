//! Keys of oMLX's files that are ours: what the file says, what it should say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Found, FoundBytes, Input, Kept, Merge, pointer};
use crate::observe::FileFact;
use crate::omlx;
use crate::render::{Content, Encoding, Entry, Hold, OmlxFile, OwnedDocument, OwnedKey, Placeholder, Text, Wanted};
use crate::secret::ExposeSecret as _;

/// What a changed key becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NewValue {
    /// This value.
    Value(Value),
    /// Something that is filled in later.
    Hole(Placeholder),
    /// Removed.
    Absent,
}

impl NewValue {
    /// As JSON text on one line, with its hole.
    pub(super) fn text(&self) -> Text {
        match self {
            Self::Value(value) => Text::literal(value.to_string()),
            Self::Hole(placeholder) => {
                let mut text = Text::literal("\"");
                text.push_hole(placeholder.clone(), Encoding::JsonString);
                text.push("\"");
                text
            }
            Self::Absent => Text::literal("null"),
        }
    }
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyChange {
    pub(super) file: OmlxFile,
    /// The file's path on the machine.
    pub(super) path: String,
    pub(super) key: Vec<String>,
    pub(super) old: Option<Value>,
    pub(super) new: NewValue,
    pub(super) is_secret: bool,
    pub(super) reason: &'static str,
}

impl KeyChange {
    /// The name whose entry or profile it is in; none in settings.json.
    pub(super) fn name(&self) -> Option<&str> {
        match self.file {
            OmlxFile::Settings => None,
            OmlxFile::ModelSettings | OmlxFile::ModelProfiles => self.key.get(1).map(String::as_str),
        }
    }
}

/// One of oMLX's files.
pub(super) struct FileKeys {
    pub(super) changes: Vec<KeyChange>,
    pub(super) merge: Option<Merge>,
    pub(super) found: Option<Found>,
    pub(super) kept: Vec<Kept>,
    /// The file is missing, malformed, or no regular file: it is written whole.
    pub(super) is_fresh: bool,
    /// Its rights differ, which needs no word with oMLX.
    pub(super) wrong_rights: Option<String>,
    /// Every key that fleetctl will have set there, for the record.
    pub(super) written: Vec<String>,
}

/// What was found of one of oMLX's files.
enum State<'a> {
    Missing,
    Document(Value, &'a [u8]),
    Malformed(&'a [u8]),
    Unknown,
}

/// Compares one of oMLX's files by key.
pub(super) fn compare(input: &Input<'_>, entry: &Entry, document: &OwnedDocument) -> FileKeys {
    let mut result = FileKeys {
        changes: Vec::new(),
        merge: None,
        found: None,
        kept: Vec::new(),
        is_fresh: false,
        wrong_rights: None,
        written: document
            .keys
            .iter()
            .filter(|key| key.wanted != Wanted::Absent)
            .map(|key| pointer::to_pointer(&key.path))
            .collect(),
    };
    let state = state_of(input, entry, &mut result);
    let (found, bytes) = match state {
        State::Unknown => {
            result.kept.push(Kept {
                path: entry.path.clone(),
                reason: "could not be read by the login user, so it was not compared".to_owned(),
            });
            return result;
        }
        State::Missing => (Value::Null, None),
        State::Malformed(bytes) => {
            result.kept.push(Kept {
                path: entry.path.clone(),
                reason: "is not JSON: apply keeps it aside under a dated name and writes a new one".to_owned(),
            });
            (Value::Null, Some((bytes, true)))
        }
        State::Document(value, bytes) => (value, Some((bytes, false))),
    };
    result.is_fresh = !matches!(bytes, Some((_, false)));
    for owned in &document.keys {
        result.changes.extend(difference(input, entry, document.file, owned, pointer::get(&found, &owned.path)));
    }
    result.changes.extend(no_longer_declared(input, entry, document, &found));
    if result.changes.is_empty() && result.wrong_rights.is_none() && !result.is_fresh {
        return result;
    }
    result.found = Some(match bytes {
        None => Found::Missing(entry.path.clone()),
        Some((bytes, _)) => Found::Keys {
            path: entry.path.clone(),
            keys: result.changes.iter().map(|change| change.key.clone()).collect(),
            bytes: FoundBytes(bytes.to_vec()),
        },
    });
    let set = |change: &KeyChange| (change.new != NewValue::Absent).then(|| (change.key.clone(), change.new.text()));
    result.merge = Some(Merge {
        path: entry.path.clone(),
        owner: entry.owner.clone(),
        set: result.changes.iter().filter_map(set).collect(),
        remove: result.changes.iter().filter(|c| c.new == NewValue::Absent).map(|c| c.key.clone()).collect(),
        fresh: document.fresh.clone(),
        keep_aside: matches!(bytes, Some((_, true))),
    });
    result
}

fn state_of<'a>(input: &Input<'a>, entry: &Entry, result: &mut FileKeys) -> State<'a> {
    match input.observed.files.get(&entry.path) {
        None | Some(FileFact::Missing) => State::Missing,
        Some(FileFact::File { bytes: Some(bytes), user, group, mode, .. }) => {
            let rights = format!("{user}:{group} {mode:04o}");
            let wanted = format!("{} {:04o}", entry.owner, entry.mode);
            result.wrong_rights = (rights != wanted)
                .then(|| format!("owner and mode are {rights}, declared {wanted} (it holds secrets)"));
            match serde_json::from_slice::<Value>(bytes) {
                Ok(value) if value.is_object() => State::Document(value, bytes),
                _ => State::Malformed(bytes),
            }
        }
        Some(_) => State::Unknown,
    }
}

fn difference(
    input: &Input<'_>,
    entry: &Entry,
    file: OmlxFile,
    owned: &OwnedKey,
    found: Option<&Value>,
) -> Option<KeyChange> {
    let is_null = found.is_some_and(Value::is_null);
    let found = found.filter(|value| !value.is_null());
    let is_default = |value: &Value| owned.default.as_ref().is_some_and(|default| omlx::same_value(default, value));
    let (same, new) = match &owned.wanted {
        Wanted::Value(wanted) => {
            let same = match found {
                Some(found) => owned.hold == Hold::Presence || omlx::same_value(found, wanted),
                None => is_default(wanted) || (wanted.is_null() && (is_null || owned.hold == Hold::Presence)),
            };
            (same, NewValue::Value(wanted.clone()))
        }
        Wanted::Hole(placeholder) => (same_as_hole(input, placeholder, found), NewValue::Hole(placeholder.clone())),
        Wanted::Absent => (found.is_none_or(is_default), NewValue::Absent),
    };
    (!same).then(|| KeyChange {
        file,
        path: entry.path.clone(),
        key: owned.path.clone(),
        old: found.cloned(),
        new,
        is_secret: is_secret(&owned.path),
        reason: if owned.wanted == Wanted::Absent { "not declared" } else { "differs from the fleet file" },
    })
}

fn same_as_hole(input: &Input<'_>, placeholder: &Placeholder, found: Option<&Value>) -> bool {
    let Some(found) = found.and_then(Value::as_str).filter(|found| !found.is_empty()) else {
        return false;
    };
    match placeholder {
        // Made once per machine, on the machine, then kept.
        Placeholder::SecretKey => true,
        Placeholder::TailnetIp => input.values.tailnet_ip.is_none_or(|address| address.to_string() == found),
        Placeholder::Secret(id) => input.values.secrets.get(id).is_none_or(|secret| secret.expose_secret() == found),
    }
}

/// Keys that the last apply set and the fleet file no longer declares: removed, because fleetctl wrote them.
fn no_longer_declared(input: &Input<'_>, entry: &Entry, document: &OwnedDocument, found: &Value) -> Vec<KeyChange> {
    let written = input
        .observed
        .record
        .as_ref()
        .and_then(|record| record.get("keys"))
        .and_then(|keys| keys.get(&entry.path))
        .and_then(Value::as_array);
    let gone: BTreeSet<Vec<String>> = written
        .into_iter()
        .flatten()
        .filter_map(|key| pointer::from_pointer(key.as_str()?))
        .filter(|key| !document.keys.iter().any(|owned| owned.path == *key))
        .map(|key| whole_profile(document, key))
        .collect();
    gone.into_iter()
        .filter_map(|key| {
            let old = pointer::get(found, &key)?.clone();
            Some(KeyChange {
                file: document.file,
                path: entry.path.clone(),
                is_secret: is_secret(&key),
                key,
                old: Some(old),
                new: NewValue::Absent,
                reason: "no longer declared",
            })
        })
        .collect()
}

/// A stored profile that is no longer declared goes whole: without its name and its settings, what is left of it would be no profile.
fn whole_profile(document: &OwnedDocument, key: Vec<String>) -> Vec<String> {
    let is_profile = document.file == OmlxFile::ModelProfiles && key.len() > 3;
    let is_declared = |profile: &[String]| document.keys.iter().any(|owned| owned.path.starts_with(profile));
    match key.get(..3) {
        Some(profile) if is_profile && !is_declared(profile) => profile.to_vec(),
        _ => key,
    }
}

fn is_secret(key: &[String]) -> bool {
    key.first().is_some_and(|section| section == "auth")
}

/// The owned document of a file of the bundle.
pub(super) fn documents<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a Entry, &'a OwnedDocument)> {
    input.bundle.entries.iter().filter_map(|entry| match &entry.content {
        Content::Keys(document) => Some((entry, document)),
        _ => None,
    })
}
