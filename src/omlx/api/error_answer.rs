//! Errors, as a server words them.

use serde::Deserialize;
use serde_json::Value;

/// An error of either shape: `{"detail": …}` outside `/v1`, `{"error": {"message", "type", "code"}}` inside.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ErrorAnswer {
    detail: Value,
    error: Value,
}

impl ErrorAnswer {
    /// What the server says, in its own words (foreign text: sanitize before a terminal sees it); `None` when it says nothing readable.
    pub fn message(&self) -> Option<String> {
        text_of(&self.error).or_else(|| text_of(&self.detail))
    }

    /// `type` of an error inside `/v1`.
    pub fn kind(&self) -> Option<&str> {
        self.error.get("type").and_then(Value::as_str)
    }
}

/// A text; the message of an object; the messages of a list (422 lists `{loc, msg}`).
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => ["message", "msg"].iter().find_map(|key| map.get(*key)).and_then(text_of),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(text_of).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn errors_of_both_shapes() {
        let message = |body: &str| parse::<ErrorAnswer>("x", body.as_bytes()).ok().and_then(|error| error.message());
        assert_eq!(message(r#"{"detail":"Model not found: x"}"#).as_deref(), Some("Model not found: x"));
        assert_eq!(message(r#"{"error":{"message":"too large","type":"memory"}}"#).as_deref(), Some("too large"));
        assert_eq!(message(r#"{"error":"plain"}"#).as_deref(), Some("plain"));
        assert_eq!(message(r#"{"detail":[{"loc":["x"],"msg":"a"},{"msg":"b"}]}"#).as_deref(), Some("a; b"));
        assert_eq!(message(r"{}"), None);
        assert_eq!(message(r#"{"detail":5}"#), None);
    }
}
