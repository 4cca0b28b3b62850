//! Text with holes for what render cannot know.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::secret::{ExposeSecret as _, SecretString};

/// Which secret of the fleet: `omlx`, `gateway`, `shadow.NAME`. Stable, shown in placeholders, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub String);

/// A value that render cannot know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placeholder {
    /// `{{secret:ID}}`
    Secret(SecretId),
    /// `{{tailnet-ip}}`: the machine's own tailnet address.
    TailnetIp,
    /// `{{secret-key}}`: oMLX's `auth.secret_key`, made once per machine, on the machine, then kept.
    SecretKey,
}

impl Placeholder {
    /// As it stands in a rendered file.
    pub fn shown(&self) -> String {
        match self {
            Self::Secret(id) => format!("{{{{secret:{}}}}}", id.0),
            Self::TailnetIp => "{{tailnet-ip}}".to_owned(),
            Self::SecretKey => "{{secret-key}}".to_owned(),
        }
    }
}

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Inside the quotes of a JSON string.
    JsonString,
    /// As one word of a POSIX shell, quotes included.
    ShellWord,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// A script is the same text for every machine.
    Literal(Cow<'static, str>),
    Hole(Placeholder, Encoding),
}

/// Text whose holes are filled at the last moment, by `execute`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Segment>);

/// What fills the holes. `Debug` shows no secret.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Secrets by id.
    pub secrets: BTreeMap<SecretId, SecretString>,
    /// The machine's tailnet address.
    pub tailnet_ip: Option<std::net::IpAddr>,
}

/// A hole that cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing to put in the place of {}", .0.shown())]
pub struct FillError(pub Placeholder);

impl Text {
    /// Text without holes.
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Segment::Literal(text.into())])
    }

    /// With more literal text.
    pub fn push(&mut self, text: &str) {
        if let Some(Segment::Literal(last)) = self.0.last_mut() {
            last.to_mut().push_str(text);
        } else {
            self.0.push(Segment::Literal(Cow::Owned(text.to_owned())));
        }
    }

    /// With text as one word of a shell, quotes included.
    pub fn push_word(&mut self, word: &str) {
        let mut quoted = String::new();
        Encoding::ShellWord.write(word, &mut quoted);
        self.push(&quoted);
    }

    /// With a hole.
    pub fn push_hole(&mut self, placeholder: Placeholder, encoding: Encoding) {
        self.0.push(Segment::Hole(placeholder, encoding));
    }

    /// With all of another text.
    pub fn append(&mut self, other: Self) {
        for segment in other.0 {
            match segment {
                Segment::Literal(text) => self.push(&text),
                hole @ Segment::Hole(..) => self.0.push(hole),
            }
        }
    }

    /// As `render` shows it: placeholders in the holes.
    pub fn shown(&self) -> String {
        self.0
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => Cow::Borrowed(text.as_ref()),
                Segment::Hole(placeholder, _) => Cow::Owned(placeholder.shown()),
            })
            .collect()
    }

    /// Whether a secret goes into it: then the file is 0600 and its hash is nobody's business.
    pub fn holds_secret(&self) -> bool {
        self.holes().any(|hole| matches!(hole, Placeholder::Secret(_) | Placeholder::SecretKey))
    }

    /// The holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Hole(placeholder, _) => Some(placeholder),
            Segment::Literal(_) => None,
        })
    }

    /// The text as it travels to its machine: [`Placeholder::SecretKey`] stays as `{{secret-key}}`, which is filled there. Errors: [`FillError`].
    pub fn fill_but_secret_key(&self, values: &Values) -> Result<SecretString, FillError> {
        let kept = self.0.iter().map(|segment| match segment {
            Segment::Hole(Placeholder::SecretKey, _) => Segment::Literal(Placeholder::SecretKey.shown().into()),
            other => other.clone(),
        });
        Self(kept.collect()).fill(values)
    }

    /// The real text. [`Placeholder::SecretKey`] cannot be filled here: it stays on its machine. Errors: [`FillError`].
    pub fn fill(&self, values: &Values) -> Result<SecretString, FillError> {
        let mut filled = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Literal(text) => filled.push_str(text),
                Segment::Hole(placeholder, encoding) => {
                    let missing = || FillError(placeholder.clone());
                    match placeholder {
                        Placeholder::Secret(id) => {
                            encoding.write(values.secrets.get(id).ok_or_else(missing)?.expose_secret(), &mut filled);
                        }
                        Placeholder::TailnetIp => {
                            encoding.write(&values.tailnet_ip.ok_or_else(missing)?.to_string(), &mut filled);
                        }
                        Placeholder::SecretKey => return Err(missing()),
                    }
                }
            }
        }
        Ok(SecretString::from(filled))
    }
}

impl Encoding {
    fn write(self, value: &str, into: &mut String) {
        match self {
            Self::Plain => into.push_str(value),
            Self::JsonString => {
                let quoted = serde_json::Value::from(value).to_string();
                into.push_str(&quoted[1..quoted.len() - 1]);
            }
            // POSIX.1-2017, Shell Command Language 2.2.2.
            Self::ShellWord => {
                into.push('\'');
                into.push_str(&value.replace('\'', r"'\''"));
                into.push('\'');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_shown_filled_and_never_leaked() {
        let id = SecretId("omlx".to_owned());
        let mut text = Text::literal("{\"key\": \"");
        text.push_hole(Placeholder::Secret(id.clone()), Encoding::JsonString);
        text.push("\"}");
        assert_eq!(text.shown(), "{\"key\": \"{{secret:omlx}}\"}");
        assert!(text.holds_secret());
        assert_eq!(text.fill(&Values::default()).expect_err("no secret").0, Placeholder::Secret(id.clone()));
        let values = Values { secrets: [(id, SecretString::from("a\"b"))].into(), tailnet_ip: None };
        assert_eq!(text.fill(&values).expect("filled").expose_secret(), "{\"key\": \"a\\\"b\"}");
        assert!(!format!("{values:?}").contains("a\\\"b"));
    }
}
