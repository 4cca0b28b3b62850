//! What a command ends with when it does not end well: a kind that decides the exit code, a chain of causes, hints.

use crate::exit::Exit;

/// Whose error it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A local error, or no machine succeeded.
    Failed,
    /// What was typed.
    Usage,
    /// The fleet file cannot be read; its problems were already shown.
    InvalidFleet,
    /// Refused, nothing touched.
    Refused,
    /// The reader of our standard output has gone: not an error to speak of.
    BrokenPipe,
    /// A bug in fleetctl.
    Bug,
}

impl Kind {
    /// The exit code.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Failed => Exit::Failed,
            Self::Usage => Exit::Usage,
            Self::InvalidFleet => Exit::InvalidFleet,
            Self::Refused => Exit::Refused,
            Self::BrokenPipe => Exit::Done,
            Self::Bug => Exit::Bug,
        }
    }
}

/// An error at the top. Its Display is the first line; `source` is the chain; hints say what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    /// Decides the exit code.
    pub kind: Kind,
    /// A lowercase fragment that names the object; never holds the cause.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// What to do next, one line each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// An error without a cause.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// A local failure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// A usage error.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// With its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<std::io::Error> for CommandError {
    /// A broken pipe anywhere in the chain is a quiet end; everything else a local failure.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Kind::BrokenPipe, "the reader has gone");
        }
        Self::failed("input or output failed").because(error)
    }
}
