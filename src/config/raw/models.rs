//! `[models.NAME]`, `[profiles.NAME]` and `[serve.NAME]`.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::config::node::{Node, Spanned, Value};
use crate::config::read::{At, Map, Read, Texts, raw_table, wrong_type};
use crate::diagnostic::Problem;

raw_table! {
    /// Weights: a directory of files, as downloaded.
    RawModel requires ["directory", "size", "kind"] {
        /// Below [omlx].weights; at most one slash.
        directory: Spanned<String>,
        /// Their size, as in "36GB"; plan and capacity prefer what the machine measures.
        size: Spanned<String>,
        /// What they are for; a draft is used by a profile and never served.
        kind: Spanned<String> = json!({ "enum": ["llm", "vlm", "embedding", "reranker", "draft"] }),
        /// The length of an embedding model's vectors.
        dimensions: Spanned<i64> = json!({ "minimum": 1 }),
    }

    /// One weights directory under one profile, on some machines.
    RawServe requires ["model", "profile", "on"] {
        /// A key of [models].
        model: Spanned<String>,
        /// A key of [profiles].
        profile: Spanned<String>,
        /// Machines, globs, or "tier:LABEL".
        on: Texts,
        /// Loaded at start, never evicted; true, or a list of selectors.
        resident: Residency,
        /// Unloaded after this idle time.
        ttl: Spanned<String>,
        /// Requests at full context that capacity reserves for; default 1.
        concurrency: Spanned<i64> = json!({ "minimum": 1 }),
    }
}

/// oMLX's per-model settings under one name; which fields there are is the release's business.
pub(crate) type RawProfile = Map<Node>;

/// `resident`: everywhere, nowhere, or on some of the machines.
#[derive(Clone, Debug)]
pub(crate) enum Residency {
    Everywhere(Range<usize>),
    Nowhere(Range<usize>),
    Some(Texts),
}

impl Residency {
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Everywhere(span) | Self::Nowhere(span) => span.clone(),
            Self::Some(list) => list.span.clone(),
        }
    }
}

impl Read for Residency {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        match node.value {
            Value::Boolean(true) => Some(Self::Everywhere(node.span)),
            Value::Boolean(false) => Some(Self::Nowhere(node.span)),
            Value::Array(_) => Texts::read(node, at, problems).map(Self::Some),
            _ => {
                problems.push(wrong_type(&node, at, "true, false or a list of selectors"));
                None
            }
        }
    }
}

impl JsonSchema for Residency {
    fn schema_name() -> Cow<'static, str> {
        "Residency".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] })
    }
}
