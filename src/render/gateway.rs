//! The gateway on its machines: a configuration a state of the windows, the keys that it reads, its daemon.

use super::daemon::Daemon;
use super::environment::Environment;
use super::units::path_with;
use super::{Entry, Placeholder, SecretId, Text, Unit, UnitKind, gateway_secret, omlx_secret, own_url};
use crate::fleet::{Bind, Fleet, Gateway, Machine, layout};
use crate::slot::gateway::{self, LITELLM_ENVIRONMENT, START_SCRIPT, Secret};
use crate::slot::host;

/// The short name of its daemon.
pub(super) const UNIT: &str = "gateway";

/// LiteLLM's own readiness: 200 once its router is made, without a key (LiteLLM 1.106).
const READINESS: &str = "/health/readiness";

/// What lies on a machine of the gateway.
pub(super) struct GatewayFiles {
    pub(super) unit: (Entry, Unit),
    /// Path and text, all below [`directory`].
    pub(super) files: Vec<(String, Text)>,
    pub(super) environment: Option<Text>,
}

/// STATE/gateway: the gateway's user's, 0750 (machine.md).
pub(super) fn directory() -> String {
    format!("{}/gateway", layout::STATE)
}

/// `LIB/gateway`.
pub(super) const fn start_script() -> &'static str {
    START_SCRIPT
}

/// The gateway of a machine; `None` where none is declared.
pub(super) fn gateway(fleet: &Fleet, machine: &Machine) -> Option<GatewayFiles> {
    let declared = fleet.gateway.as_ref().filter(|gateway| gateway.on.contains(&machine.name))?;
    let files: Vec<(String, Text)> = gateway::files(fleet, machine)
        .into_iter()
        .map(|file| (format!("{}/{}", directory(), file.name), Text::literal(file.text)))
        .collect();
    let mut environment = Environment::default();
    for (name, secret) in gateway::secrets(fleet, machine) {
        if let Some(id) = secret_id(fleet, &secret) {
            environment.set_hole(&name, Placeholder::Secret(id));
        }
    }
    let environment = environment.into_text();
    // The supervisor hands over to a new configuration or callback by itself; a new one of its own, or new keys, it learns from launchd only.
    let supervisor = format!("{}/{}", directory(), gateway::SUPERVISOR_FILE);
    let (mut reads, reloads): (Vec<String>, Vec<String>) =
        files.iter().map(|(path, _)| path.clone()).partition(|path| *path == supervisor);
    reads.extend(environment.is_some().then(|| layout::environment_path(UNIT)));
    let (entry, unit) = daemon(declared, machine, environment.is_some(), reads);
    let mut url = own_url(declared.bind, declared.port);
    url.push(READINESS);
    let unit = Unit { reloads, ready: Some(url), ..unit };
    Some(GatewayFiles { unit: (entry, unit), files, environment })
}

fn secret_id(fleet: &Fleet, secret: &Secret) -> Option<SecretId> {
    match secret {
        Secret::Gateway => gateway_secret(fleet),
        Secret::Omlx(machine) => omlx_secret(fleet, fleet.machines.get(machine)?),
        Secret::Reference(name) => Some(SecretId(format!("shadow.{name}"))),
    }
}

fn daemon(gateway: &Gateway, machine: &Machine, has_keys: bool, reads: Vec<String>) -> (Entry, Unit) {
    let mut arguments = vec![
        layout::script_path(UNIT),
        gateway.program.clone(),
        listens_on(gateway, machine),
        gateway.port.to_string(),
    ];
    if has_keys {
        arguments.splice(0..0, [layout::script_path("with-env"), UNIT.to_owned()]);
    }
    let mut daemon = Daemon::new(UNIT, arguments).run_by(&machine.user, &machine.home);
    daemon.environment_variables.insert("PATH".to_owned(), path_with(&gateway.program));
    daemon.environment_variables.extend(LITELLM_ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned())));
    daemon.working_directory = Some(machine.home.clone());
    daemon.run_at_load = true;
    daemon.keep_alive = true;
    daemon.process_type = Some("Interactive");
    // Its supervisor finishes running streams within 280 s of SIGTERM.
    daemon.exit_timeout = Some(300);
    daemon.soft_resource_limits.insert("NumberOfFiles", 65_536);
    let (entry, unit) = daemon.into_unit(UNIT, UnitKind::Resident, reads);
    (entry, Unit { program: Some(gateway.program.clone()), ..unit })
}

/// The address of its socket: a tailnet address that is not declared by the machine's own tailnet name, which means that address there.
fn listens_on(gateway: &Gateway, machine: &Machine) -> String {
    match gateway.bind {
        Bind::All => "0.0.0.0".to_owned(),
        Bind::Loopback => "127.0.0.1".to_owned(),
        Bind::Address(address) => address.to_string(),
        Bind::Tailnet => machine.tailnet_ip.map_or_else(|| host(machine, Bind::Tailnet), |address| address.to_string()),
    }
}
