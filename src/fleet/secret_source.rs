//! Where a secret is found. Never the secret.

/// Where a secret comes from; a literal secret in the fleet file is an error (fleet.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of the laptop.
    Env(String),
    /// A file on the laptop; its content without the trailing newline.
    File(String),
    /// A command on the laptop, as argv; its standard output without the trailing newline.
    Command(Vec<String>),
}
