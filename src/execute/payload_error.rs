//! Why a transaction cannot travel.

use crate::plan::FillError;

/// Why a payload cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A hole without a value.
    #[error("{path} cannot be written")]
    Fill {
        /// The file.
        path: String,
        /// What is missing.
        #[source]
        source: FillError,
    },
    /// A path or name that cannot travel.
    #[error("{0:?} holds a control character")]
    Control(String),
}
