//! Fleet → Bundle per machine: plists, JSON, links, scripts. Same input, same bytes; never sees a secret.
//!
//! What render cannot know (a secret, the tailnet address, oMLX's own signing key) is a [`Placeholder`] inside a [`Text`].

mod bundle;
mod text;

pub use bundle::{
    Bundle, Content, Entry, LoadedDefinition, OmlxFile, OwnedDocument, OwnedKey, Owner, Unit, UnitKind, Wanted,
};
pub use text::{Encoding, FillError, Placeholder, SecretId, Text, Values};
