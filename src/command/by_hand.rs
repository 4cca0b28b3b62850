//! `fleetctl start`, `stop`, `restart`, `load`, `unload`

use std::time::Duration;

use tokio::sync::mpsc;

use super::Context;
use super::runtime::block_on;
use crate::cli::{DrainArgs, LoadArgs, OnUnreachable, StartArgs, StopArgs, UnloadArgs};
use crate::config;
use crate::error::CommandError;
use crate::execute::{Deed, HandReport, HandResult, HandTerms, HandUnit, by_hand};
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Machine, ServedName, parse_duration};
use crate::render::{self, Unit};
use crate::schedule;
use crate::transport::{Fanned, RunError, fan_out};
use crate::ui::json::{HandDocument, HandEntry};
use crate::ui::{Palette, sanitize};

pub(crate) fn start(cx: &Context, args: &StartArgs) -> Result<Exit, CommandError> {
    on_unit(cx, "start", &args.machine, &args.unit, None, Deed::Start)
}

pub(crate) fn stop(cx: &Context, args: &StopArgs) -> Result<Exit, CommandError> {
    on_unit(cx, "stop", &args.machine, &args.unit, Some(&args.drain), Deed::Stop)
}

pub(crate) fn restart(cx: &Context, args: &StopArgs) -> Result<Exit, CommandError> {
    on_unit(cx, "restart", &args.machine, &args.unit, Some(&args.drain), Deed::Restart)
}

pub(crate) fn load(cx: &Context, args: &LoadArgs) -> Result<Exit, CommandError> {
    on_name(cx, "load", &args.name, None, |name, _| Deed::Load(name))
}

pub(crate) fn unload(cx: &Context, args: &UnloadArgs) -> Result<Exit, CommandError> {
    on_name(cx, "unload", &args.name, Some(&args.drain), |name, hold| Deed::Unload { name, hold })
}

/// A machine by its name. Errors: usage, with the near names.
pub(super) fn machine<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Machine, CommandError> {
    fleet.machines.get(name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no machine {name:?}"));
        match config::suggestion(name, fleet.machines.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// A unit of a machine by its short name. Errors: usage, with the near names.
pub(super) fn unit(fleet: &Fleet, machine: &Machine, name: &str) -> Result<Unit, CommandError> {
    let units = render::bundle(fleet, machine).units;
    if let Some(unit) = units.iter().find(|unit| unit.name == name) {
        return Ok(unit.clone());
    }
    let error = CommandError::usage(format!("{} has no daemon {name:?}", machine.name));
    let known = units.iter().map(|unit| unit.name.as_str());
    Err(match config::suggestion(name, known, "there are") {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

fn on_unit(
    cx: &Context,
    verb: &'static str,
    machine_name: &str,
    unit_name: &str,
    drain: Option<&DrainArgs>,
    deed: Deed,
) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = machine(&file.fleet, machine_name)?;
    let unit = unit(&file.fleet, machine, unit_name)?;
    let job = Job { machine: machine.clone(), unit: of_unit(&unit), deed };
    carry_out(cx, verb, &file.fleet, vec![job], drain)
}

fn on_name(
    cx: &Context,
    verb: &'static str,
    name: &str,
    drain: Option<&DrainArgs>,
    deed: impl Fn(ServedName, bool) -> Deed,
) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let served = fleet.served.get(name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no served name {name:?}"));
        match config::suggestion(name, fleet.served.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })?;
    // What is loaded and unloaded is an engine; an exposed profile has that of another name.
    let served = fleet.served.get(served.name.engine()).unwrap_or(served);
    let now = cx.clock.now();
    let mut jobs = Vec::new();
    for machine in cx.select(fleet)?.into_iter().filter(|machine| served.is_on(&machine.name)) {
        let resident = schedule::state_at(fleet, machine, now).resident;
        let is_resident = resident.iter().any(|other| other.name == served.name);
        let unit = unit(fleet, machine, "omlx")?;
        jobs.push(Job { machine: machine.clone(), unit: of_unit(&unit), deed: deed(served.name.clone(), is_resident) });
    }
    if jobs.is_empty() {
        let on: Vec<&str> = served.on.iter().map(crate::fleet::MachineName::as_str).collect();
        return Err(CommandError::usage(format!("no machine of --on serves {name}"))
            .hint(format!("it is served on {}", on.join(", "))));
    }
    carry_out(cx, verb, fleet, jobs, drain)
}

fn of_unit(unit: &Unit) -> HandUnit {
    HandUnit {
        name: unit.name.clone(),
        label: unit.label.clone(),
        plist: unit.plist.clone(),
        log: unit.log.clone(),
        kind: unit.kind,
    }
}

/// One machine's part.
#[derive(Clone)]
struct Job {
    machine: Machine,
    unit: HandUnit,
    deed: Deed,
}

fn carry_out(
    cx: &Context,
    verb: &'static str,
    fleet: &Fleet,
    jobs: Vec<Job>,
    drain: Option<&DrainArgs>,
) -> Result<Exit, CommandError> {
    let (wait, force) = match drain {
        None => (Duration::ZERO, false),
        Some(args) => {
            let wait = parse_duration(&args.drain)
                .map_err(|error| CommandError::usage(format!("--drain {:?} is {error}", args.drain)))?;
            (wait, args.force)
        }
    };
    let names: Vec<String> = jobs.iter().map(|job| job.machine.name.to_string()).collect();
    block_on(async {
        let who = cx.who().await;
        let connector = cx.connector(fleet)?;
        let gate = fleet.gate;
        let (steps, mut seen) = mpsc::unbounded_channel::<(String, String)>();
        let work = |job: Job| {
            let (connector, who, steps) = (connector.clone(), who.clone(), steps.clone());
            async move {
                let remote = connector.connect(&job.machine).await?;
                let terms = HandTerms { who, base: job.machine.omlx.base.clone(), drain: wait, force, gate };
                let name = job.machine.name.to_string();
                let step = |text: &str| {
                    // Nobody watches any more: then nobody needs to know.
                    drop(steps.send((name.clone(), text.to_owned())));
                };
                by_hand(&remote, &job.deed, &job.unit, &terms, step).await
            }
        };
        let fanned = fan_out(jobs, cx.width(None), work, |_, _| {});
        tokio::pin!(fanned);
        let results: Vec<Fanned<Result<HandReport, RunError>>> = loop {
            tokio::select! {
                results = &mut fanned => break results,
                Some((machine, text)) = seen.recv() => cx.ui.status(&format!("{machine}  {}", sanitize(&text))),
            }
        };
        connector.close().await;
        answer(cx, verb, &names, results)
    })
}

fn answer(
    cx: &Context,
    verb: &'static str,
    names: &[String],
    results: Vec<Fanned<Result<HandReport, RunError>>>,
) -> Result<Exit, CommandError> {
    let mut entries = Vec::new();
    let mut outcomes = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for (name, result) in names.iter().zip(results) {
        let (word, detail, outcome) = match result {
            Fanned::Done(Ok(report)) => {
                for note in &report.notes {
                    cx.ui.warn(&format!("{name}: {}", sanitize(note)));
                }
                let outcome = match report.result {
                    HandResult::Done | HandResult::Unchanged => MachineOutcome::Succeeded,
                    HandResult::Busy => MachineOutcome::Refused,
                    HandResult::Postponed => MachineOutcome::Postponed,
                    HandResult::Failed => MachineOutcome::Failed,
                };
                (report.result.as_str(), report.detail, outcome)
            }
            Fanned::Done(Err(error)) => {
                hints.extend(error.hints());
                let detail = Some(without_name(&error.to_string(), name));
                match (error, cx.global.unreachable) {
                    (RunError::Connect(_), OnUnreachable::Skip) => ("unreachable", detail, MachineOutcome::Absent),
                    (RunError::Connect(_), OnUnreachable::Fail) => ("unreachable", detail, MachineOutcome::Failed),
                    _ => ("failed", detail, MachineOutcome::Failed),
                }
            }
            Fanned::TimedOut(limit) => {
                ("failed", Some(format!("no end within {} s", limit.as_secs())), MachineOutcome::Failed)
            }
            Fanned::Panicked(said) => ("failed", Some(format!("a bug in fleetctl: {said}")), MachineOutcome::Bug),
        };
        let detail = detail.map(|detail| cx.with_file(&detail));
        entries.push(HandEntry::new(name, word, detail));
        outcomes.push(outcome);
    }
    let exit = over_machines(outcomes);
    let document = HandDocument::new(verb, entries, exit.code());
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        let palette = Palette::new(cx.ui.colors_answer());
        cx.ui.answer(&document.text(palette))?;
    }
    hints.dedup();
    for hint in hints {
        cx.ui.status(&format!("help: {}", sanitize(&hint)));
    }
    Ok(exit)
}

fn without_name(text: &str, name: &str) -> String {
    text.strip_prefix(&format!("{name}: ")).unwrap_or(text).to_owned()
}
