//! `fleetctl apply [PLAN]`

use std::path::Path;

use super::carry_out::Run;
use super::planning::{self, Planned};
use super::runtime::block_on;
use super::{Context, FleetFile};
use crate::cli::{ApplyArgs, OnUnreachable};
use crate::error::{CommandError, Kind};
use crate::execute::{self, Cancel, Job, MachineReport, MachineResult, Order, Purpose, Waves};
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::fs;
use crate::plan::{Change, MachinePlan, PlanState, SavedPlan, SavedPlanError};
use crate::transport::Connector;
use crate::ui::{Palette, Progress, plan_text, plural};

/// A saved plan of a thousand machines has a few megabytes.
const LIMIT: u64 = 64 << 20;

pub(crate) fn run(cx: &Context, args: &ApplyArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    cx.show_warnings(&file);
    let mut machines = cx.select(&file.fleet)?;
    let saved = args.plan.as_deref().map(|path| read_saved(path, &file)).transpose()?;
    if let Some(saved) = &saved {
        machines.retain(|machine| saved.machines.iter().any(|one| one.name == machine.name.as_str()));
        if machines.is_empty() {
            return Err(CommandError::usage("the saved plan holds none of the machines that --on selects"));
        }
    }
    let waves = match args.wave.as_deref() {
        Some(text) => Waves::parse(text).map_err(|error| CommandError::usage(format!("--wave {text:?} is {error}")))?,
        None => Waves::one(),
    };
    let order = Order { waves, parallel: usize::from(cx.global.parallel), all_or_nothing: args.all_or_nothing };
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let result = apply(cx, args, &file, &machines, saved.as_ref(), &order, &connector).await;
        connector.close().await;
        result
    })
}

fn read_saved(path: &Path, file: &FleetFile) -> Result<SavedPlan, CommandError> {
    let named = path.display();
    let text = fs::read_text(path, LIMIT).map_err(|error| {
        CommandError::failed(format!("the saved plan {named} cannot be read"))
            .because(error)
            .hint("`fleetctl plan --out FILE` saves one")
    })?;
    let refused = |error: SavedPlanError| {
        let kind = if error == SavedPlanError::Format { Kind::Usage } else { Kind::Refused };
        CommandError::new(kind, format!("{named} cannot be applied"))
            .because(error)
            .hint("make a new plan: fleetctl plan --out FILE")
    };
    let saved = SavedPlan::read(&text).map_err(refused)?;
    saved.check_fleet(&file.fleet).map_err(refused)?;
    Ok(saved)
}

async fn apply(
    cx: &Context,
    args: &ApplyArgs,
    file: &FleetFile,
    machines: &[&Machine],
    saved: Option<&SavedPlan>,
    order: &Order,
    connector: &Connector,
) -> Result<Exit, CommandError> {
    let revision = cx.revision_of(file).await;
    let mut run = cx.begin_run("apply", &file.fleet.name, revision).await;
    let terms = planning::Terms { revision: run.revision.as_ref(), allow_older: args.allow_older };
    let mut planned = cx.plan_machines(connector, file, machines, &terms).await?;
    settle(cx, file, connector, &run, &terms, &mut planned).await?;
    let answering = planned.iter().filter_map(|one| Some((&one.machine.name, one.observed.as_ref()?)));
    cx.close_receipts(&file.fleet.name, answering);
    if let Some(saved) = saved {
        for one in &mut planned {
            hold_to(saved, &mut one.plan);
        }
    }
    let plans: Vec<MachinePlan> = planned.iter().map(|one| one.plan.clone()).collect();
    run.plan = Some(SavedPlan::of(&file.fleet, &plans, cx.clock.now()).digest());
    let names: Vec<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
    let (jobs, others) = split(cx, &file.fleet, args, &run, planned)?;
    if !jobs.is_empty() {
        // Who is asked must see what for; who is not, may have it quiet.
        if !(args.carry_out.yes && cx.ui.is_quiet()) {
            cx.ui.commentary(&plan_text(&plans, cx.ui.width(), Palette::new(cx.ui.colors_commentary())));
        }
        cx.agree(&args.carry_out, &format!("Apply to {}?", plural(jobs.len(), "machine")))?;
    }
    let report = cx.carry_out(connector, &run, jobs, order, others, &names).await;
    cx.answer_report("apply", report)
}

/// What a machine's own runner still works on, begun by the same operator, is awaited first; then that machine is planned again.
async fn settle(
    cx: &Context,
    file: &FleetFile,
    connector: &Connector,
    run: &Run,
    terms: &planning::Terms<'_>,
    planned: &mut [Planned],
) -> Result<(), CommandError> {
    for one in planned.iter_mut() {
        let Some(id) = unfinished(one, &run.who) else { continue };
        let machine = one.machine.clone();
        cx.ui.status(&format!("{}: an earlier apply of yours has not ended; watching it", machine.name));
        let (events, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let cancel = Cancel::default();
        let mut progress = Progress::new(&cx.ui, machine.name.as_str().len());
        let report = {
            let watching = execute::attach(connector, &machine, &id, file.fleet.gate, &cancel, &events);
            tokio::pin!(watching);
            loop {
                tokio::select! {
                    report = &mut watching => break report,
                    Some(event) = seen.recv() => progress.show(&event),
                }
            }
        };
        drop(progress);
        let how = report.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        cx.ui.status(&format!("{}: the earlier apply was {}{how}", machine.name, report.result.as_str()));
        if let Some(again) = cx.plan_machines(connector, file, &[&machine], terms).await?.pop() {
            *one = again;
        }
    }
    Ok(())
}

fn unfinished(planned: &Planned, who: &str) -> Option<String> {
    let result = planned.observed.as_ref()?.result.as_ref()?;
    let text = |name: &str| result.get(name).and_then(serde_json::Value::as_str);
    (text("state") == Some("running") && text("who") == Some(who)).then(|| text("id").map(str::to_owned)).flatten()
}

/// A saved plan holds or it does not: then the machine is refused.
fn hold_to(saved: &SavedPlan, plan: &mut MachinePlan) {
    if !matches!(plan.state, PlanState::Changes | PlanState::InSync) {
        return;
    }
    if let Some(why) = saved.moved_on(plan) {
        plan.state = PlanState::Refused;
        plan.detail = Some(format!("moved on since the plan was saved: {why}"));
        plan.changes.clear();
        plan.transaction = None;
    }
}

/// The machines to be changed, and the reports of the others.
fn split(
    cx: &Context,
    fleet: &Fleet,
    args: &ApplyArgs,
    run: &Run,
    planned: Vec<Planned>,
) -> Result<(Vec<Job>, Vec<MachineReport>), CommandError> {
    let (mut jobs, mut others) = (Vec::new(), Vec::new());
    for one in planned {
        let name = &one.machine.name;
        let result = match one.plan.state {
            PlanState::Changes => {
                if let Some(transaction) = one.plan.transaction {
                    let summary: Vec<String> = one.plan.changes.iter().map(Change::line).collect();
                    let terms = cx.terms(run, &args.carry_out, Purpose::Apply, name.as_str(), &summary)?;
                    let Planned { machine, remote, values, .. } = one;
                    let gateways = fleet.gateway_machines().cloned().collect();
                    jobs.push(Job { machine, remote, transaction, values, terms, gateways });
                    continue;
                }
                MachineResult::Unchanged
            }
            PlanState::InSync => MachineResult::Unchanged,
            PlanState::Refused => MachineResult::Refused,
            PlanState::Unreachable => MachineResult::Unreachable,
            PlanState::Error => MachineResult::Failed,
        };
        let mut report = MachineReport::new(name, result);
        report.detail = one.plan.detail;
        report.notes = one.plan.notes;
        report.generation = one.observed.as_ref().and_then(|observed| observed.record.as_ref()).and_then(|record| {
            record.get("generation").and_then(serde_json::Value::as_u64).and_then(|number| number.try_into().ok())
        });
        report.is_skipped = result == MachineResult::Unreachable && cx.global.unreachable == OnUnreachable::Skip;
        report.is_bug = matches!(one.silent, Some(super::machines::Silent::Bug { .. }));
        others.push(report);
    }
    Ok((jobs, others))
}
