//! `fleetctl history MACHINE` and `fleetctl rollback MACHINE [GENERATION]`

use super::Context;
use super::runtime::block_on;
use crate::cli::{HistoryArgs, RollbackArgs};
use crate::error::{CommandError, Kind};
use crate::execute::{self, Generation, Job, Order, Purpose, Waves};
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::plan::{Gate, Transaction};
use crate::render::{Text, Values};
use crate::transport::{Connector, Remote};
use crate::ui::json::HistoryDocument;
use crate::ui::{Palette, history_text};

pub(crate) fn run(cx: &Context, args: &HistoryArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = one(cx, &file.fleet, &args.machine)?;
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let (_, generations) = ask(&connector, machine).await?;
        connector.close().await;
        if cx.global.json {
            cx.ui.answer_json(&HistoryDocument::of(machine.name.as_str(), &generations))?;
        } else {
            let palette = Palette::new(cx.ui.colors_answer());
            cx.ui.answer(&history_text(machine.name.as_str(), &generations, cx.ui.width(), palette))?;
        }
        Ok(Exit::Done)
    })
}

pub(crate) fn rollback(cx: &Context, args: &RollbackArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = one(cx, &file.fleet, &args.machine)?;
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let (remote, generations) = ask(&connector, machine).await?;
        let target = choose(machine, &generations, args.generation)?;
        let what = target.about.as_ref().map_or_else(
            || "as it was before fleetctl".to_owned(),
            |about| format!("{} by {}", about.at.as_deref().unwrap_or("at an unknown time"), about.who),
        );
        let question =
            format!("Go back to generation {} ({what}) on {}? oMLX is restarted there.", target.number, machine.name);
        cx.agree(&args.carry_out, &question)?;
        let revision = cx.revision_of(&file).await;
        let run = cx.begin_run("rollback", &file.fleet.name, revision).await;
        let summary = [format!("back to generation {}", target.number)];
        let purpose = Purpose::Rollback(target.number);
        let mut terms = cx.terms(&run, &args.carry_out, purpose, machine.name.as_str(), &summary)?;
        // What runs then is that generation's file, not the one at hand.
        let revision = target.about.as_ref().and_then(|about| about.revision.clone());
        terms.record.insert("revision".to_owned(), revision.into());
        let job = Job {
            machine: machine.clone(),
            remote: Some(remote),
            transaction: transaction(&file.fleet, machine),
            values: Values::default(),
            terms,
            gateways: file.fleet.gateway_machines().cloned().collect(),
        };
        let order = Order { waves: Waves::one(), parallel: 1, all_or_nothing: false };
        let report = cx.carry_out(&connector, &run, vec![job], &order, Vec::new(), &[machine.name.as_str()]).await;
        connector.close().await;
        cx.answer_report("rollback", report)
    })
}

/// The machine that was named. Errors: none of that name (2), with the near ones.
fn one<'a>(cx: &Context, fleet: &'a Fleet, name: &str) -> Result<&'a Machine, CommandError> {
    cx.one_machine(fleet, name)
}

async fn ask(connector: &Connector, machine: &Machine) -> Result<(Remote, Vec<Generation>), CommandError> {
    let remote = connector.connect(machine).await.map_err(|error| {
        let hints = error.hints();
        hints.into_iter().fold(
            CommandError::failed(format!("{} cannot be reached", machine.name)).because(error),
            CommandError::hint,
        )
    })?;
    let generations = execute::history(&remote).await.map_err(|error| {
        let hints = error.hints();
        hints.into_iter().fold(
            CommandError::failed(format!("{} does not tell its generations", machine.name)).because(error),
            CommandError::hint,
        )
    })?;
    Ok((remote, generations))
}

fn choose<'a>(
    machine: &Machine,
    generations: &'a [Generation],
    wanted: Option<u32>,
) -> Result<&'a Generation, CommandError> {
    let refused = |text: String| CommandError::new(Kind::Refused, text);
    let present = generations.iter().find(|generation| generation.is_present);
    let found = match wanted {
        Some(number) => generations.iter().find(|generation| generation.number == number),
        None => generations
            .iter()
            .rev()
            .find(|generation| generation.is_kept && present.is_none_or(|present| generation.number < present.number)),
    };
    let known = || {
        let numbers: Vec<String> =
            generations.iter().filter(|one| one.is_kept).map(|one| one.number.to_string()).collect();
        if numbers.is_empty() { "none is kept".to_owned() } else { format!("kept are: {}", numbers.join(", ")) }
    };
    match found {
        None => Err(refused(match wanted {
            Some(number) => format!("{} has no generation {number}", machine.name),
            None => format!("{} has no earlier generation", machine.name),
        })
        .hint(known())),
        Some(found) if found.is_present => {
            Err(refused(format!("{} is in generation {} already", machine.name, found.number)))
        }
        Some(found) if !found.is_kept => {
            Err(refused(format!("generation {} of {} is not kept any more", found.number, machine.name)).hint(known()))
        }
        Some(found) => Ok(found),
    }
}

/// A rollback carries nothing: the machine has it all. What is checked in the end is what that generation was like.
fn transaction(fleet: &Fleet, machine: &Machine) -> Transaction {
    let gate = Gate {
        engine: true,
        release: machine.omlx.release,
        url: Text::default(),
        within: fleet.gate,
        listed: Vec::new(),
        resident: Vec::new(),
        by_clock: fleet.has_windows(&machine.name),
        ask: Vec::new(),
    };
    let empty = Transaction::empty(machine.name.clone(), machine.user.clone(), machine.omlx.base.clone(), gate);
    Transaction { port: machine.omlx.port, ..empty }
}
