//! Secrets in memory: `secrecy` types, so that neither `Debug` nor an error shows one; and how they are taken out of text that others wrote.

pub use secrecy::{ExposeSecret, SecretString};

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Shorter ones are words that stand everywhere, and no secrets.
const SHORTEST: usize = 4;

/// Takes known secrets out of text.
#[derive(Debug, Default)]
pub struct Redactor(Vec<SecretString>);

impl Redactor {
    /// Of these secrets; longer ones go first, so that one inside another leaves no rest of it.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let mut secrets: Vec<SecretString> =
            secrets.into_iter().filter(|secret| secret.expose_secret().len() >= SHORTEST).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// The text without them.
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_go_and_nothing_else() {
        let redactor = Redactor::new(["sesame", "open-sesame-1", "abc", ""].map(SecretString::from));
        assert_eq!(redactor.redact("a open-sesame-1 b sesame, abc"), "a [redacted] b [redacted], abc");
        assert!(!format!("{redactor:?}").contains("sesame"));
    }
}
