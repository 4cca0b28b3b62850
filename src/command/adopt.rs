//! `fleetctl adopt MACHINE`: an ordinary transaction that first ends the oMLX that runs there already. Its job is stopped and disabled right before ours starts,
//! so that no two servers hold one port; its definition stays, and a rollback loads it again.

use std::sync::Arc;

use super::runtime::block_on;
use super::{Context, planning};
use crate::cli::AdoptArgs;
use crate::error::{CommandError, Kind};
use crate::execute::{Job, Order, Purpose, Waves};
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::observe::{ForeignEngine, Observed};
use crate::plan::{Change, Drain, PlanState, UnitAction, UnitKind, UnitStep};
use crate::ui::{Palette, plan_text, sanitize};

pub(crate) fn run(cx: &Context, args: &AdoptArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    cx.show_warnings(&file);
    let machine = cx.one_machine(&file.fleet, &args.machine)?;
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let values = cx.values(&file.fleet, &[machine]).await?;
        let fleet = Arc::new(file.fleet.clone());
        let answer = cx.probe(&connector, &fleet, &[machine], |_, _| {}).await.pop();
        let answered = match answer {
            Some(Ok(answered)) => answered,
            Some(Err(silent)) => {
                let hints = silent.hints();
                let error = CommandError::failed(format!("{} cannot be asked", machine.name)).because(silent);
                return Err(hints.into_iter().fold(error, CommandError::hint));
            }
            None => return Err(CommandError::failed(format!("{} was not asked", machine.name))),
        };
        let mut observed = answered.observed;
        let taken = take_over(machine, &mut observed)?;
        let revision = cx.revision_of(&file).await;
        let mut run = cx.begin_run("adopt", &file.fleet.name, revision).await;
        let terms = planning::Terms { revision: run.revision.as_ref(), allow_older: false };
        let (values, mut plan) = cx.plan_one(&fleet, machine, &observed, &values, &terms).await;
        let Some(mut transaction) = plan.transaction.take().filter(|_| plan.state == PlanState::Changes) else {
            let why = plan.detail.unwrap_or_else(|| "there is nothing to change there".to_owned());
            return Err(CommandError::new(Kind::Refused, format!("{} cannot be adopted: {why}", machine.name)));
        };
        transaction.units.splice(0..0, taken.iter().map(step));
        transaction.drain = Drain::Engine;
        cx.ui.commentary(&said(&fleet, machine, &observed, &taken));
        cx.ui.commentary(&plan_text(
            std::slice::from_ref(&plan),
            cx.ui.width(),
            Palette::new(cx.ui.colors_commentary()),
        ));
        cx.agree(&args.carry_out, &format!("Adopt {}?", machine.name))?;
        let ended = taken.iter().map(|foreign| format!("adopted {}", named(foreign)));
        let summary: Vec<String> = ended.chain(plan.changes.iter().map(Change::line)).collect();
        run.plan = None;
        let terms = cx.terms(&run, &args.carry_out, Purpose::Apply, machine.name.as_str(), &summary)?;
        let gateways = file.fleet.gateway_machines().cloned().collect();
        let remote = Some(answered.remote);
        let job = Job { machine: machine.clone(), remote, transaction, values, terms, gateways };
        let order = Order { waves: Waves::one(), parallel: 1, all_or_nothing: false };
        let report = cx.carry_out(&connector, &run, vec![job], &order, Vec::new(), &[machine.name.as_str()]).await;
        connector.close().await;
        cx.answer_report("adopt", report)
    })
}

fn named(foreign: &ForeignEngine) -> &str {
    foreign.label.as_deref().unwrap_or(&foreign.command)
}

/// The jobs that end, taken out of what the planner sees: it plans as if they were gone. Errors: there is none, or one that no job runs.
fn take_over(machine: &Machine, observed: &mut Observed) -> Result<Vec<ForeignEngine>, CommandError> {
    let refused = |text: String| CommandError::new(Kind::Refused, text);
    let name = &machine.name;
    if observed.foreign.is_empty() {
        return Err(refused(format!("{name} runs no oMLX that is not fleetctl's: there is nothing to adopt"))
            .hint("`fleetctl apply` is enough"));
    }
    for foreign in &observed.foreign {
        if foreign.target().is_none() {
            let pid = foreign.pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            return Err(refused(format!(
                "{name}: no job of launchd runs `{}`{pid}, so nothing could start it again after a rollback",
                sanitize(&foreign.command)
            ))
            .hint(format!("`fleetctl doctor {name}` prints the command that ends it; then `fleetctl apply`")));
        }
    }
    let taken = std::mem::take(&mut observed.foreign);
    let is_taken = |pid: u32, command: &str| taken.iter().any(|one| one.pid == Some(pid)) || command.contains("omlx");
    for owners in observed.listeners.values_mut() {
        owners.retain(|owner| !is_taken(owner.pid, &owner.command));
    }
    Ok(taken)
}

fn step(foreign: &ForeignEngine) -> UnitStep {
    UnitStep {
        name: named(foreign).to_owned(),
        label: foreign.target().unwrap_or_else(|| named(foreign).to_owned()),
        kind: UnitKind::Resident,
        plist: foreign.plist.clone().unwrap_or_default(),
        log: None,
        action: UnitAction::TakeOver,
        ready: None,
    }
}

/// What ends, what is kept, and what is not.
fn said(fleet: &Fleet, machine: &Machine, observed: &Observed, taken: &[ForeignEngine]) -> String {
    let mut text = format!("{}: taking over\n", machine.name);
    for foreign in taken {
        let pid = foreign.pid.map_or(String::new(), |pid| format!(", pid {pid}"));
        let plist = foreign.plist.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "  stops and disables {}{pid}; {} is kept, `fleetctl rollback {}` loads it again\n",
            sanitize(named(foreign)),
            sanitize(plist),
            machine.name
        ));
    }
    let models = observed.engine.models.got().and_then(|models| models.get("models")?.as_array().cloned());
    let ids: Vec<String> =
        models.iter().flatten().filter_map(|model| model.get("id")?.as_str().map(str::to_owned)).collect();
    let (kept, lost): (Vec<_>, Vec<_>) =
        ids.iter().partition(|id| fleet.served_on(&machine.name).any(|served| served.name == id.as_str()));
    for id in kept {
        text.push_str(&format!("  keeps the name {}\n", sanitize(id)));
    }
    for id in lost {
        text.push_str(&format!("  {} answers now and is not declared: it will not answer any more\n", sanitize(id)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{self, Path, PortOwner};
    use crate::{render, testing};

    fn tried(foreign: Option<(Option<&str>, &str)>) -> Result<(Vec<String>, usize), String> {
        let fleet = testing::example();
        let machine = fleet.machines.get("mac-mini1").expect("declared");
        let ask = super::super::ask::ask(
            &fleet,
            machine,
            &render::bundle(&fleet, machine),
            std::time::Duration::from_secs(1),
        );
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut observed = observe::observed(&machine.name, Path::Lan, now, &ask, b"", "n");
        let owner = |pid, command: &str| PortOwner { pid, user: None, command: command.to_owned() };
        observed.listeners.insert(8000, vec![owner(7, "python"), owner(8, "nc -l 8000")]);
        observed.foreign.extend(foreign.map(|(domain, plist)| ForeignEngine {
            label: domain.map(|_| "homebrew.mxcl.omlx".to_owned()),
            domain: domain.map(str::to_owned),
            plist: Some(plist.to_owned()),
            pid: Some(7),
            command: "omlx serve".to_owned(),
        }));
        let taken = take_over(machine, &mut observed).map_err(|error| error.to_string())?;
        let labels = taken.iter().map(|foreign| step(foreign).label).collect();
        Ok((labels, observed.listeners[&8000].len()))
    }

    #[test]
    fn jobs_are_taken_over_and_somebody_elses_port_is_not() {
        let daemon = tried(Some((Some("system"), "/Library/LaunchDaemons/homebrew.mxcl.omlx.plist")));
        assert_eq!(daemon, Ok((vec!["homebrew.mxcl.omlx".to_owned()], 1)));
        let agent = tried(Some((Some("gui/501"), "/Users/ops/Library/LaunchAgents/homebrew.mxcl.omlx.plist")));
        assert_eq!(agent, Ok((vec!["gui/501/homebrew.mxcl.omlx".to_owned()], 1)));
        insta::assert_snapshot!(tried(Some((None, ""))).unwrap_err(), @"mac-mini1: no job of launchd runs `omlx serve` (pid 7), so nothing could start it again after a rollback");
        insta::assert_snapshot!(tried(None).unwrap_err(), @"mac-mini1 runs no oMLX that is not fleetctl's: there is nothing to adopt");
    }
}
