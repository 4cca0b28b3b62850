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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_schema_is_current() {
        let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
        crate::testing::assert_document("docs/fleet.schema.json", &text);
    }

    /// Every object of the schema that names its properties, with where it stands.
    fn assert_keys(at: &str, value: &Value, schema: &Value, root: &Value) {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => root.pointer(reference.trim_start_matches('#')).expect("the definition is there"),
            None => schema,
        };
        let Some(object) = value.as_object() else { return };
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, inner) in object {
            let at = format!("{at}.{key}");
            match (properties.and_then(|properties| properties.get(key)), schema.get("additionalProperties")) {
                (Some(property), _) => assert_keys(&at, inner, property, root),
                (None, Some(more)) if more.is_object() => assert_keys(&at, inner, more, root),
                (None, Some(Value::Bool(false))) => panic!("the schema does not know {at}"),
                _ => {}
            }
        }
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let key = key.as_str().expect("a name");
            assert!(object.contains_key(key), "{at} lacks {key}, which the schema demands");
        }
    }

    #[test]
    fn the_example_has_the_keys_of_the_schema() {
        let schema = schema();
        assert_keys("", &crate::testing::example().canonical, &schema, &schema);
    }
}
