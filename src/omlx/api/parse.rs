//! From the bytes of an answer to a type.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// Why an answer is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No JSON at all: another program on the port, or an answer cut short.
    #[error("the answer to {request} is no JSON")]
    NotJson {
        /// What was asked, as `GET /health`.
        request: &'static str,
        /// Where reading stopped.
        #[source]
        source: serde_json::Error,
    },
    /// JSON with a field of a wrong type.
    #[error("the answer to {request} is not of the shape that oMLX gives it")]
    Shape {
        /// What was asked.
        request: &'static str,
        /// Which field.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads an answer. `request` names what was asked, for the error. Errors: see [`ApiError`].
pub fn parse<T: DeserializeOwned>(request: &'static str, body: &[u8]) -> Result<T, ApiError> {
    // serde would take a list for a type whose fields all have defaults; oMLX's answers are objects.
    let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_list {
        serde_json::from_slice::<Value>(body).and_then(|_| Err(refuse_list()))
    } else {
        serde_json::from_slice(body)
    };
    read.map_err(|source| {
        use serde_json::error::Category;
        match source.classify() {
            Category::Data => ApiError::Shape { request, source },
            Category::Io | Category::Syntax | Category::Eof => ApiError::NotJson { request, source },
        }
    })
}

fn refuse_list() -> serde_json::Error {
    serde::de::Error::custom("a list where an object is expected")
}

/// Null, like absence, is the type's empty value.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn what_is_no_answer_of_omlx_is_told_apart() {
        let kind = |body: &[u8]| match parse::<Status>("GET /api/status", body) {
            Ok(_) => "ok",
            Err(ApiError::NotJson { .. }) => "not json",
            Err(ApiError::Shape { .. }) => "shape",
        };
        assert_eq!(kind(b"<html>"), "not json");
        assert_eq!(kind(b""), "not json");
        assert_eq!(kind(b"{\"version\":"), "not json");
        assert_eq!(kind(b"\xff\xfe"), "not json");
        assert_eq!(kind(b"[]"), "shape");
        assert_eq!(kind(b"{\"version\": 7}"), "shape");
        assert_eq!(kind(b"{}"), "ok");
        let nested = "[".repeat(10_000);
        assert_eq!(kind(nested.as_bytes()), "not json");
    }

    #[test]
    fn the_error_names_the_request_and_the_cause() {
        let error = parse::<Status>("GET /api/status", b"{\"version\": 7}").expect_err("a wrong type");
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        insta::assert_snapshot!(format!("{error}: {cause}"), @"the answer to GET /api/status is not of the shape that oMLX gives it: invalid type: integer `7`, expected a string at line 1 column 13");
    }
}
