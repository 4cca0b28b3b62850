//! `fleetctl models prune`: what nothing on a machine needs; only what is named goes.

use super::super::Context;
use super::super::runtime::block_on;
use super::listing::{self, Site};
use super::script;
use crate::cli::ModelsPruneArgs;
use crate::command::machines::Silent;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Bytes, Fleet, Machine};
use crate::transport::As;
use crate::ui::json::{MachinePrune, PruneDocument, WeightsEntry};
use crate::ui::{prune_text, sanitize};

/// Removing some hundred gigabytes takes seconds on APFS; a sick disk may take longer.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);

pub(super) fn run(cx: &Context, args: &ModelsPruneArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let machines = cx.select(fleet)?;
    let (sites, found) = block_on(async {
        let connector = cx.connector(fleet)?;
        let sites = listing::look(cx, &connector, &machines).await?;
        let mut found: Vec<MachinePrune> =
            machines.iter().zip(&sites).map(|(machine, site)| orphaned(fleet, machine, site)).collect();
        let removal = prune(cx, args, &machines, &sites, &mut found).await;
        connector.close().await;
        removal?;
        Ok((sites, found))
    })?;
    let outcomes = found.iter().zip(&sites).map(|(machine, site)| match site {
        Err(silent) => silent.outcome(cx.global.unreachable),
        Ok(_) if machine.detail.is_some() || !machine.kept.is_empty() => MachineOutcome::Failed,
        Ok(_) => MachineOutcome::Succeeded,
    });
    let exit = over_machines(outcomes);
    let document = PruneDocument { schema: "fleetctl.models-prune/1", machines: found };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&prune_text(&document, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(exit)
}

fn orphaned(fleet: &Fleet, machine: &Machine, site: &Result<Site, Silent>) -> MachinePrune {
    let entries = site.as_ref().map_or_else(|_| Vec::new(), |site| listing::entries(fleet, machine, &site.inventory));
    MachinePrune {
        name: machine.name.to_string(),
        detail: site.as_ref().err().map(ToString::to_string),
        orphaned: entries.into_iter().filter(|entry| entry.state == "orphaned").collect(),
        removed: Vec::new(),
        kept: Vec::new(),
    }
}

/// Removes what is named, where it is orphaned. Errors: a name that is orphaned nowhere; nobody can be asked, or declined.
async fn prune(
    cx: &Context,
    args: &ModelsPruneArgs,
    machines: &[&Machine],
    sites: &[Result<Site, Silent>],
    found: &mut [MachinePrune],
) -> Result<(), CommandError> {
    for directory in &args.directories {
        let is_orphan = |entry: &WeightsEntry| entry.directory == *directory;
        if !found.iter().any(|machine| machine.orphaned.iter().any(is_orphan)) {
            return Err(CommandError::usage(format!("{directory:?} is orphaned on none of these machines"))
                .hint("`fleetctl models prune` without a name lists what is"));
        }
    }
    let named = |entry: &&WeightsEntry| args.directories.contains(&entry.directory);
    let all: Vec<&WeightsEntry> = found.iter().flat_map(|machine| &machine.orphaned).filter(named).collect();
    if all.is_empty() {
        return Ok(());
    }
    let bytes = all.iter().filter_map(|entry| entry.bytes).fold(0, u64::saturating_add);
    if !args.yes {
        for machine in &*found {
            for entry in machine.orphaned.iter().filter(named) {
                cx.ui.status(&format!("  - {}: {}", machine.name, sanitize(&entry.directory)));
            }
        }
        match cx.ui.confirm(&format!("Remove {}? They cannot be brought back.", Bytes(bytes))) {
            Some(true) => {}
            Some(false) => return Err(CommandError::failed("declined: nothing was touched")),
            None => {
                return Err(
                    CommandError::usage("there is no terminal to ask on").hint("--yes removes them without asking")
                );
            }
        }
    }
    for ((machine, site), found) in machines.iter().zip(sites).zip(found) {
        let Ok(site) = site else { continue };
        let directories: Vec<&str> =
            found.orphaned.iter().filter(named).map(|entry| entry.directory.as_str()).collect();
        if directories.is_empty() {
            continue;
        }
        let script = script::remove(&machine.omlx.weights, &listing::serve_directory(machine), &directories);
        match site.remote.run(As::Login, &script, PATIENCE).await {
            Ok(output) => {
                for line in output.text().lines() {
                    match line.split('\t').collect::<Vec<_>>().as_slice() {
                        ["removed", directory] => found.removed.push((*directory).to_owned()),
                        ["kept", directory, why] => found.kept.push(format!("{directory} stays: {why}")),
                        _ => {}
                    }
                }
                found.detail = (output.code != 0 && found.kept.is_empty()).then(|| output.stderr.clone());
            }
            Err(error) => found.detail = Some(error.to_string()),
        }
    }
    Ok(())
}
