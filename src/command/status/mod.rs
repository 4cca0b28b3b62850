//! `fleetctl status`

pub(super) mod alert;
mod clockwork;
mod fleet;
mod machine;

use std::sync::Arc;
use std::time::Duration;

use self::machine::Declared;
use super::Context;
use super::dispatch::block_on;
use super::machines::{Answered, Silent};
use crate::cli::StatusArgs;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Machine, parse_duration};
use crate::schedule::Moment;
use crate::transport::Connector;
use crate::ui::json::{Alert, StatusDocument};
use crate::ui::{Waiting, render_status};

pub(crate) fn run(cx: &Context, args: &StatusArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machines: Vec<Machine> = cx.select(&file.fleet)?.into_iter().cloned().collect();
    let fleet = Arc::new(file.fleet);
    let every = args.watch.as_deref().map(interval).transpose()?;
    block_on(async {
        let connector = cx.connector(&fleet)?;
        let done = match every {
            None => once(cx, args, &connector, &fleet, &machines).await,
            Some(every) => watch(cx, args, &connector, &fleet, &machines, every).await,
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
) -> Vec<Alert> {
    let moment = Moment::new(fleet, now);
    machine::status(&Declared { fleet, machine, moment: &moment, now }, answer).alerts
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
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&render_status(&document, fleet, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(exit)
}

/// Looks again and again until Ctrl-C. On a terminal each look replaces the last one; elsewhere they follow each other.
async fn watch(
    cx: &Context,
    args: &StatusArgs,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
    every: Duration,
) -> Result<Exit, CommandError> {
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let replaces = cx.ui.answers_terminal() && !cx.global.json;
    let mut is_first = true;
    loop {
        let look = look(cx, args, connector, fleet, machines, is_first);
        let (document, _) = tokio::select! {
            done = look => done,
            _ = &mut interrupted => return Ok(Exit::Interrupted),
        };
        is_first = false;
        if cx.global.json {
            cx.ui.answer_json(&document)?;
        } else {
            let text = render_status(&document, fleet, cx.ui.width(), cx.ui.colors_answer());
            // Home, the new lines each clearing what stood there, then everything below: no flicker.
            let text = if replaces { format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n")) } else { text };
            cx.ui.answer(&text)?;
        }
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
    let pairs: Vec<(&Machine, &Result<Answered, Silent>)> = chosen.iter().copied().zip(&answers).collect();
    let shown = pairs
        .iter()
        .map(|(machine, answer)| machine::status(&Declared { fleet, machine, moment: &moment, now }, answer))
        .collect();
    let document = StatusDocument {
        schema: "fleetctl.status/1",
        fleet: fleet.name.clone(),
        taken_at: now.to_string(),
        machines: shown,
        slots: fleet::slots(fleet, &pairs, now),
        jobs: fleet::jobs(fleet, &pairs, now),
        transitions: fleet::transitions(fleet, &chosen, now),
    };
    let exit = exit(cx, args, &document, &answers);
    (document, exit)
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
