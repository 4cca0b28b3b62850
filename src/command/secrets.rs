//! Secrets, fetched from where the fleet file says they are.

use std::path::PathBuf;
use std::time::Duration;

use super::Context;
use crate::error::CommandError;
use crate::fleet::{Fleet, SecretSource};
use crate::fs;
use crate::render::{self, Values};
use crate::secret::SecretString;
use crate::transport::output_of;

/// Longest file of a secret.
const LIMIT: u64 = 64 << 10;
/// How long a password manager may take, its questions to the operator included.
const PATIENCE: Duration = Duration::from_mins(2);

impl Context {
    /// What of the fleet's secrets this laptop has without running a command for it: what an operator who only looks is not asked for.
    pub(crate) async fn values_at_hand(&self, fleet: &Fleet) -> Values {
        let mut values = Values::default();
        for (id, source) in render::secret_sources(fleet) {
            if !matches!(source, SecretSource::Command(_))
                && let Ok(secret) = self.secret(&source).await
            {
                values.secrets.insert(id, secret);
            }
        }
        values
    }

    /// The secret, without the line break behind it. Errors name its place, never its content.
    pub(crate) async fn secret(&self, source: &SecretSource) -> Result<SecretString, CommandError> {
        let text = match source {
            SecretSource::Env(name) => {
                let value = self.env.get(name).ok_or_else(|| {
                    CommandError::failed(format!("the environment variable {name} is not set"))
                        .hint(format!("export {name}, or name another source of the key in the fleet file"))
                })?;
                value.to_owned()
            }
            SecretSource::File(path) => fs::read_text(&self.at_home(path)?, LIMIT).map_err(|error| {
                CommandError::failed(format!("cannot read the secret's file {path}")).because(error)
            })?,
            SecretSource::Command(argv) => {
                let program = argv.first().map_or("", String::as_str);
                let said = output_of(argv, PATIENCE).await.map_err(|error| {
                    CommandError::failed(format!("the command {program} gave no secret")).because(error)
                })?;
                String::from_utf8(said)
                    .map_err(|_| CommandError::failed(format!("the command {program} gave a secret that is no text")))?
            }
        };
        let text = text.trim_end_matches(['\n', '\r']);
        let is_sound = !text.is_empty() && !text.chars().any(char::is_control);
        if !is_sound {
            let place = match source {
                SecretSource::Env(name) => format!("the environment variable {name}"),
                SecretSource::File(path) => format!("the file {path}"),
                SecretSource::Command(argv) => format!("the command {}", argv.first().map_or("", String::as_str)),
            };
            return Err(CommandError::failed(format!(
                "{place} holds no usable secret: it is empty or has control characters"
            )));
        }
        Ok(SecretString::from(text))
    }

    /// A path on this computer, where `~/` is the operator's home.
    fn at_home(&self, path: &str) -> Result<PathBuf, CommandError> {
        let Some(below) = path.strip_prefix("~/") else { return Ok(PathBuf::from(path)) };
        let home = self.env.home().ok_or_else(|| {
            CommandError::failed(format!("cannot read the secret's file {path}: there is no home")).hint("set HOME")
        })?;
        Ok(home.join(below))
    }
}
