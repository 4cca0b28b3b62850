//! A profile: oMLX's per-model settings under one name.

use std::collections::BTreeMap;

use super::{Keyed, ProfileName, WeightsName};

/// An entry of [profiles]. Values are as declared, but for the drafts, which are references until a machine is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its key in [profiles].
    pub name: ProfileName,
    /// oMLX's per-model settings by oMLX's own names, without the drafts.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Fields that name weights (`dflash_draft_model`, `specprefill_draft_model`), with the key of [models].
    pub drafts: BTreeMap<String, WeightsName>,
}

impl Profile {
    /// A field that is declared `true`.
    pub fn is_on(&self, field: &str) -> bool {
        self.fields.get(field).and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// A field that is a whole number of at least 0.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.fields.get(field).and_then(serde_json::Value::as_u64)
    }
}

impl Keyed for Profile {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
