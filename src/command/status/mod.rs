//! `fleetctl status`

pub(super) mod alert;
mod clockwork;
mod declared;
mod fleet;
mod machine;
mod machine_alerts;
mod services;
mod snapshot;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use self::declared::Declared;
use super::Context;
use super::machines::{Answered, Silent};
use super::runtime::block_on;
use crate::cli::StatusArgs;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Machine, parse_duration};
use crate::fs;
use crate::render::Values;
use crate::schedule::Moment;
use crate::transport::Connector;
use crate::ui::json::{Alert, MachineStatus, StatusDocument};
use crate::ui::{Commands, Refresh, Waiting, render_metrics, render_status, render_status_page};

pub(in crate::command) use fleet::slot_status;
pub(in crate::command) use snapshot::of_snapshot;

pub(crate) fn run(cx: &Context, args: &StatusArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machines: Vec<Machine> = cx.select(&file.fleet)?.into_iter().cloned().collect();
    let fleet = Arc::new(file.fleet);
    let every = args.watch.as_deref().map(interval).transpose()?;
    let is_live = cx.ui.answers_terminal() && cx.ui.animates() && !cx.global.json && args.html.is_none();
    block_on(async {
        let connector = cx.connector(&fleet)?;
        let done = match every {
            None => once(cx, args, &connector, &fleet, &machines).await,
            Some(every) if is_live => watch::watch(cx, &connector, &fleet, &machines, every).await,
            Some(every) => repeat(cx, args, &connector, &fleet, &machines, every).await,
        };
        connector.close().await;
        done
    })
}

pub(super) use self::clockwork::job_alert;

/// What status says of one machine, for doctor.
pub(super) fn alerts_of(
    fleet: &Fleet,
    machine: &Machine,
    answer: &Result<Answered, Silent>,
    now: jiff::Timestamp,
    values: &Values,
) -> Vec<Alert> {
    let moment = Moment::new(fleet, now);
    machine::status(&Declared { fleet, machine, moment: &moment, now, values }, answer).alerts
}

/// `--watch SECS`, or a duration.
fn interval(text: &str) -> Result<Duration, CommandError> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    seconds
        .or_else(|| parse_duration(text).ok())
        .filter(|every| *every >= Duration::from_secs(1))
        .ok_or_else(|| CommandError::usage(format!("--watch {text:?} is no number of seconds above 0")))
}

async fn once(
    cx: &Context,
    args: &StatusArgs,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
) -> Result<Exit, CommandError> {
    let (document, exit) = look(cx, args, connector, fleet, machines, true).await;
    show(cx, args, fleet, &document, Refresh::Never)?;
    Ok(exit)
}

/// The document in the form that was asked for.
fn show(
    cx: &Context,
    args: &StatusArgs,
    fleet: &Fleet,
    document: &StatusDocument,
    refresh: Refresh,
) -> Result<(), CommandError> {
    if let Some(file) = &args.html {
        let page = render_status_page(document, fleet, refresh);
        return fs::write_atomic(file, page.as_bytes(), 0o644)
            .map_err(|error| CommandError::failed(format!("cannot write {}", file.display())).because(error));
    }
    if args.prometheus {
        return cx.ui.answer(&render_metrics(document, &[]));
    }
    if cx.global.json {
        return cx.ui.answer_json(document);
    }
    cx.ui.answer(&render_status(document, fleet, cx.ui.width(), cx.ui.colors_answer()))
}

/// Looks again and again until Ctrl-C: the looks follow each other, or each replaces the page.
async fn repeat(
    cx: &Context,
    args: &StatusArgs,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
    every: Duration,
) -> Result<Exit, CommandError> {
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut is_first = true;
    loop {
        let look = look(cx, args, connector, fleet, machines, is_first);
        let (document, _) = tokio::select! {
            done = look => done,
            _ = &mut interrupted => return Ok(Exit::Interrupted),
        };
        is_first = false;
        show(cx, args, fleet, &document, Refresh::Every(every.as_secs()))?;
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = &mut interrupted => return Ok(Exit::Interrupted),
        }
    }
}

/// One look at all machines: the one value that text, JSON and exit code are made of.
async fn look(
    cx: &Context,
    args: &StatusArgs,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
    is_first: bool,
) -> (StatusDocument, Exit) {
    let chosen: Vec<&Machine> = machines.iter().collect();
    let names = chosen.iter().map(|machine| machine.name.to_string()).collect();
    let mut waiting = Waiting::new(names, is_first && cx.ui.animates());
    let answers = cx
        .probe(connector, fleet, &chosen, |event, answer| {
            waiting.tell(&event, answer.map(Waiting::said));
        })
        .await;
    waiting.finish();
    let now = cx.clock.now();
    let moment = Moment::new(fleet, now);
    let values = cx.values_at_hand(fleet).await;
    let pairs: Vec<(&Machine, &Result<Answered, Silent>)> = chosen.iter().copied().zip(&answers).collect();
    let mut shown: Vec<MachineStatus> = pairs
        .iter()
        .map(|(machine, answer)| {
            machine::status(&Declared { fleet, machine, moment: &moment, now, values: &values }, answer)
        })
        .collect();
    let answering = pairs.iter().filter_map(|(machine, answer)| Some((&machine.name, &answer.as_ref().ok()?.observed)));
    for (name, alert) in cx.ended_unseen(&fleet.name, answering) {
        shown.iter_mut().filter(|machine| machine.name == name.as_str()).for_each(|one| one.alerts.push(alert.clone()));
    }
    let mut shown = with_expectations(cx, fleet, shown, now);
    for machine in &mut shown {
        to_copy(machine, cx.ui.commands());
    }
    let document = StatusDocument {
        schema: "fleetctl.status/1",
        fleet: fleet.name.clone(),
        taken_at: now.to_string(),
        machines: shown,
        slots: fleet::slots(fleet, &pairs, now),
        jobs: fleet::jobs(fleet, &pairs, now),
        transitions: fleet::transitions(fleet, &chosen, now),
        commands: cx.ui.commands().clone(),
    };
    let exit = exit(cx, args, &document, &answers);
    (document, exit)
}

/// Command lines in a machine's alerts, as they are to be copied.
fn to_copy(machine: &mut MachineStatus, commands: &Commands) {
    for alert in &mut machine.alerts {
        commands.mend(&mut alert.message);
        alert.hints.iter_mut().for_each(|hint| commands.mend(hint));
    }
}

/// Adds what the last bench of each machine says about the slots' expectations.
fn with_expectations(
    cx: &Context,
    fleet: &Fleet,
    mut shown: Vec<MachineStatus>,
    now: jiff::Timestamp,
) -> Vec<MachineStatus> {
    for (machine, what) in super::bench::broken_expectations(cx, fleet, now) {
        if let Some(status) = shown.iter_mut().find(|status| machine == *status.name.as_str()) {
            status.alerts.push(alert::alert(&alert::EXPECTATION_MISSED, what));
        }
    }
    shown
}

fn exit(cx: &Context, args: &StatusArgs, document: &StatusDocument, answers: &[Result<Answered, Silent>]) -> Exit {
    let outcomes = document.machines.iter().zip(answers).map(|(machine, answer)| {
        if let Err(silent) = answer {
            return silent.outcome(cx.global.unreachable);
        }
        let differs = machine.drift.state == "drifted" || machine.alerts.iter().any(|alert| alert.severity == "error");
        if args.exit_code && differs { MachineOutcome::Differs } else { MachineOutcome::Succeeded }
    });
    let exit = over_machines(outcomes);
    let slots_differ = args.exit_code && document.slots.iter().any(|slot| slot.state != "ok");
    if exit == Exit::Done && slots_differ { Exit::Differences } else { exit }
}
