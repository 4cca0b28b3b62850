//! oMLX's files as owned keys, and the file that a machine without one gets.

use serde_json::{Map, Value};

use super::{Encoding, Hold, OmlxFile, OwnedDocument, OwnedKey, Placeholder, Text, Wanted};
use crate::fleet::Release;
use crate::omlx;

impl OwnedKey {
    /// A key that must have this value.
    pub(super) fn value(path: &[&str], value: impl Into<Value>) -> Self {
        Self::new(path, Wanted::Value(value.into()))
    }

    /// A key that must be there; a value that oMLX wrote instead is left.
    pub(super) fn presence(path: &[&str], value: impl Into<Value>) -> Self {
        Self { hold: Hold::Presence, ..Self::value(path, value) }
    }

    /// A key whose value render cannot know.
    pub(super) fn hole(path: &[&str], placeholder: Placeholder) -> Self {
        Self::new(path, Wanted::Hole(placeholder))
    }

    /// A key that must not be there.
    pub(super) fn absent(path: &[&str]) -> Self {
        Self::new(path, Wanted::Absent)
    }

    /// With what the release takes an absent key for.
    pub(super) fn or(self, default: Value) -> Self {
        Self { default: Some(default), ..self }
    }

    fn new(path: &[&str], wanted: Wanted) -> Self {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        Self { path, wanted, default: None, hold: Hold::Value }
    }
}

/// The document of a file: its keys, and the fresh file that holds the wanted ones beside `frame` (what the form demands).
pub(super) fn document(
    file: OmlxFile,
    release: Release,
    frame: &Map<String, Value>,
    keys: Vec<OwnedKey>,
) -> OwnedDocument {
    let write = |holes: &[String]| {
        let mut document = frame.clone();
        let mut holes = holes.iter();
        for key in &keys {
            match &key.wanted {
                Wanted::Value(value) => insert(&mut document, &key.path, value.clone()),
                Wanted::Hole(_) => {
                    let stand_in = holes.next().map_or(Value::Null, |hole| hole.as_str().into());
                    insert(&mut document, &key.path, stand_in);
                }
                Wanted::Absent => {}
            }
        }
        match file {
            OmlxFile::Settings => omlx::settings_text(release, &document),
            OmlxFile::ModelSettings | OmlxFile::ModelProfiles => omlx::model_settings_text(release, &document),
        }
    };
    let placeholders: Vec<&Placeholder> = keys
        .iter()
        .filter_map(|key| match &key.wanted {
            Wanted::Hole(placeholder) => Some(placeholder),
            Wanted::Value(_) | Wanted::Absent => None,
        })
        .collect();
    let without = write(&[]);
    if placeholders.is_empty() {
        let fresh = Text::literal(without);
        return OwnedDocument { file, keys, fresh };
    }
    let stand_ins: Vec<String> = (0..placeholders.len()).map(|at| stand_in(&without, at)).collect();
    let fresh = with_holes(&write(&stand_ins), &stand_ins, &placeholders);
    OwnedDocument { file, keys, fresh }
}

/// A text that is nowhere in the document, so that no declared value can pass for a hole.
fn stand_in(text: &str, at: usize) -> String {
    let mut mark = format!("<{at}>");
    while text.contains(&mark) {
        mark.insert(0, '<');
    }
    mark
}

fn with_holes(text: &str, stand_ins: &[String], placeholders: &[&Placeholder]) -> Text {
    let mut holes: Vec<(usize, usize, &Placeholder)> = stand_ins
        .iter()
        .zip(placeholders)
        .filter_map(|(mark, placeholder)| {
            text.find(mark.as_str()).map(|start| (start, start + mark.len(), *placeholder))
        })
        .collect();
    holes.sort_by_key(|(start, ..)| *start);
    let (mut filled, mut done) = (Text::default(), 0);
    for (start, end, placeholder) in holes {
        filled.push(&text[done..start]);
        filled.push_hole(placeholder.clone(), Encoding::JsonString);
        done = end;
    }
    filled.push(&text[done..]);
    filled
}

fn insert(document: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            document.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let below = document.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                insert(below, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_declared_value_passes_for_a_hole() {
        let keys = vec![
            OwnedKey::value(&["logging", "log_dir"], "<0> <<0> {{secret-key}}"),
            OwnedKey::hole(&["auth", "secret_key"], Placeholder::SecretKey),
            OwnedKey::absent(&["auth", "api_key"]),
        ];
        let document = document(OmlxFile::Settings, Release::V0_3_8, &Map::new(), keys);
        assert_eq!(document.fresh.holes().count(), 1);
        insta::assert_snapshot!(document.fresh.shown(), @r#"
        {
          "auth": {
            "secret_key": "{{secret-key}}"
          },
          "logging": {
            "log_dir": "<0> <<0> {{secret-key}}"
          }
        }
        "#);
    }
}
