//! `[models.NAME]`: directories, sizes, kinds.

use super::names;
use super::values::{self, Problems, quoted};
use crate::config::raw::{RawFile, RawModel};
use crate::config::read::Map;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Declared, Weights, WeightsKind, WeightsName};

/// A directory that oMLX would not find, or that leads elsewhere.
pub(crate) static INVALID_DIRECTORY: Code = Code {
    id: "invalid-directory",
    severity: Severity::Error,
    title: "a directory of weights that is not below [omlx].weights",
    explanation: "`directory` is relative to [omlx].weights and has at most one slash (oMLX finds a model at most two levels deep). It \
                  may not be absolute, hold `..`, start with a dot (hidden directories are skipped) or with models-- (the layout of \
                  Hugging Face's cache, which oMLX reads differently).",
};

/// A key that belongs to another kind.
pub(crate) static DIMENSIONS: Code = Code {
    id: "dimensions-of-no-embedding",
    severity: Severity::Error,
    title: "dimensions of a model that makes no vectors",
    explanation: "`dimensions` is the length of an embedding model's vectors; other kinds have none.",
};

pub(crate) static CODES: [&Code; 2] = [&INVALID_DIRECTORY, &DIMENSIONS];

pub(crate) const KINDS: [(&str, WeightsKind); 5] = [
    ("llm", WeightsKind::Llm),
    ("vlm", WeightsKind::Vlm),
    ("embedding", WeightsKind::Embedding),
    ("reranker", WeightsKind::Reranker),
    ("draft", WeightsKind::Draft),
];

/// All sound models.
pub(crate) fn models(raw: &RawFile, problems: &mut Problems) -> Declared<Weights> {
    let mut sound = Declared::default();
    for (key, span, model) in raw.models.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a model", WeightsName::new, problems);
        if let Some(weights) = model.and_then(|model| one(name, key, model, problems)) {
            sound.insert(weights);
        }
    }
    sound
}

fn one(name: Option<WeightsName>, key: &str, raw: &RawModel, problems: &mut Problems) -> Option<Weights> {
    let what = |field: &str| format!("models.{key}.{field}");
    let directory = raw.directory.as_ref().and_then(|directory| match wrong_directory(&directory.value) {
        None => Some(directory.value.clone()),
        Some(why) => {
            problems.push(
                Problem::at(
                    &INVALID_DIRECTORY,
                    directory.span.clone(),
                    format!("{}: {} {why}", what("directory"), quoted(&directory.value)),
                )
                .help("write the directory's name below [omlx].weights, as in \"Qwen3.6-27B-MLX-8bit\""),
            );
            None
        }
    });
    let size = values::size(raw.size.as_ref(), &what("size"), problems);
    let kind = values::choice(raw.kind.as_ref(), &KINDS, &what("kind"), problems);
    let dimensions = values::count(raw.dimensions.as_ref(), &what("dimensions"), problems);
    if let (Some(leaf), Some(kind)) = (&raw.dimensions, kind)
        && kind != WeightsKind::Embedding
    {
        problems.push(
            Problem::at(
                &DIMENSIONS,
                leaf.span.clone(),
                format!("models.{key} is of kind {}, which has no dimensions", kind.as_str()),
            )
            .help("remove `dimensions`, or correct `kind`"),
        );
    }
    Some(Weights { name: name?, directory: directory?, size: size?, kind: kind?, dimensions })
}

fn wrong_directory(text: &str) -> Option<&'static str> {
    let parts: Vec<&str> = text.split('/').collect();
    match () {
        () if text.is_empty() => Some("is empty"),
        () if text.starts_with('/') || text.starts_with('~') => Some("is absolute"),
        () if parts.contains(&"..") => Some("holds `..`"),
        () if parts.iter().any(|part| part.starts_with('.')) => Some("starts with a dot"),
        () if parts.iter().any(|part| part.starts_with("models--")) => Some("starts with models--"),
        () if parts.len() > 2 => Some("has more than one slash"),
        () if parts.iter().any(|part| part.is_empty()) => Some("has an empty part"),
        () if text.chars().any(char::is_control) => Some("holds control characters"),
        () if parts.iter().any(|part| part.len() > 255) => Some("is longer than a file name can be"),
        () => None,
    }
}
