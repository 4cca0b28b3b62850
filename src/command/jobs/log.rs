//! `fleetctl jobs log NAME`

use super::{job, machines_of};
use crate::cli::JobsLogArgs;
use crate::command::Context;
use crate::command::logs::{Tail, show_log};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::layout;

pub(super) fn run(cx: &Context, args: &JobsLogArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let job = job(&file.fleet, &args.name)?;
    let machines = machines_of(cx, &file.fleet, job)?;
    let [machine] = machines.as_slice() else {
        let names: Vec<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
        return Err(CommandError::usage(format!("{} runs on {}", job.name, names.join(" and ")))
            .hint(format!("choose one: --on {}", names[0])));
    };
    let path = layout::log_path(&format!("job.{}", job.name));
    show_log(cx, &file.fleet, machine, &path, Tail { lines: args.tail.lines, follows: args.tail.follow })
}
