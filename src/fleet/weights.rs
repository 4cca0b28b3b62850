//! Weights: a directory of files, as downloaded.

use super::{Bytes, Keyed, WeightsName};

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WeightsKind {
    /// A language model.
    Llm,
    /// A language model that also reads images.
    Vlm,
    /// Text to vectors.
    Embedding,
    /// Orders passages.
    Reranker,
    /// Used by a profile for speculative work; never served.
    Draft,
}

impl WeightsKind {
    /// All kinds, in the order of the fleet file's comment.
    pub const ALL: [Self; 5] = [Self::Llm, Self::Vlm, Self::Embedding, Self::Reranker, Self::Draft];

    /// As the fleet file and oMLX's `model_type_override` write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Vlm => "vlm",
            Self::Embedding => "embedding",
            Self::Reranker => "reranker",
            Self::Draft => "draft",
        }
    }

    /// The kind of a fleet file's `kind`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An entry of [models].
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Its key in [models].
    pub name: WeightsName,
    /// The directory below `[omlx].weights`; at most one slash.
    pub directory: String,
    /// The declared size in bytes.
    pub size: Bytes,
    /// What it is for.
    pub kind: WeightsKind,
    /// The length of an embedding model's vectors.
    pub dimensions: Option<u32>,
}

impl Weights {
    /// The last component of the directory: oMLX looks for "qwen3" and the like in the path (machine.md).
    pub fn basename(&self) -> &str {
        self.directory.rsplit('/').next().unwrap_or(&self.directory)
    }
}

impl Keyed for Weights {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
