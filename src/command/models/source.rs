//! Where a machine takes weights from: the hub's directory, the hub's mount, or the hub by SSH.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::listing;
use super::script::{self, HubKeys};
use crate::fleet::{Address, Fleet, Machine, Weights};
use crate::observe::{WeightsListing, WeightsState};
use crate::transport::{As, Connector, Remote, quote};

/// A mount that does not answer by then hangs: it counts as absent.
const MOUNT_PATIENCE: Duration = Duration::from_secs(10);
/// What a disk may take to list a directory of weights.
const PATIENCE: Duration = Duration::from_mins(1);

/// The hub as the copies of one run share it: connected once, when the first of them needs it.
pub(super) struct HubSide {
    machine: Machine,
    path: String,
    mount: Option<String>,
    connector: Connector,
    reached: OnceCell<Result<(Remote, HubKeys), String>>,
}

/// A source that was found.
#[derive(Clone)]
pub(super) struct Source {
    /// `local`, `mount` or `ssh`.
    pub(super) kind: &'static str,
    /// As rsync takes it, without the slash behind.
    pub(super) from: String,
    /// For `ssh`.
    pub(super) hub: Option<HubKeys>,
    /// Where it is listed: the directory above, and the one that was declared.
    root: String,
    directory: String,
    /// The hub itself, for `ssh`.
    remote: Option<Remote>,
}

impl HubSide {
    /// The hub of a fleet; `None` when it declares none.
    pub(super) fn of(fleet: &Fleet, connector: &Connector) -> Option<Arc<Self>> {
        let (hub, machine) = listing::hub(fleet)?;
        Some(Arc::new(Self {
            machine: machine.clone(),
            path: hub.path.clone(),
            mount: hub.mount.clone(),
            connector: connector.clone(),
            reached: OnceCell::new(),
        }))
    }

    /// Where `machine`, which `remote` reaches, takes these weights from. Errors: why there is no way, and what would make one.
    pub(super) async fn source(&self, machine: &Machine, remote: &Remote, weights: &Weights) -> Result<Source, String> {
        let directory = weights.directory.clone();
        let here = |kind, root: &str| Source {
            kind,
            from: format!("{root}/{directory}"),
            hub: None,
            root: root.to_owned(),
            directory: directory.clone(),
            remote: None,
        };
        if machine.name == self.machine.name {
            return Ok(here("local", &self.path));
        }
        if let Some(mount) = &self.mount {
            let seen = listing::list(remote, mount, None, Some(&[&weights.directory]), MOUNT_PATIENCE).await;
            if seen.is_ok_and(|inventory| inventory.directories.contains_key(&weights.directory)) {
                return Ok(here("mount", mount));
            }
        }
        let (hub, keys) = self.reached.get_or_init(|| self.reach()).await.clone()?;
        let path = format!("{}/{directory}", self.path);
        if quote(&path) != path {
            return Err(format!(
                "{path:?} holds characters that the releases of rsync quote in different ways: rename it, or mount the hub on {}",
                machine.name
            ));
        }
        let to = self.address(machine, remote, &keys).await?;
        Ok(Source {
            kind: "ssh",
            from: format!("{to}:{path}"),
            hub: Some(keys),
            root: self.path.clone(),
            directory,
            remote: Some(hub),
        })
    }

    /// Connects, and asks the hub for its own host keys: what the other machines must meet when they dial it.
    async fn reach(&self) -> Result<(Remote, HubKeys), String> {
        let name = &self.machine.name;
        let remote = self.connector.connect(&self.machine).await.map_err(|error| format!("the hub: {error}"))?;
        let said = remote.run(As::Login, "/bin/cat /etc/ssh/ssh_host_*_key.pub", PATIENCE).await;
        let said = said.map_err(|error| format!("the hub: {error}"))?.text();
        let known: Vec<String> = said
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                Some(format!("{name} {} {}", words.next()?, words.next()?))
            })
            .collect();
        if known.is_empty() {
            return Err(format!("the hub {name} does not show its SSH host keys (/etc/ssh/ssh_host_*_key.pub)"));
        }
        let port = self.machine.ssh_port.map_or(String::new(), |port| format!(" -p {port}"));
        let shell = format!(
            "/usr/bin/ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o HostKeyAlias={name} \
             -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3{port}"
        );
        Ok((remote, HubKeys { known: known.join("\n"), shell }))
    }

    /// The first of the hub's addresses by which the machine gets there.
    async fn address(&self, machine: &Machine, remote: &Remote, keys: &HubKeys) -> Result<String, String> {
        let hub = &self.machine;
        let lan = hub.lan.iter().filter(|_| machine.lan.is_some()).cloned();
        let main = match &hub.address {
            Address::Tailnet(host) | Address::Explicit(host) => Some(host.clone()),
            Address::Local => None,
        };
        let addresses: Vec<String> = lan.chain(main).map(|host| format!("{}@{host}", hub.user)).collect();
        if addresses.is_empty() {
            return Err(format!("the hub {} is this computer: other machines see it by its mount only", hub.name));
        }
        let said = remote.run(As::Login, &script::reach(keys, &addresses), PATIENCE).await;
        let said = said.map_err(|error| error.to_string())?;
        match said.text().lines().next() {
            Some(to) if said.code == 0 => Ok(to.to_owned()),
            _ => {
                let why = said.stderr.lines().last().unwrap_or("no answer").to_owned();
                let mend = if why.contains("Permission denied") {
                    format!(
                        "mount the hub there, or give {} of {} a key of its own and put it into authorized_keys on {} (ssh-keygen, then ssh-copy-id)",
                        machine.user, machine.name, hub.name
                    )
                } else {
                    "mount the hub there, or declare an address of the hub that reaches from there (lan, address)"
                        .to_owned()
                };
                Err(format!("{} does not get to the hub by SSH: {why}; {mend}", machine.name))
            }
        }
    }
}

impl Source {
    /// What lies there now. Errors: it cannot be listed, or is not whole itself.
    pub(super) async fn listing(&self, remote: &Remote) -> Result<WeightsListing, String> {
        let from = self.remote.as_ref().unwrap_or(remote);
        let inventory = listing::list(from, &self.root, None, Some(&[&self.directory]), PATIENCE).await;
        let mut inventory = inventory.map_err(|error| error.to_string())?;
        let Some(listing) = inventory.directories.remove(&self.directory) else {
            return Err(format!("the hub does not have {}/{}", self.root, self.directory));
        };
        match listing.state() {
            WeightsState::Complete => Ok(listing),
            _ => match listing.missing().first() {
                Some(first) => Err(format!("the hub's own copy is incomplete: it lacks {first}")),
                None => Err("the hub's own copy is no readable weights: no config.json or no safetensors".to_owned()),
            },
        }
    }

    /// SHA-256 of every file there, as `shasum` prints them, sorted. Errors: it cannot be read.
    pub(super) async fn sums(&self, remote: &Remote, within: Duration) -> Result<Vec<String>, String> {
        sums(self.remote.as_ref().unwrap_or(remote), &format!("{}/{}", self.root, self.directory), within).await
    }
}

/// SHA-256 of every file below a directory, sorted.
pub(super) async fn sums(remote: &Remote, directory: &str, within: Duration) -> Result<Vec<String>, String> {
    let said = remote.run(As::Login, &script::sums(directory), within).await.map_err(|error| error.to_string())?;
    if said.code != 0 {
        return Err(format!("{directory} cannot be read whole: {}", said.stderr));
    }
    let mut lines: Vec<String> = said.text().lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}
