//! The only reader of the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The environment as a value, read once at start, so that everything behind it can be tested with another.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The process's own; variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect())
    }

    /// A variable; empty counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    /// Where state is kept between runs: `$XDG_STATE_HOME/fleetctl`; else on macOS `~/Library/Application Support/fleetctl`, elsewhere `~/.local/state/fleetctl`.
    pub fn state_directory(&self) -> Option<PathBuf> {
        if let Some(state) = self.get("XDG_STATE_HOME") {
            return Some(PathBuf::from(state).join("fleetctl"));
        }
        let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" };
        self.home().map(|home| home.join(below).join("fleetctl"))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }
}
