//! The types of oMLX's API: what a server answers, as data.
//!
//! Tolerant where releases differ: unknown fields are ignored, absent and null ones are `None` or empty. A field of a wrong type, or something that is no JSON,
//! is an [`ApiError`], never a panic: what a machine says is data of unknown quality. Sends nothing; `transport` does.

mod error_answer;
mod generation;
mod models;
mod parse;
mod status;

pub use error_answer::ErrorAnswer;
pub use generation::{Choice, EmbeddingAnswer, Message, StreamChunk, StreamLine, Usage, Vector, stream_line};
pub use models::{ModelStatus, ModelsStatus};
pub use parse::{ApiError, parse};
pub use status::Status;
