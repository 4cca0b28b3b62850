//! The types of oMLX's API: what a server answers, as data.
//!
//! Tolerant where releases differ: unknown fields are ignored, absent and null ones are `None` or empty. A field of a wrong type, or something that is no JSON,
//! is an [`ApiError`], never a panic: what a machine says is data of unknown quality. Sends nothing; `transport` does.

mod answer;
mod generation;
mod health;
mod models;
mod parse;

pub use answer::{ErrorAnswer, GlobalSettingsAnswer, SettingsAnswer};
pub use generation::{
    ChatAnswer, Choice, EmbeddingAnswer, Message, StreamChunk, StreamLine, Usage, Vector, stream_line,
};
pub use health::{Health, Pool, Status};
pub use models::{AdminModel, AdminModels, ListedModel, ModelList, ModelStatus, ModelsStatus};
pub use parse::{ApiError, parse};
