//! `fleetctl models`: the matrix.

use super::super::Context;
use super::super::runtime::block_on;
use super::listing::{self, Site};
use crate::command::machines::Silent;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Machine};
use crate::transport::Connector;
use crate::ui::json::{HubModels, MachineModels, ModelsDocument};
use crate::ui::models_text;

pub(super) fn run(cx: &Context) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let machines = cx.select(fleet)?;
    let (sites, hub) = block_on(async {
        let connector = cx.connector(fleet)?;
        let sites = listing::look(cx, &connector, &machines).await?;
        let hub = look_at_hub(cx, &connector, fleet, &machines, &sites).await?;
        connector.close().await;
        Ok((sites, hub))
    })?;
    let entries = machines.iter().zip(&sites).map(|(machine, site)| MachineModels {
        name: machine.name.to_string(),
        detail: site.as_ref().err().map(ToString::to_string),
        directory: machine.omlx.weights.clone(),
        free_bytes: site.as_ref().ok().and_then(|site| site.inventory.free),
        weights: site.as_ref().map_or_else(|_| Vec::new(), |site| listing::entries(fleet, machine, &site.inventory)),
    });
    let document = ModelsDocument { schema: "fleetctl.models/1", machines: entries.collect(), hub };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&cx.with_file(&models_text(&document, cx.ui.width(), cx.ui.colors_answer())))?;
    }
    let outcome = |site: &Result<Site, Silent>| match site {
        Ok(_) => MachineOutcome::Succeeded,
        Err(silent) => silent.outcome(cx.global.unreachable),
    };
    Ok(over_machines(sites.iter().map(outcome)))
}

/// What the hub keeps, also where its machine is not among those asked.
async fn look_at_hub(
    cx: &Context,
    connector: &Connector,
    fleet: &Fleet,
    machines: &[&Machine],
    sites: &[Result<Site, Silent>],
) -> Result<Option<HubModels>, CommandError> {
    let Some((hub, machine)) = listing::hub(fleet) else { return Ok(None) };
    let mut answer =
        HubModels { machine: machine.name.to_string(), path: hub.path.clone(), detail: None, weights: Vec::new() };
    let known = machines.iter().position(|other| other.name == machine.name).and_then(|place| sites.get(place));
    let remote = match known {
        Some(Ok(site)) => Ok(site.remote.clone()),
        Some(Err(silent)) => Err(silent.to_string()),
        None => connector.connect(machine).await.map_err(|error| error.to_string()),
    };
    let listed = match remote {
        Ok(remote) => {
            listing::list(&remote, &hub.path, None, Some(&listing::declared_directories(fleet)), cx.timeout()?)
                .await
                .map_err(|error| error.to_string())
        }
        Err(why) => Err(why),
    };
    match listed {
        Ok(inventory) if inventory.has_root == Some(false) => {
            answer.detail = Some(format!("{} is not there: is its disk connected?", hub.path));
        }
        Ok(inventory) => answer.weights = listing::hub_entries(fleet, &inventory),
        Err(why) => answer.detail = Some(why),
    }
    Ok(Some(answer))
}
