//! What lies on machines, and how it stands to what they need.

use std::time::Duration;

use super::super::Context;
use super::super::machines::{Silent, limit};
use super::script;
use crate::error::CommandError;
use crate::fleet::{Fleet, Hub, Machine, Weights};
use crate::observe::{Inventory, WeightsListing, WeightsState, remaining};
use crate::transport::{As, Connector, Remote, RunError};
use crate::ui::Waiting;
use crate::ui::json::WeightsEntry;

/// A machine that answered.
pub(super) struct Site {
    /// The connection.
    pub(super) remote: Remote,
    /// What lies there.
    pub(super) inventory: Inventory,
}

/// Lists below a directory of a machine. Errors: it does not answer in time.
pub(super) async fn list(
    remote: &Remote,
    root: &str,
    serve: Option<&str>,
    directories: Option<&[&str]>,
    within: Duration,
) -> Result<Inventory, RunError> {
    let said = remote.run(As::Login, &script::list(root, serve, directories), within).await?;
    Ok(Inventory::parse(&said.text()))
}

/// Asks machines what lies below their directories of weights.
pub(super) async fn look(
    cx: &Context,
    connector: &Connector,
    machines: &[&Machine],
) -> Result<Vec<Result<Site, Silent>>, CommandError> {
    let timeout = cx.timeout()?;
    let names = machines.iter().map(|machine| machine.name.to_string()).collect();
    let mut waiting = Waiting::new(names, cx.ui.animates());
    let work = |machine: Machine| {
        let connector = connector.clone();
        async move {
            let began = tokio::time::Instant::now();
            let remote = connector.connect(&machine).await?;
            let within = remaining(timeout, began.elapsed());
            let serve = serve_directory(&machine);
            let inventory = list(&remote, &machine.omlx.weights, Some(&serve), None, within).await?;
            Ok(Site { remote, inventory })
        }
    };
    let deadline = Some(limit(timeout));
    let sites = cx
        .each_machine(machines, deadline, work, |event, answer| waiting.tell(&event, answer.map(Waiting::said)))
        .await;
    waiting.finish();
    Ok(sites)
}

/// Where oMLX's links are (machine.md).
pub(super) fn serve_directory(machine: &Machine) -> String {
    format!("{}/serve", machine.omlx.base)
}

/// What a machine needs, and what lies there that it does not.
pub(super) fn entries(fleet: &Fleet, machine: &Machine, inventory: &Inventory) -> Vec<WeightsEntry> {
    let needed = fleet.weights_needed_on(&machine.name);
    let mut entries: Vec<WeightsEntry> = needed
        .iter()
        .map(|weights| {
            let served = fleet.served_on(&machine.name).filter(|served| uses(fleet, served, weights));
            let served = served.map(|served| served.name.to_string()).collect();
            WeightsEntry { served, ..entry(weights, inventory.directories.get(&weights.directory)) }
        })
        .collect();
    let kept = kept_for_others(fleet, machine);
    for (directory, listing) in &inventory.directories {
        if needed.iter().any(|weights| weights.directory == *directory) {
            continue;
        }
        let declared = fleet.weights.iter().find(|weights| weights.directory == *directory);
        entries.push(match declared.filter(|_| kept) {
            Some(weights) => entry(weights, Some(listing)),
            None => orphan(declared, directory, listing),
        });
    }
    entries
}

/// Whether the machine's own directory of weights is the hub's: then what other machines need has its place there.
fn kept_for_others(fleet: &Fleet, machine: &Machine) -> bool {
    fleet.hub.as_ref().is_some_and(|hub| hub.on.contains(&machine.name) && hub.path == machine.omlx.weights)
}

fn uses(fleet: &Fleet, served: &crate::fleet::Served, weights: &Weights) -> bool {
    served.model == weights.name
        || fleet
            .profiles
            .get(&served.profile)
            .is_some_and(|profile| profile.drafts.values().any(|draft| *draft == weights.name))
}

/// The declared weights that the hub keeps.
pub(super) fn hub_entries(fleet: &Fleet, inventory: &Inventory) -> Vec<WeightsEntry> {
    fleet.weights.iter().map(|weights| entry(weights, inventory.directories.get(&weights.directory))).collect()
}

/// The directories of all declared weights.
pub(super) fn declared_directories(fleet: &Fleet) -> Vec<&str> {
    fleet.weights.iter().map(|weights| weights.directory.as_str()).collect()
}

/// The hub and its machine. Errors: the fleet declares none.
pub(super) fn hub(fleet: &Fleet) -> Option<(&Hub, &Machine)> {
    let hub = fleet.hub.as_ref()?;
    Some((hub, fleet.machines.get(hub.on.first()?)?))
}

fn entry(weights: &Weights, listing: Option<&WeightsListing>) -> WeightsEntry {
    let state = match listing.map(WeightsListing::state) {
        None | Some(WeightsState::Missing) => "absent",
        Some(WeightsState::Complete) => "complete",
        Some(WeightsState::Incomplete | WeightsState::Broken) => "incomplete",
    };
    WeightsEntry {
        name: Some(weights.name.to_string()),
        directory: weights.directory.clone(),
        state,
        bytes: listing.map(WeightsListing::bytes),
        declared_bytes: Some(weights.size.get()),
        missing: listing.into_iter().flat_map(WeightsListing::missing).map(str::to_owned).collect(),
        served: Vec::new(),
    }
}

fn orphan(declared: Option<&Weights>, directory: &str, listing: &WeightsListing) -> WeightsEntry {
    WeightsEntry {
        name: declared.map(|weights| weights.name.to_string()),
        directory: directory.to_owned(),
        state: "orphaned",
        bytes: Some(listing.bytes()),
        declared_bytes: declared.map(|weights| weights.size.get()),
        missing: Vec::new(),
        served: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn needed_lacking_and_orphaned() {
        let fleet = testing::example();
        let studio = fleet.machines.get("mac-studio1").expect("declared");
        let inventory = Inventory::parse(
            "root\ndirectory\tQwen3.6-27B-MLX-8bit\nfile\tQwen3.6-27B-MLX-8bit\t5\t1\tconfig.json\nfile\tQwen3.6-27B-MLX-8bit\t95\t1\tm.safetensors\n\
             directory\tQwen3.6-2B-MLX-4bit\nfile\tQwen3.6-2B-MLX-4bit\t7\t1\tm.safetensors\ndirectory\told\nend\n",
        );
        let said: Vec<String> = entries(&fleet, studio, &inventory)
            .into_iter()
            .map(|entry| format!("{} {} {:?} {}", entry.directory, entry.state, entry.bytes, entry.served.join("+")))
            .collect();
        assert_eq!(
            said,
            [
                "Qwen3.6-35B-A3B-Abliterated-MLX-8bit absent None moe-dflash+moe-batched",
                "Qwen3.6-35B-A3B-DFlash absent None moe-dflash",
                "Qwen3.6-27B-MLX-8bit complete Some(100) dense-thinking",
                "snowflake-arctic-embed-l-v2.0-8bit absent None embed-arctic",
                "Qwen3.6-2B-MLX-4bit orphaned Some(7) ",
                "old orphaned Some(0) ",
            ]
        );
        let hub =
            testing::fleet(&include_str!("../../../fleet.toml").replace("\"~/models\"", "\"/Volumes/OWC/models\""));
        let studio = hub.machines.get("mac-studio1").expect("declared");
        let kept = entries(&hub, studio, &inventory);
        let small = kept.iter().find(|entry| entry.directory == "Qwen3.6-2B-MLX-4bit").expect("listed");
        assert_eq!(small.state, "incomplete", "the hub keeps it for others");
    }
}
