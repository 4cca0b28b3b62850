//! A value of the file with its place: one tree for TOML and for the canonical JSON form.

use std::ops::Range;

use indexmap::IndexMap;

/// A value and the bytes that it is written in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> Spanned<T> {
    pub(crate) const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// Keys in the order of the file. A table's own span is that of its header, or of its braces when it is written inline.
pub(crate) type Table = IndexMap<String, Entry>;

/// A key's place, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Range<usize>,
    pub(crate) node: Node,
}

/// A value of the file.
pub(crate) type Node = Spanned<Value>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    String(String),
    Integer(i64),
    /// A whole number beyond 64 bits, as written.
    Huge(String),
    Float(f64),
    Boolean(bool),
    /// A date or time of TOML, as written; the format has none.
    Date(String),
    Array(Vec<Node>),
    Table(Table),
    /// JSON's null; TOML has none.
    Null,
}

impl Value {
    /// What a message calls it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a text",
            Self::Integer(_) | Self::Huge(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Date(_) => "a date or time",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Null => "null",
        }
    }

    /// As JSON, keys in the order of the file. What JSON cannot hold (infinity, NaN) is null: the checks refuse it before.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::String(text) | Self::Date(text) | Self::Huge(text) => text.clone().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Boolean(value) => (*value).into(),
            Self::Array(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Table(table) => table.iter().map(|(key, entry)| (key.clone(), entry.node.value.to_json())).collect(),
            Self::Null => serde_json::Value::Null,
        }
    }
}

impl From<&serde_json::Value> for Value {
    /// Everything in a JSON document stands at the document's start: its problems are a program's, not a person's.
    fn from(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(*value),
            Json::Number(number) => number.as_i64().map_or_else(
                || {
                    number
                        .is_u64()
                        .then(|| Self::Huge(number.to_string()))
                        .or_else(|| number.as_f64().map(Self::Float))
                        .unwrap_or_else(|| Self::Huge(number.to_string()))
                },
                Self::Integer,
            ),
            Json::String(text) => Self::String(text.clone()),
            Json::Array(items) => Self::Array(items.iter().map(|item| Node::new(item.into(), 0..0)).collect()),
            Json::Object(object) => Self::Table(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), Entry { key: 0..0, node: Node::new(value.into(), 0..0) }))
                    .collect(),
            ),
        }
    }
}
