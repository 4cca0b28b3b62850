//! Databases that are kept between runs, as the commands open them.

use std::path::{Path, PathBuf};

use super::Context;
use crate::error::{CommandError, Kind};
use crate::fs::DatabaseError;

impl Context {
    /// Where a verb keeps what it knows between runs. Errors: there is no home.
    pub(crate) fn state_directory(&self, verb: &str) -> Result<PathBuf, CommandError> {
        let state = self.env.state_directory().ok_or_else(|| {
            CommandError::failed("nowhere to keep what is measured").hint("set HOME or XDG_STATE_HOME")
        })?;
        Ok(state.join(verb))
    }

    /// Says that a damaged database was kept aside.
    pub(crate) fn warn_of_damage(&self, path: &Path, kept_aside: Option<&Path>) {
        if let Some(aside) = kept_aside {
            let (path, aside) = (path.display(), aside.display());
            self.ui.warn(&format!("{path} is damaged: it is kept as {aside}, and a new one begins"));
        }
    }
}

/// A name of a person's making as a file name: through its characters that are harmless there.
pub(crate) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(64).collect()
}

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        let hint = match &error {
            DatabaseError::Newer { .. } => Some("upgrade fleetctl; nothing was changed"),
            DatabaseError::Locked { .. } => Some("wait until the other fleetctl has ended"),
            DatabaseError::Files { .. } | DatabaseError::Database { .. } => None,
        };
        let kind = if matches!(error, DatabaseError::Newer { .. } | DatabaseError::Locked { .. }) {
            Kind::Refused
        } else {
            Kind::Failed
        };
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let whole = Self::new(kind, error.to_string());
        let whole = match source {
            Some(source) => whole.because(source),
            None => whole,
        };
        match hint {
            Some(hint) => whole.hint(hint),
            None => whole,
        }
    }
}
