//! Tree → raw tables: types, unknown keys, missing keys, all of them at once.
//!
//! [`raw_table!`] declares a table once: its struct, its reader and its JSON Schema come from the same lines, so that they
//! cannot disagree. (serde would stop at the first wrong type, and loses the places of keys.)

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::node::{Entry, Node, Spanned, Table, Value};
use super::suggest;
use super::wording::{quoted, shortened};
use crate::diagnostic::{Code, Problem, Severity};

/// A key that the format does not know.
pub(crate) static UNKNOWN_KEY: Code = Code {
    id: "unknown-key",
    severity: Severity::Error,
    title: "a key that the format does not know",
    explanation: "A key that is misspelt would silently do nothing, so every unknown key is an error. The help names the key \
                  that is most like it, or the keys that this table may hold.\n\n`fleetctl schema` prints the whole format.",
};

/// A value of another type than the key's.
pub(crate) static WRONG_TYPE: Code = Code {
    id: "wrong-type",
    severity: Severity::Error,
    title: "a value of the wrong type",
    explanation: "The key takes another type of value: a text in quotes, a whole number, true or false, a list in brackets or \
                  a table. Sizes, durations and times of day are texts: \"96GB\", \"15m\", \"00:30\".",
};

/// A key that a table cannot do without.
pub(crate) static MISSING_KEY: Code = Code {
    id: "missing-key",
    severity: Severity::Error,
    title: "a key that the table cannot do without",
    explanation: "The table says nothing about something for which there is no sensible default.",
};

pub(crate) static CODES: [&Code; 3] = [&UNKNOWN_KEY, &WRONG_TYPE, &MISSING_KEY];

/// The path of keys to a value, and the place of its own key.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    parent: Option<&'a Self>,
    name: &'a str,
    /// Where the key is written; a missing key of the table is said here.
    pub(crate) key: &'a Range<usize>,
}

impl<'a> At<'a> {
    pub(crate) const ROOT: At<'static> = At { parent: None, name: "", key: &(0..0) };

    pub(crate) const fn below(&'a self, name: &'a str, key: &'a Range<usize>) -> Self {
        Self { parent: Some(self), name, key }
    }

    fn is_root(&self) -> bool {
        self.parent.is_none()
    }
}

impl fmt::Display for At<'_> {
    /// `machines.mac-mini1.memory`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent.filter(|parent| !parent.is_root()) {
            write!(f, "{parent}.")?;
        }
        f.write_str(&shortened(self.name))
    }
}

/// What can be read from a value of the file.
pub(crate) trait Read: Sized {
    /// The value, or `None` when it is of another type (which is then among the problems).
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self>;
}

/// A table that [`raw_table!`] declares.
pub(crate) trait RawTable {
    /// The keys that it may hold.
    const KEYS: &'static [&'static str];

    /// Whether the file says anything about the key: what is wrong with it was then said already.
    fn names(&self, key: &str) -> bool;
}

/// Says that a value is of another type.
pub(crate) fn wrong_type(node: &Node, at: &At<'_>, wanted: &str) -> Problem {
    Problem::at(&WRONG_TYPE, node.span.clone(), format!("{at} takes {wanted}, not {}", node.value.kind()))
        .label(format!("{}, wanted: {wanted}", node.value.kind()))
}

impl Read for Spanned<String> {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::String(text) = node.value else {
            problems.push(wrong_type(&node, at, "a text"));
            return None;
        };
        Some(Self::new(text, node.span))
    }
}

impl Read for Spanned<i64> {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        match node.value {
            Value::Integer(number) => Some(Self::new(number, node.span)),
            // Saturated: every range check behind this refuses it, with the range that is allowed.
            Value::Huge(ref text) if text.starts_with('-') => Some(Self::new(i64::MIN, node.span)),
            Value::Huge(_) => Some(Self::new(i64::MAX, node.span)),
            _ => {
                problems.push(wrong_type(&node, at, "a whole number"));
                None
            }
        }
    }
}

impl Read for Spanned<f64> {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        match node.value {
            #[expect(clippy::cast_precision_loss, reason = "ratios, speeds and prices; the range is checked later")]
            Value::Integer(number) => Some(Self::new(number as f64, node.span)),
            Value::Float(number) => Some(Self::new(number, node.span)),
            Value::Huge(_) => Some(Self::new(f64::INFINITY, node.span)),
            _ => {
                problems.push(wrong_type(&node, at, "a number"));
                None
            }
        }
    }
}

impl Read for Spanned<bool> {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::Boolean(value) = node.value else {
            problems.push(wrong_type(&node, at, "true or false"));
            return None;
        };
        Some(Self::new(value, node.span))
    }
}

impl Read for Node {
    fn read(node: Node, _: &At<'_>, _: &mut Vec<Problem>) -> Option<Self> {
        Some(node)
    }
}

/// A list of texts with its own place.
pub(crate) type Texts = Spanned<Vec<Spanned<String>>>;

impl Read for Texts {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::Array(items) = node.value else {
            problems.push(wrong_type(&node, at, "a list of texts"));
            return None;
        };
        let is_declared_empty = items.is_empty();
        let values: Vec<_> = items.into_iter().filter_map(|item| Spanned::<String>::read(item, at, problems)).collect();
        // A list of which nothing is left is no empty list: what is wrong with it was said.
        (is_declared_empty || !values.is_empty()).then(|| Self::new(values, node.span))
    }
}

/// A table whose keys are names of the operator's making.
#[derive(Clone, Debug)]
pub(crate) struct Map<T>(pub(crate) indexmap::IndexMap<String, Named<T>>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(indexmap::IndexMap::new())
    }
}

/// A value under a name, with the place of the name.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    pub(crate) key: Range<usize>,
    /// `None`: it is there, but not sound.
    pub(crate) value: Option<T>,
}

impl<T> Map<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name).and_then(|named| named.value.as_ref())
    }

    /// Names, their places, and their values as far as they are sound, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Range<usize>, Option<&T>)> {
        self.0.iter().map(|(name, named)| (name.as_str(), &named.key, named.value.as_ref()))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn key(&self, name: &str) -> Option<&Range<usize>> {
        self.0.get(name).map(|named| &named.key)
    }
}

impl<T: Read> Read for Map<T> {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Value::Table(table) = node.value else {
            problems.push(wrong_type(&node, at, "a table"));
            return None;
        };
        let read_one = |(name, entry): (String, Entry), problems: &mut Vec<Problem>| {
            let value = T::read(entry.node, &at.below(&name, &entry.key), problems);
            (name, Named { key: entry.key, value })
        };
        Some(Self(table.into_iter().map(|pair| read_one(pair, problems)).collect()))
    }
}

impl<T: JsonSchema> JsonSchema for Map<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "any".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// Takes a known key out of a table and reads it.
pub(crate) fn take<T: Read>(table: &mut Table, key: &str, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<T> {
    let entry = table.shift_remove(key)?;
    T::read(entry.node, &at.below(key, &entry.key), problems)
}

/// Says which keys are left over, and which are missing; a key that is only misspelt is not missing too. Returns the keys that misspelt ones mean.
pub(crate) fn keys(
    present: &[&str],
    left: &Table,
    at: &At<'_>,
    known: &[&'static str],
    required: &[&'static str],
    problems: &mut Vec<Problem>,
) -> Vec<&'static str> {
    let mut meant = Vec::new();
    for (key, entry) in left {
        let (what, may) = if at.is_root() {
            (format!("unknown table or key {}", quoted(key)), "the file may hold".to_owned())
        } else {
            (format!("unknown key {} in {at}", quoted(key)), format!("{at} may hold"))
        };
        let free = known.iter().copied().filter(|known| !present.contains(known));
        let near = suggest::nearest(key, free);
        meant.extend(near);
        let near = near.or_else(|| suggest::nearest(key, known.iter().copied()));
        let problem = Problem::at(&UNKNOWN_KEY, entry.key.clone(), what).label("unknown");
        problems.push(match near {
            Some(near) => problem.help(format!("did you mean \"{near}\"?")),
            None => problem.help(format!("{may}: {}", known.join(", "))),
        });
    }
    for key in required.iter().filter(|key| !present.contains(key) && !meant.contains(key)) {
        problems.push(if at.is_root() {
            Problem::general(&MISSING_KEY, format!("the file has no `{key}`"))
        } else {
            Problem::at(&MISSING_KEY, at.key.clone(), format!("{at} has no `{key}`")).label(format!("without `{key}`"))
        });
    }
    meant
}

/// One property of a table's schema.
pub(crate) fn property(mut schema: Schema, doc: &str) -> Schema {
    let doc = doc.trim();
    if !doc.is_empty() {
        schema.ensure_object().insert("description".to_owned(), doc.into());
    }
    schema
}

/// A schema with more constraints than its type has.
pub(crate) fn narrowed(mut schema: Schema, more: serde_json::Value) -> Schema {
    if let serde_json::Value::Object(more) = more {
        let object = schema.ensure_object();
        for (key, value) in more {
            object.insert(key, value);
        }
    }
    schema
}

macro_rules! raw_table {
    ($(
        $(#[doc = $about:literal])*
        $name:ident requires [$($required:literal),*] {
            $($(#[doc = $doc:literal])* $field:ident : $type:ty $(= $schema:expr)?),* $(,)?
        }
    )*) => {$(
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub(crate) $field: Option<$type>,)*
            /// The keys that are written, also with a value that is not sound, or misspelt.
            written: Vec<&'static str>,
        }

        impl $crate::config::read::RawTable for $name {
            const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn names(&self, key: &str) -> bool {
                self.written.contains(&key)
            }
        }

        impl $crate::config::read::Read for $name {
            fn read(
                node: $crate::config::node::Node,
                at: &$crate::config::read::At<'_>,
                problems: &mut Vec<$crate::diagnostic::Problem>,
            ) -> Option<Self> {
                let $crate::config::node::Value::Table(mut table) = node.value else {
                    problems.push($crate::config::read::wrong_type(&node, at, "a table"));
                    return None;
                };
                let known = <Self as $crate::config::read::RawTable>::KEYS;
                let mut present: Vec<&'static str> =
                    known.iter().copied().filter(|key| table.contains_key(*key)).collect();
                let mut read = Self {
                    $($field: $crate::config::read::take(&mut table, stringify!($field), at, problems),)*
                    written: Vec::new(),
                };
                let meant = $crate::config::read::keys(&present, &table, at, known, &[$($required),*], problems);
                present.extend(meant);
                read.written = present;
                Some(read)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_start_matches("Raw").to_owned().into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = serde_json::Map::new();
                $({
                    let schema = generator.subschema_for::<$type>();
                    $(let schema = $crate::config::read::narrowed(schema, $schema);)?
                    let doc: &str = concat!($($doc),*);
                    properties.insert(
                        stringify!($field).to_owned(),
                        $crate::config::read::property(schema, doc).to_value(),
                    );
                })*
                let required: &[&str] = &[$($required),*];
                let about: &str = concat!($($about),*);
                schemars::json_schema!({
                    "type": "object",
                    "description": about.trim(),
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
        }
    )*};
}

pub(crate) use raw_table;
