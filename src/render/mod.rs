//! Fleet → Bundle per machine: plists, JSON, links, scripts. Same input, same bytes; never sees a secret.
//!
//! What render cannot know (a secret, the tailnet address, oMLX's own signing key) is a [`Placeholder`] inside a [`Text`].

mod address;
mod build;
mod bundle;
mod daemon;
mod document;
mod environment;
mod gateway;
mod jobs;
mod manifest;
mod models;
mod resolver;
mod runner;
mod schedule_table;
mod script;
mod secrets;
mod settings;
mod text;
mod units;

pub use address::own_url;
pub use build::bundle;
pub use bundle::{
    Bundle, Content, Entry, Hold, LoadedDefinition, OmlxFile, OwnedDocument, OwnedKey, Owner, Unit, UnitKind, Wanted,
};
pub use manifest::{Manifest, ManifestFile, ManifestMachine};
pub use runner::RUNNER;
pub use secrets::{gateway_secret, omlx_secret, secret_sources};
pub use text::{Encoding, FillError, Placeholder, SecretId, Text, Values};
