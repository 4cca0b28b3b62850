//! `fleetctl man [VERB]`

use clap::CommandFactory as _;

use super::Context;
use crate::cli::{Cli, ManArgs};
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;

/// Prints a man page as roff: `fleetctl man apply | man -l -`.
pub(crate) fn run(cx: &Context, args: &ManArgs) -> Result<Exit, CommandError> {
    let mut whole = Cli::command();
    // The global options belong to every page.
    whole.build();
    let page = match &args.verb {
        None => whole,
        Some(verb) => of_verb(&whole, verb)?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    cx.ui.answer_bytes(&text)?;
    Ok(Exit::Done)
}

fn of_verb(whole: &clap::Command, verb: &str) -> Result<clap::Command, CommandError> {
    if let Some(command) = whole.find_subcommand(verb) {
        return Ok(command.clone().display_name(format!("fleetctl-{verb}")));
    }
    let error = CommandError::usage(format!("there is no verb {verb:?}"));
    let verbs: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
    Err(match config::suggestion(verb, verbs.iter().copied(), "there are") {
        Some(hint) => error.hint(hint),
        None => error,
    })
}
