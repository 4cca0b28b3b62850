//! How oMLX runs on a machine: `[omlx]` with `[machines.NAME.omlx]` laid over it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::SecretSource;

/// A known release of oMLX. What differs between them is one table, in `omlx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// The release of the article's fleet.
    V0_3_8,
    /// First with profiles exposed as models.
    V0_5_0,
    /// The fork on `PyPI` (`flyto-mlx` 0.7.0), whose nearest upstream base is 0.3.12.
    Flyto0_7_0,
}

impl Release {
    /// Oldest first.
    pub const ALL: [Self; 3] = [Self::V0_3_8, Self::V0_5_0, Self::Flyto0_7_0];

    /// As the fleet file writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_3_8 => "0.3.8",
            Self::V0_5_0 => "0.5.0",
            Self::Flyto0_7_0 => "flyto-0.7.0",
        }
    }

    /// The release of a fleet file's `version`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.as_str() == text)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a server listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Every address; demands a key.
    All,
    /// 127.0.0.1 only.
    Loopback,
    /// The machine's own tailnet address, asked of the machine.
    Tailnet,
    /// One address of the machine.
    Address(IpAddr),
}

/// A key of oMLX's settings.json as its path of names: `["scheduler", "max_concurrent_requests"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettingPath(pub Vec<String>);

impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join("."))
    }
}

/// oMLX on one machine, fully resolved: every path absolute, every default applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// The declared release.
    pub release: Release,
    /// Absolute path of the `omlx` program.
    pub program: String,
    /// What it listens on.
    pub bind: Bind,
    /// TCP port, 1 to 65535.
    pub port: u16,
    /// oMLX's base path, absolute.
    pub base: String,
    /// The directory that holds one directory per weights, absolute.
    pub weights: String,
    /// The API key; `None` leaves `/v1` open, which only a bind other than `All` may.
    pub api_key: Option<SecretSource>,
    /// Added to the daemon's environment.
    pub environment: BTreeMap<String, String>,
    /// Declared keys of settings.json other than server, model and auth.
    pub settings: BTreeMap<SettingPath, serde_json::Value>,
}
