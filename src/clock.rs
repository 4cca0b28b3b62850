//! The only caller of `now()`.

/// A clock: the system's, or one that stands still (`--at`, tests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The system's.
    System,
    /// Always this time.
    Fixed(jiff::Timestamp),
}

impl Clock {
    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn now(self) -> jiff::Timestamp {
        match self {
            Self::System => jiff::Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}
