//! `fleetctl schema`

use super::Context;
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(cx: &Context) -> Result<Exit, CommandError> {
    cx.ui.answer_json(&config::schema())?;
    Ok(Exit::Done)
}
