//! The canonical JSON form of a fleet file: what resident services read on a machine.

use serde_json::{Map, Value as Json};

use super::node::{Table, Value};

/// Tables whose order of declaration means something: the order of a selector's machines is the order of candidates.
const ORDERED: [&str; 8] = ["machines", "models", "profiles", "serve", "slots", "schedules", "jobs", "shadow"];

/// The file without comments. Keys are sorted, but for the entries of the keyed tables, which keep the order of declaration.
pub(crate) fn canonical(file: &Table) -> Json {
    let mut keys: Vec<&String> = file.keys().collect();
    keys.sort();
    let mut whole = Map::new();
    for key in keys {
        let Some(entry) = file.get(key) else { continue };
        let value = match &entry.node.value {
            Value::Table(table) if ORDERED.contains(&key.as_str()) => {
                Json::Object(table.iter().map(|(name, entry)| (name.clone(), sorted(&entry.node.value))).collect())
            }
            value => sorted(value),
        };
        whole.insert(key.clone(), value);
    }
    Json::Object(whole)
}

fn sorted(value: &Value) -> Json {
    match value {
        Value::Table(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort();
            Json::Object(
                keys.into_iter()
                    .filter_map(|key| table.get(key).map(|entry| (key.clone(), sorted(&entry.node.value))))
                    .collect(),
            )
        }
        Value::Array(items) => items.iter().map(|item| sorted(&item.value)).collect(),
        leaf => leaf.to_json(),
    }
}
