//! Arguments in, exit code out.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use clap::{CommandFactory as _, Parser as _};

use super::{
    Context, adopt, apply, bench, by_hand, capacity, check, completions, doctor, edit, explain, gateway, history, init,
    jobs, logs, man, models, plan, remove, render, resolve, resolver, schedule, schema, shadow, simulate, status,
};
use crate::cli::{Cli, ColorWhen, Command, FLEET_FILE};
use crate::clock::Clock;
use crate::env::Env;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::transport::quote;
use crate::ui::{Color, Commands, Ui, Volume, announce_bugs};

/// Runs the command line and returns the exit code; everything that was to be said has been said.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    guarded(|| typed(arguments))
}

/// Verbs that look at no fleet file.
const WITHOUT_FILE: [&str; 4] = ["explain", "schema", "completions", "man"];

/// How hints write our own command lines: as this one was called.
fn commands(file: &Path) -> Commands {
    if file == Path::new(FLEET_FILE) {
        return Commands::default();
    }
    let verbs = Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect::<Vec<_>>();
    let verbs = verbs.into_iter().filter(|verb| !WITHOUT_FILE.contains(&verb.as_str())).collect();
    Commands::with_file(quote(&file.to_string_lossy()), verbs)
}

/// Runs `work`; a panic of it is told as a bug, and is exit code 70.
pub fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    // What was typed is not read yet.
    announce_bugs(Commands::default());
    // Nothing of a panicked run is used afterwards.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug)
}

fn typed(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let env = Env::of_process();
    if env.get(completions::VARIABLE).is_some() {
        return completions::complete(arguments.into_iter().collect());
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers: clap prints those to standard output, everything else to standard error.
            // A closed pipe is no error here: nobody is left to be told.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let color = match cli.global.color {
        ColorWhen::Auto => Color::Auto,
        ColorWhen::Always => Color::Always,
        ColorWhen::Never => Color::Never,
    };
    let volume = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Volume::Quiet,
        (_, true) => Volume::Verbose,
        _ => Volume::Normal,
    };
    let commands = commands(&cli.global.file);
    announce_bugs(commands.clone());
    let ui = Ui::of_process(&env, color, volume, commands);
    let cx = Context { ui, env, clock: Clock::System, global: cli.global };
    match dispatch(&cx, &cli.command) {
        Ok(exit) => exit,
        Err(error) => {
            cx.ui.error(&error);
            error.kind.exit()
        }
    }
}

fn dispatch(cx: &Context, command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::Init(args) => init::run(cx, args),
        Command::Check => check::run(cx),
        Command::Render(args) => render::run(cx, args),
        Command::Plan(args) => plan::run(cx, args),
        Command::Apply(args) => apply::run(cx, args),
        Command::History(args) => history::run(cx, args),
        Command::Rollback(args) => history::rollback(cx, args),
        Command::Adopt(args) => adopt::run(cx, args),
        Command::Remove(args) => remove::run(cx, args),
        Command::Resolve(args) => resolve::run(cx, args),
        Command::Simulate(args) => simulate::run(cx, args),
        Command::Gateway(args) => gateway::run(cx, args),
        Command::Resolver(args) => resolver::run(cx, args),
        Command::Schedule(args) => schedule::run(cx, args),
        Command::Jobs(args) => jobs::run(cx, args),
        Command::Capacity(args) => capacity::run(cx, args),
        Command::Models(args) => models::run(cx, args),
        Command::Bench(args) => bench::run(cx, args),
        Command::Status(args) => status::run(cx, args),
        Command::Load(args) => by_hand::load(cx, args),
        Command::Unload(args) => by_hand::unload(cx, args),
        Command::Logs(args) => logs::run(cx, args),
        Command::Start(args) => by_hand::start(cx, args),
        Command::Stop(args) => by_hand::stop(cx, args),
        Command::Restart(args) => by_hand::restart(cx, args),
        Command::Doctor(args) => doctor::run(cx, args),
        Command::Shadow(args) => shadow::run(cx, args),
        Command::Explain(args) => explain::run(cx, args),
        Command::Schema => schema::run(cx),
        Command::Man(args) => man::run(cx, args),
        Command::Completions(args) => completions::run(cx, args),
        Command::Edit => edit::run(cx),
    }
}
