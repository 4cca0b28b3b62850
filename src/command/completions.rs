//! `fleetctl completions SHELL`, and what the shell asks while somebody types: verbs and options from the command line's own definition, machines, slots,
//! served names and jobs from the fleet file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::Context;
use super::catalogue::catalogue;
use super::fleet_file::LIMIT;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::Fleet;
use crate::{config, fs};

/// Set by the script in the shell, to the shell's name: then we are asked to complete.
pub(super) const VARIABLE: &str = "FLEETCTL_COMPLETE";

/// Prints the script that makes a shell ask us: `source <(fleetctl completions bash)`.
pub(crate) fn run(cx: &Context, args: &CompletionsArgs) -> Result<Exit, CommandError> {
    let shell = args.shell.to_string();
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let writer = shells
        .completer(&shell)
        .ok_or_else(|| CommandError::new(Kind::Bug, format!("there is no script for {shell}")))?;
    writer.write_registration(VARIABLE, "fleetctl", "fleetctl", "fleetctl", &mut script)?;
    cx.ui.answer_bytes(&script)?;
    Ok(Exit::Done)
}

/// Answers a shell that asks: `arguments` are ours, `--`, and the words typed so far.
pub(super) fn complete(arguments: Vec<OsString>) -> Exit {
    let file = named_file(&arguments);
    let command = || dressed(Cli::command(), None, &file);
    let asked = CompleteEnv::with_factory(command).var(VARIABLE).bin("fleetctl").try_complete(arguments, None);
    // Whatever goes wrong, somebody is typing: an error text in the middle of the line helps nobody.
    if asked.is_ok() { Exit::Done } else { Exit::Failed }
}

/// The fleet file that the words name, else ./fleet.toml. Behind `logs`, `-f` is --follow.
fn named_file(words: &[OsString]) -> PathBuf {
    let is_log = words.iter().any(|word| word == "logs" || word == "log");
    let mut named = None;
    for (word, next) in words.iter().zip(words.iter().skip(1)) {
        let text = word.to_string_lossy();
        if text == "--file" || (text == "-f" && !is_log) {
            named = Some(PathBuf::from(next));
        } else if let Some(path) = text.strip_prefix("--file=") {
            named = Some(PathBuf::from(path));
        }
    }
    named.unwrap_or_else(|| PathBuf::from(crate::cli::FLEET_FILE))
}

/// What a value can be.
#[derive(Clone, Copy)]
enum Values {
    Machines,
    Selectors,
    Slots,
    Served,
    Jobs,
    Shadows,
    Units,
    Codes,
    Verbs,
}

/// By the verb and the argument's id.
fn values(verb: Option<&str>, argument: &str) -> Option<Values> {
    Some(match (verb, argument) {
        (_, "on") | (Some("simulate"), "down") | (Some("doctor"), "selector") => Values::Selectors,
        (_, "machine") => Values::Machines,
        (_, "slot" | "slots") => Values::Slots,
        (_, "unit") => Values::Units,
        (Some("load" | "unload"), "name") => Values::Served,
        (Some("jobs"), "name") => Values::Jobs,
        (Some("shadow"), "name") => Values::Shadows,
        (Some("explain"), "code") => Values::Codes,
        (Some("man"), "verb") => Values::Verbs,
        _ => return None,
    })
}

/// The command line with completers at every argument that names something.
fn dressed(command: clap::Command, verb: Option<&str>, file: &Path) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| dressed(sub, Some(verb.unwrap_or(name)), file))
    });
    command.mut_args(|argument| match values(verb, argument.get_id().as_str()) {
        None => argument,
        Some(values) => {
            let file = file.to_owned();
            argument.add(ArgValueCompleter::new(move |current: &OsStr| candidates(values, &file, current)))
        }
    })
}

fn candidates(values: Values, file: &Path, current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    all(values, file)
        .into_iter()
        .filter(|(name, _)| name.starts_with(&*begun))
        .map(|(name, help)| CompletionCandidate::new(name).help(help.map(Into::into)))
        .collect()
}

/// Every value and what it is. Of a fleet file with errors, what is sound.
fn all(values: Values, file: &Path) -> Vec<(String, Option<String>)> {
    let plain = |name: &str| (name.to_owned(), None);
    match values {
        Values::Codes => {
            catalogue().into_iter().map(|code| (code.id.to_owned(), Some(code.title.to_owned()))).collect()
        }
        Values::Verbs => Cli::command().get_subcommands().map(|verb| plain(verb.get_name())).collect(),
        _ => sound(file).map_or_else(Vec::new, |fleet| of_fleet(values, &fleet)),
    }
}

fn sound(file: &Path) -> Option<Fleet> {
    let text = fs::read_text(file, LIMIT).ok()?;
    config::load(&file.display().to_string(), &text).sound
}

fn of_fleet(values: Values, fleet: &Fleet) -> Vec<(String, Option<String>)> {
    let plain = |name: &dyn std::fmt::Display| (name.to_string(), None);
    let machines = || {
        fleet
            .machines
            .iter()
            .map(|machine| (machine.name.to_string(), machine.tier.as_ref().map(|tier| format!("tier {tier}"))))
    };
    match values {
        Values::Machines => machines().collect(),
        Values::Selectors => {
            let mut all: Vec<(String, Option<String>)> = machines().collect();
            for tier in fleet.machines.iter().filter_map(|machine| machine.tier.as_ref()) {
                let selector = format!("tier:{tier}");
                if all.iter().all(|(known, _)| *known != selector) {
                    all.push((selector, Some("every machine of the tier".to_owned())));
                }
            }
            all
        }
        Values::Slots => fleet.slots.keys().map(|name| plain(&name)).collect(),
        Values::Served => {
            let of = |served: &crate::fleet::Served| format!("{} with {}", served.model, served.profile);
            fleet.served.iter().map(|served| (served.name.to_string(), Some(of(served)))).collect()
        }
        Values::Jobs => fleet.jobs.keys().map(|name| plain(&name)).collect(),
        Values::Shadows => fleet.shadows.keys().map(|name| plain(&name)).collect(),
        Values::Units => {
            let fixed = ["omlx", "gateway", "resolver", "schedule", "rotate", "gpu-limit", "server"];
            let jobs = fleet.jobs.keys().map(|name| format!("job.{name}"));
            fixed.into_iter().map(str::to_owned).chain(jobs).map(|name| (name, None)).collect()
        }
        Values::Codes | Values::Verbs => Vec::new(),
    }
}
