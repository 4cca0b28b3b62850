//! `fleetctl models sync [NAME]`: every machine gets what it needs and lacks.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::super::Context;
use super::super::carry_out::press_on_signals;
use super::super::runtime::block_on;
use super::listing::{self, Site};
use super::script::Owner;
use super::source::HubSide;
use super::transfer::{self, Transfer};
use crate::cli::{ModelsSyncArgs, OnUnreachable};
use crate::command::machines::Silent;
use crate::config;
use crate::error::{CommandError, Kind};
use crate::execute::Cancel;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Bytes, Fleet, Machine, Weights};
use crate::observe::WeightsState;
use crate::transport::{Connector, Fanned, Remote, Width, fan_out, nonce};
use crate::ui::json::{SyncDocument, TransferEntry};
use crate::ui::{TransferStep, Transfers, sync_text};

pub(super) fn run(cx: &Context, args: &ModelsSyncArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let machines = cx.select(fleet)?;
    let margin: Bytes = args
        .keep_free
        .parse()
        .map_err(|error| CommandError::usage(format!("--keep-free {:?} is {error}", args.keep_free)))?;
    let only = args.name.as_deref().map(|name| weights(fleet, name)).transpose()?;
    let cancel = Cancel::default();
    let transfers = block_on(async {
        let connector = cx.connector(fleet)?;
        let Some(hub) = HubSide::of(fleet, &connector) else {
            return Err(CommandError::new(Kind::Failed, "the fleet declares no hub to copy from")
                .hint("[hub] in the fleet file says where weights are kept, and how the machines see it"));
        };
        let sites = listing::look(cx, &connector, &machines).await?;
        let watch = tokio::spawn(press_on_signals(cancel.clone()));
        let who = cx.who().await;
        let order = Order { fleet, args, margin, only, hub: &hub, connector: &connector, who };
        let done = order.carry_out(cx, &machines, sites, &cancel).await;
        watch.abort();
        connector.close().await;
        Ok(done)
    })?;
    let exit = exit(cx, &machines, &transfers, &cancel);
    let document = SyncDocument { schema: "fleetctl.models-sync/1", transfers };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&sync_text(&document, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(exit)
}

/// The weights of a name, or of a directory. Errors: there are none (usage), with the near ones.
fn weights<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Weights, CommandError> {
    let by_directory = || fleet.weights.iter().find(|weights| weights.directory == name);
    fleet.weights.get(name).or_else(by_directory).ok_or_else(|| {
        let error = CommandError::usage(format!("there are no weights {name:?} in [models]"));
        match config::suggestion(name, fleet.weights.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// What is to be copied, and by what.
struct Order<'a> {
    fleet: &'a Fleet,
    args: &'a ModelsSyncArgs,
    margin: Bytes,
    only: Option<&'a Weights>,
    hub: &'a Arc<HubSide>,
    connector: &'a Connector,
    /// `user@host` of the laptop.
    who: String,
}

impl Order<'_> {
    async fn carry_out(
        &self,
        cx: &Context,
        machines: &[&Machine],
        sites: Vec<Result<Site, Silent>>,
        cancel: &Cancel,
    ) -> Vec<TransferEntry> {
        let mut done: Vec<TransferEntry> = Vec::new();
        let mut jobs: Vec<(Transfer, Remote)> = Vec::new();
        for (machine, site) in machines.iter().zip(sites) {
            let needed = self.fleet.weights_needed_on(&machine.name);
            for weights in needed.into_iter().filter(|weights| self.only.is_none_or(|only| only.name == weights.name)) {
                match &site {
                    Err(silent) => done.push(result(machine, weights, "unreachable", Some(silent.to_string()))),
                    Ok(site) => match self.job(machine, weights, site) {
                        Some(job) => jobs.push((job, site.remote.clone())),
                        None => done.push(present(machine, weights, site)),
                    },
                }
            }
        }
        let labels: Vec<String> =
            jobs.iter().map(|(job, _)| format!("{} {}", job.machine.name, job.weights.name)).collect();
        let names: Vec<(Machine, Weights)> =
            jobs.iter().map(|(job, _)| (job.machine.clone(), job.weights.clone())).collect();
        let copied = side_by_side(cx, jobs, labels, usize::from(self.args.transfers), cancel).await;
        done.extend(copied.into_iter().zip(&names).map(|(copied, (machine, weights))| match copied {
            Fanned::Done(entry) => entry,
            Fanned::TimedOut(_) => result(machine, weights, "failed", None),
            Fanned::Panicked(why) => result(machine, weights, "failed", Some(format!("a bug in fleetctl: {why}"))),
        }));
        let place = |entry: &TransferEntry| machines.iter().position(|machine| machine.name == *entry.machine.as_str());
        done.sort_by_key(place);
        done
    }

    /// The copy that is needed, or the comparison that was asked for; `None` where the weights are whole and nobody wants them compared.
    fn job(&self, machine: &Machine, weights: &Weights, site: &Site) -> Option<Transfer> {
        let here = site.inventory.directories.get(&weights.directory);
        let is_whole = here.is_some_and(|here| here.state() == WeightsState::Complete);
        if is_whole && !self.args.checksum {
            return None;
        }
        Some(Transfer {
            machine: machine.clone(),
            weights: weights.clone(),
            hub: Arc::clone(self.hub),
            connector: self.connector.clone(),
            here: here.cloned(),
            free: site.inventory.free,
            margin: self.margin.get(),
            checksum: self.args.checksum,
            is_whole,
            owner: Owner { run: nonce(), who: self.who.clone() },
        })
    }
}

/// All copies, so many at once, with a bar each.
async fn side_by_side(
    cx: &Context,
    jobs: Vec<(Transfer, Remote)>,
    labels: Vec<String>,
    parallel: usize,
    cancel: &Cancel,
) -> Vec<Fanned<TransferEntry>> {
    let (steps, mut seen) = mpsc::unbounded_channel();
    let items: Vec<_> = jobs.into_iter().enumerate().collect();
    let work = |(place, (job, remote)): (usize, (Transfer, Remote))| {
        let (steps, cancel) = (steps.clone(), cancel.clone());
        async move {
            let tell = move |step: TransferStep| {
                // Nobody watches any more: then nobody needs to know.
                drop(steps.send((place, step)));
            };
            if cancel.is_stopped() {
                return result(&job.machine, &job.weights, "interrupted", Some("not begun".to_owned()));
            }
            transfer::run(&job, remote, &cancel, &tell).await
        }
    };
    let mut bars = Transfers::new(&cx.ui, labels);
    let all = fan_out(items, Width { parallel, deadline: None }, work, |_, _| {});
    tokio::pin!(all);
    let results = loop {
        tokio::select! {
            results = &mut all => break results,
            Some((place, step)) = seen.recv() => bars.show(place, &step),
        }
    };
    while let Ok((place, step)) = seen.try_recv() {
        bars.show(place, &step);
    }
    results
}

fn present(machine: &Machine, weights: &Weights, site: &Site) -> TransferEntry {
    let bytes = site.inventory.directories.get(&weights.directory).map(crate::observe::WeightsListing::bytes);
    TransferEntry { bytes, ..result(machine, weights, "present", None) }
}

fn result(machine: &Machine, weights: &Weights, result: &'static str, detail: Option<String>) -> TransferEntry {
    TransferEntry {
        machine: machine.name.to_string(),
        name: weights.name.to_string(),
        result,
        source: None,
        bytes: None,
        seconds: None,
        interruptions: 0,
        detail,
    }
}

/// Each machine by the worst of its copies; a machine that needs nothing has succeeded.
fn exit(cx: &Context, machines: &[&Machine], transfers: &[TransferEntry], cancel: &Cancel) -> Exit {
    if cancel.is_stopped() {
        return Exit::Interrupted;
    }
    let outcomes = machines.iter().map(|machine| {
        let results: Vec<&str> = transfers
            .iter()
            .filter(|transfer| machine.name == *transfer.machine.as_str())
            .map(|transfer| transfer.result)
            .collect();
        let any = |wanted: &str| results.contains(&wanted);
        if any("unreachable") && cx.global.unreachable == OnUnreachable::Skip {
            MachineOutcome::Absent
        } else if any("unreachable") || any("failed") {
            MachineOutcome::Failed
        } else if any("refused") {
            MachineOutcome::Refused
        } else {
            MachineOutcome::Succeeded
        }
    });
    over_machines(outcomes)
}
