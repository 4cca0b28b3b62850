//! `[profiles.NAME]`: oMLX's per-model settings.

use std::collections::BTreeMap;

use super::names;
use super::values::Problems;
use crate::config::node::{Node, Spanned, Value};
use crate::config::raw::{RawFile, RawProfile};
use crate::config::read::{At, Map, Read as _};
use crate::fleet::{Declared, Profile, ProfileName, WeightsName};

/// Fields whose value is a key of [models].
const DRAFT_FIELDS: [&str; 3] = ["dflash_draft_model", "specprefill_draft_model", "vlm_mtp_draft_model"];

/// All sound profiles.
pub(crate) fn profiles(raw: &RawFile, problems: &mut Problems) -> Declared<Profile> {
    let mut sound = Declared::default();
    for (key, span, profile) in raw.profiles.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a profile", ProfileName::new, problems);
        if let Some(profile) = profile.and_then(|profile| one(name, key, profile, raw, problems)) {
            sound.insert(profile);
        }
    }
    sound
}

fn one(
    name: Option<ProfileName>,
    key: &str,
    raw: &RawProfile,
    file: &RawFile,
    problems: &mut Problems,
) -> Option<Profile> {
    let mut fields = BTreeMap::new();
    let mut drafts = BTreeMap::new();
    for (field, field_key, node) in raw.iter() {
        let Some(node) = node else { continue };
        if DRAFT_FIELDS.contains(&field) {
            if let Some(draft) = draft(key, field, field_key, node, file, problems) {
                drafts.insert(field.to_owned(), draft);
            }
        } else {
            fields.insert(field.to_owned(), node.value.to_json());
        }
    }
    Some(Profile { name: name?, fields, drafts })
}

fn draft(
    profile: &str,
    field: &str,
    key: &std::ops::Range<usize>,
    node: &Node,
    file: &RawFile,
    problems: &mut Problems,
) -> Option<WeightsName> {
    if !matches!(node.value, Value::String(_)) {
        let root = At::ROOT;
        let profiles = root.below("profiles", key);
        let profile = profiles.below(profile, key);
        // Says that the type is wrong.
        drop(Spanned::<String>::read(node.clone(), &profile.below(field, key), problems));
        return None;
    }
    let Value::String(text) = &node.value else { return None };
    let leaf = Spanned::new(text.clone(), node.span.clone());
    let empty = crate::config::read::Map::default();
    let name = names::reference(Some(&leaf), file.models.as_ref().unwrap_or(&empty), "model", problems)?;
    WeightsName::new(name).ok()
}
