//! Why a candidate was not chosen: one enumerated reason each (json.md, resolve).

use std::fmt;

/// Why a candidate was not chosen, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An open window binds the slot elsewhere.
    Window,
    /// Its vectors would lie in another space.
    OtherEmbedding,
    /// It was stopped or unloaded by hand.
    Held,
    /// Nothing answers at its address.
    Unreachable,
    /// It takes connections and gives no sound answer.
    Unresponsive,
    /// It failed too often of late.
    OpenBreaker,
    /// It refuses our key.
    Auth,
    /// It does not know the name.
    NotListed,
    /// It runs the name under another profile than declared.
    StaleProfile,
    /// The name is resident there now, yet neither loaded nor loading.
    NotLoaded,
    /// The name does not fit beside the residents.
    NoRoom,
    /// It has as many requests as it takes at once.
    Full,
    /// An earlier rank answers.
    LowerRank,
    /// Another machine of the rank takes this one.
    NotItsTurn,
}

impl Reason {
    /// All values.
    pub const ALL: [Self; 14] = [
        Self::Window,
        Self::OtherEmbedding,
        Self::Held,
        Self::Unreachable,
        Self::Unresponsive,
        Self::OpenBreaker,
        Self::Auth,
        Self::NotListed,
        Self::StaleProfile,
        Self::NotLoaded,
        Self::NoRoom,
        Self::Full,
        Self::LowerRank,
        Self::NotItsTurn,
    ];

    /// As JSON documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::OtherEmbedding => "other-embedding",
            Self::Held => "held",
            Self::Unreachable => "unreachable",
            Self::Unresponsive => "unresponsive",
            Self::OpenBreaker => "open-breaker",
            Self::Auth => "auth",
            Self::NotListed => "not-listed",
            Self::StaleProfile => "stale-profile",
            Self::NotLoaded => "not-loaded",
            Self::NoRoom => "no-room",
            Self::Full => "full",
            Self::LowerRank => "lower-rank",
            Self::NotItsTurn => "not-its-turn",
        }
    }

    /// What it says in a sentence about the candidate.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Window => "an open window binds the slot elsewhere",
            Self::OtherEmbedding => "another embedding model: its vectors would be no answer",
            Self::Held => "stopped or unloaded by hand",
            Self::Unreachable => "nothing answers at its address",
            Self::Unresponsive => "it takes connections and gives no sound answer",
            Self::OpenBreaker => "it failed too often of late",
            Self::Auth => "it refuses the key",
            Self::NotListed => "it does not know the name",
            Self::StaleProfile => "the declared profile is not in effect there",
            Self::NotLoaded => "resident there now, yet neither loaded nor loading",
            Self::NoRoom => "it does not fit beside the residents",
            Self::Full => "it has as many requests as it takes at once",
            Self::LowerRank => "an earlier rank answers",
            Self::NotItsTurn => "another machine of the rank takes this one",
        }
    }

    /// Whether the candidate could not have answered: not merely passed over.
    pub const fn is_broken(self) -> bool {
        !matches!(self, Self::Full | Self::LowerRank | Self::NotItsTurn | Self::Window)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
