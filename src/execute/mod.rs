//! Carries a Plan out: waves, gates, cancellation, receipts.

mod payload;
mod script;

pub use payload::{Payload, PayloadError, PayloadFile, Purpose, Terms, payload};
pub use script::{attach, upload};
