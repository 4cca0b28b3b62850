//! The JSON Schema of the file, from the raw tables.

use serde_json::{Value, json};

use super::raw::RawFile;

/// The schema of a secret's source.
pub(crate) fn secret() -> Value {
    json!({
        "oneOf": [
            { "type": "object", "properties": { "env": { "type": "string" } }, "required": ["env"], "additionalProperties": false },
            { "type": "object", "properties": { "file": { "type": "string" } }, "required": ["file"], "additionalProperties": false },
            { "type": "object", "properties": { "command": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
              "required": ["command"], "additionalProperties": false },
        ],
    })
}

/// The JSON Schema of the fleet file (draft 2020-12).
pub fn schema() -> Value {
    let mut schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawFile>();
    schema.insert("title".to_owned(), json!("fleet.toml"));
    schema.to_value()
}
