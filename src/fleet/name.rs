//! Names: newtypes, each made by one fallible constructor, so that a name of one kind is never taken for another.

use std::borrow::Borrow;
use std::fmt;

/// Why a text is no name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Keys of tables and tier labels (fleet.md, Words; also oMLX 0.3.8's own rule for profile names).
    #[error("not a slug: it must match [a-z0-9][a-z0-9_-]{{0,31}}")]
    Slug,
    /// Keys of [serve] (fleet.md, Words), and oMLX's ids of exposed profiles (facts/omlx.md 4.3).
    #[error("not a served name: it must match [A-Za-z0-9][A-Za-z0-9._-]{{0,95}}, or NAME:PROFILE from oMLX 0.5.0 on")]
    Served,
}

fn slug(text: &str) -> Result<(), NameError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ok = (1..=32).contains(&text.len())
        && plain(text.as_bytes()[0])
        && text.bytes().all(|b| plain(b) || b == b'_' || b == b'-');
    if ok { Ok(()) } else { Err(NameError::Slug) }
}

fn served(text: &str) -> Result<(), NameError> {
    let (name, profile) = match text.split_once(':') {
        Some((name, profile)) => (name, Some(profile)),
        None => (text, None),
    };
    let ok = (1..=96).contains(&name.len())
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && profile.is_none_or(|profile| slug(profile).is_ok());
    if ok { Ok(()) } else { Err(NameError::Served) }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident by $rule:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text by the rule of this kind of name. Errors: see [`NameError`].
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                $rule(&text)?;
                Ok(Self(text))
            }

            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    )*};
}

names! {
    /// A key of [machines]: also its `HostKeyAlias` and the first label of its tailnet name.
    MachineName by slug;
    /// A key of [models].
    WeightsName by slug;
    /// A key of [profiles].
    ProfileName by slug;
    /// A key of [serve]: the model id that clients type.
    ServedName by served;
    /// A key of [slots].
    SlotName by slug;
    /// A key of [schedules].
    ScheduleName by slug;
    /// A key of [jobs].
    JobName by slug;
    /// A key of [shadow].
    ShadowName by slug;
    /// A `tier` label of a machine.
    TierLabel by slug;
}

impl ServedName {
    /// The name whose engine answers: of `NAME:PROFILE`, a profile that oMLX exposes under a name of its own (0.4.5.dev1 `model_settings.py`,
    /// `_profile_model_id`), it is `NAME`; else the name itself.
    pub fn engine(&self) -> &str {
        self.0.split_once(':').map_or(self.as_str(), |(engine, _)| engine)
    }

    /// The profile that is exposed under this name; `None` for a name with an engine of its own.
    pub fn exposed_profile(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, profile)| profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_lower_case_and_plain() {
        for text in ["a", "mac-studio1", "0_x", &"a".repeat(32)] {
            assert!(MachineName::new(text).is_ok(), "{text}");
        }
        for text in ["", "-a", "_a", "A", "a.b", "a b", "ä", "a\n", "$(x)", &"a".repeat(33)] {
            assert_eq!(MachineName::new(text), Err(NameError::Slug), "{text}");
        }
    }

    #[test]
    fn served_names_are_what_clients_already_type() {
        for text in ["Qwen3.6-35B_A3B", "a", &"a".repeat(96), "Qwen3.6:thinking"] {
            assert!(ServedName::new(text).is_ok(), "{text}");
        }
        for text in ["", ".a", "a/b", "é", &"a".repeat(97), "a:", ":b", "a:B", "a:b:c"] {
            assert_eq!(ServedName::new(text), Err(NameError::Served), "{text}");
        }
    }

    #[test]
    fn an_exposed_profile_answers_with_the_engine_of_another_name() {
        let parts = |text: &str| {
            let name = ServedName::new(text).expect("a name");
            (name.engine().to_owned(), name.exposed_profile().map(str::to_owned))
        };
        assert_eq!(parts("dense"), ("dense".to_owned(), None));
        assert_eq!(parts("dense:direct"), ("dense".to_owned(), Some("direct".to_owned())));
    }
}
