//! Secrets in memory: `secrecy` types, so that neither `Debug` nor an error shows one.

pub use secrecy::{ExposeSecret, SecretString};
