//! The names that answer now, as `[serve]` and `[profiles]`: under the same ids, with the same settings, so that the first plan is small. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::found::{Found, FoundName, FoundWeights};
use super::words::{comment, slug, string};
use crate::fleet::{MachineName, Release, ServedName, WeightsKind};
use crate::omlx;

/// A name on all its machines.
struct Name<'a> {
    model: &'a str,
    profile: String,
    ttl: Option<u64>,
    on: Vec<&'a str>,
    resident: Vec<&'a str>,
    /// What of it is not in the file, and why.
    remarks: Vec<String>,
}

/// A profile made of what oMLX's model_settings.json says.
#[derive(Default)]
struct Profiles {
    by_name: BTreeMap<String, BTreeMap<&'static str, toml_edit::Value>>,
}

impl Profiles {
    /// The name of the profile that holds these fields; names with equal settings share one.
    fn of(&mut self, id: &str, fields: BTreeMap<&'static str, toml_edit::Value>) -> String {
        let texts = |fields: &BTreeMap<&'static str, toml_edit::Value>| -> Vec<String> {
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        if let Some((name, _)) = self.by_name.iter().find(|(_, other)| texts(other) == texts(&fields)) {
            return name.clone();
        }
        let stem = if fields.is_empty() { "plain".to_owned() } else { slug(id) };
        let free = |name: &String| !self.by_name.contains_key(name);
        let numbered = (2..).map(|at| format!("{}-{at}", stem.chars().take(28).collect::<String>()));
        let name = std::iter::once(stem.clone()).chain(numbered).find(free).unwrap_or(stem);
        self.by_name.insert(name.clone(), fields);
        name
    }
}

/// The tables of all names; `weights` are the models of the file by their key.
pub(super) fn served(
    text: &mut String,
    release: Release,
    machines: &[Found],
    weights: &BTreeMap<String, &FoundWeights>,
) {
    let mut names: BTreeMap<&str, Name<'_>> = BTreeMap::new();
    let mut profiles = Profiles::default();
    let mut unknown: Vec<String> = Vec::new();
    for machine in machines.iter().filter(|machine| MachineName::new(machine.name.as_str()).is_ok()) {
        for found in &machine.names {
            let model = machine
                .weights_of(&found.id)
                .and_then(|own| weights.iter().find(|(_, other)| other.directory == own.directory))
                .filter(|(_, own)| own.kind != WeightsKind::Draft && ServedName::new(found.id.as_str()).is_ok());
            let Some((model, _)) = model else {
                unknown.push(format!("{} on {}", comment(&found.id), comment(&machine.name)));
                continue;
            };
            let (fields, mut remarks) = profile_of(release, found, weights);
            let profile = profiles.of(&found.id, fields);
            let name = names.entry(found.id.as_str()).or_insert_with(|| Name {
                model,
                profile: profile.clone(),
                ttl: found.ttl,
                on: Vec::new(),
                resident: Vec::new(),
                remarks: Vec::new(),
            });
            if name.profile != profile || name.ttl != found.ttl {
                remarks.push(format!("{} has other settings for it now", comment(&machine.name)));
            }
            name.on.push(&machine.name);
            if found.is_pinned {
                name.resident.push(&machine.name);
            }
            for remark in remarks {
                if !name.remarks.contains(&remark) {
                    name.remarks.push(remark);
                }
            }
        }
    }
    // A profile that only another machine's settings made is used by nothing.
    profiles.by_name.retain(|profile, _| names.values().any(|name| name.profile == *profile));
    write(text, &names, &profiles);
    for name in unknown {
        text.push_str(&format!("# Served now and not declared here, because its weights were not found: {name}\n"));
    }
}

fn write(text: &mut String, names: &BTreeMap<&str, Name<'_>>, profiles: &Profiles) {
    if !names.is_empty() {
        text.push_str("# --- Profiles: what oMLX's model_settings.json says of these names\n");
    }
    for (name, fields) in &profiles.by_name {
        text.push_str(&format!("[profiles.{name}]\n"));
        for (field, value) in fields {
            text.push_str(&format!("{field} = {}\n", value.to_string().trim()));
        }
        text.push('\n');
    }
    if !names.is_empty() {
        text.push_str("# --- Served names: what answers now, under the same names\n");
    }
    let list = |names: &[&str]| format!("[{}]", names.iter().map(|name| string(name)).collect::<Vec<_>>().join(", "));
    for (id, name) in names {
        for remark in &name.remarks {
            text.push_str(&format!("# {}: {remark}\n", comment(id)));
        }
        text.push_str(&format!(
            "[serve.{}]\nmodel    = \"{}\"\nprofile  = \"{}\"\non       = {}\n",
            string(id),
            name.model,
            name.profile,
            list(&name.on)
        ));
        if let Some(ttl) = name.ttl {
            text.push_str(&format!("ttl      = \"{ttl}s\"\n"));
        }
        if name.resident.len() == name.on.len() {
            text.push_str("resident = true\n");
        } else if !name.resident.is_empty() {
            text.push_str(&format!("resident = {}\n", list(&name.resident)));
        }
        text.push('\n');
    }
}

/// What a profile can hold of a name's settings, and what of them it cannot.
fn profile_of(
    release: Release,
    found: &FoundName,
    weights: &BTreeMap<String, &FoundWeights>,
) -> (BTreeMap<&'static str, toml_edit::Value>, Vec<String>) {
    let mut fields = BTreeMap::new();
    let mut remarks = Vec::new();
    for field in omlx::profile_fields(release) {
        let Some(value) = found.settings.get(field.name) else { continue };
        if omlx::same_value(value, &field.default_value()) {
            continue;
        }
        let kept = if field.names_draft() {
            let path = value.as_str().unwrap_or_default();
            let draft = weights.iter().find(|(_, weights)| path == format!("{}/{}", weights.root, weights.directory));
            draft.map(|(name, _)| name.as_str().into()).ok_or_else(|| "its weights were not found".to_owned())
        } else {
            field
                .check(value)
                .map_err(|misfit| misfit.to_string())
                .and_then(|()| toml_value(value).ok_or_else(|| "the fleet file cannot say it".to_owned()))
        };
        match kept {
            Ok(kept) => {
                fields.insert(field.name, kept);
            }
            Err(why) => remarks.push(format!("{} = {} is left out: {why}", field.name, comment(&value.to_string()))),
        }
    }
    if let Some(alias) = &found.alias {
        remarks.push(format!("it answers as {} too, until fleetctl is applied", comment(alias)));
    }
    (fields, remarks)
}

/// JSON as TOML; `None` where there is a null in it, which TOML has not.
fn toml_value(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => {
            toml_edit::Value::Array(values.iter().map(toml_value).collect::<Option<toml_edit::Array>>()?)
        }
        Value::Object(entries) => toml_edit::Value::InlineTable(inline(entries)?),
    })
}

fn inline(entries: &Map<String, Value>) -> Option<toml_edit::InlineTable> {
    entries.iter().map(|(name, value)| Some((name.as_str(), toml_value(value)?))).collect()
}
