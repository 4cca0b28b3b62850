//! `fleetctl completions SHELL`

use clap::CommandFactory as _;

use super::Context;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(cx: &Context, args: &CompletionsArgs) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fleetctl", &mut script);
    cx.ui.answer_bytes(&script)?;
    Ok(Exit::Done)
}
