//! The versioned JSON documents of json.md, one file a verb: types of their own, apart from the domain.

mod check;
mod explain;

pub use check::CheckDocument;
pub use explain::{ExplainDocument, ExplainListDocument};
