//! `fleetctl models [sync | prune]`

mod listing;
mod matrix;
mod prune;
mod script;
mod source;
mod sync;
mod transfer;

use super::Context;
use crate::cli::{ModelsAction, ModelsArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(cx: &Context, args: &ModelsArgs) -> Result<Exit, CommandError> {
    match &args.action {
        None => matrix::run(cx),
        Some(ModelsAction::Sync(args)) => sync::run(cx, args),
        Some(ModelsAction::Prune(args)) => prune::run(cx, args),
    }
}
