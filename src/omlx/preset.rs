//! Defaults of oMLX's fields and settings.

use serde_json::Value;

/// A default that can stand in a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preset {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(u64),
    /// Another number.
    Number(f64),
    /// A text.
    Text(&'static str),
    /// An empty list.
    EmptyList,
    /// A list of one text.
    OneText(&'static str),
}

impl Preset {
    /// As JSON.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::EmptyList => Value::Array(Vec::new()),
            Self::OneText(value) => Value::Array(vec![value.into()]),
        }
    }
}
