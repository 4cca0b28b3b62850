//! `fleetctl shadow run|import|report|promote|demote|halt|guard NAME`

mod backlog;
mod calibration;
mod guard;
mod import;
mod ladder;
mod local;
mod reference;
mod report;
mod run;
mod work;
mod write_rung;

use super::Context;
use crate::cli::{ShadowAction, ShadowArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(cx: &Context, args: &ShadowArgs) -> Result<Exit, CommandError> {
    match &args.action {
        ShadowAction::Run(args) => run::run(cx, args),
        ShadowAction::Import(args) => import::run(cx, args),
        ShadowAction::Report(args) => report::run(cx, args),
        ShadowAction::Promote(args) => ladder::promote(cx, args),
        ShadowAction::Demote(args) => ladder::demote(cx, args),
        ShadowAction::Halt(args) => ladder::halt(cx, args),
        ShadowAction::Guard(args) => guard::run(cx, args),
    }
}
