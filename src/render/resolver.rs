//! The resolver service on its machines: the fleet in canonical form, the keys that it asks with, its daemon.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::environment::Environment;
use super::units::path_with;
use super::{Entry, Placeholder, SecretId, Text, Unit, UnitKind, own_url, secret_sources};
use crate::fleet::{Fleet, Machine, Resolver, SecretSource, layout};

/// The short name of its daemon.
pub(super) const UNIT: &str = "resolver";

/// What lies on a machine that runs it.
pub(super) struct ResolverFiles {
    pub(super) unit: (Entry, Unit),
    pub(super) fleet: (String, Text),
    pub(super) environment: Option<Text>,
}

/// The resolver of a machine; `None` where none is declared.
pub(super) fn resolver(fleet: &Fleet, machine: &Machine) -> Option<ResolverFiles> {
    let resolver = fleet.resolver.as_ref().filter(|resolver| resolver.on.contains(&machine.name))?;
    let path = format!("{}/resolver/fleet.json", layout::STATE);
    let variables = variables(fleet);
    let mut environment = Environment::default();
    for (name, id) in &variables {
        environment.set_hole(name, Placeholder::Secret(id.clone()));
    }
    let environment = environment.into_text();
    let unit = daemon(resolver, machine, &path, environment.is_some());
    Some(ResolverFiles { unit, fleet: (path, Text::literal(canonical(fleet))), environment })
}

fn daemon(resolver: &Resolver, machine: &Machine, fleet: &str, has_keys: bool) -> (Entry, Unit) {
    let mut arguments: Vec<String> = [resolver.program.as_str(), "-f", fleet, "resolver"].map(str::to_owned).into();
    let mut reads = vec![fleet.to_owned()];
    if has_keys {
        arguments.splice(0..0, [layout::script_path("with-env"), UNIT.to_owned()]);
        reads.push(layout::environment_path(UNIT));
    }
    let mut daemon = Daemon::new(UNIT, arguments).run_by(&machine.user, &machine.home);
    daemon.environment_variables.insert("PATH".to_owned(), path_with(&resolver.program));
    daemon.working_directory = Some(machine.home.clone());
    daemon.run_at_load = true;
    daemon.keep_alive = true;
    daemon.process_type = Some("Interactive");
    daemon.exit_timeout = Some(10);
    let (entry, unit) = daemon.into_unit(UNIT, UnitKind::Resident, reads);
    let mut url = own_url(resolver.bind, resolver.port);
    url.push("/health");
    (entry, Unit { program: Some(resolver.program.clone()), ready: Some(url), ..unit })
}

/// The keys of the machines' oMLX by the variable that holds each there. A key from a variable of the laptop keeps that name; a file or a command of the
/// laptop is not on the machine, so its key gets a name of ours.
fn variables(fleet: &Fleet) -> BTreeMap<String, SecretId> {
    let asked = |id: &SecretId| id.0 == "omlx" || id.0.starts_with("omlx.");
    let sources = secret_sources(fleet).into_iter().filter(|(id, _)| asked(id));
    sources.map(|(id, source)| (variable(&id, &source), id)).collect()
}

fn variable(id: &SecretId, source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => name.clone(),
        SecretSource::File(_) | SecretSource::Command(_) => {
            let word: String =
                id.0.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            format!("FLEETCTL_SECRET_{word}")
        }
    }
}

/// The validated fleet without comments, with the keys' sources as they are on the machine.
fn canonical(fleet: &Fleet) -> String {
    let mut document = fleet.canonical.clone();
    for (id, source) in secret_sources(fleet) {
        let machine = match id.0.as_str() {
            "omlx" => None,
            own => own.strip_prefix("omlx."),
        };
        if id.0 != "omlx" && machine.is_none() {
            continue;
        }
        let table = match machine {
            None => Some(&mut document),
            Some(name) => document.get_mut("machines").and_then(|machines| machines.get_mut(name)),
        };
        if let Some(Value::Object(engine)) = table.and_then(|table| table.get_mut("omlx")) {
            engine.insert("api_key".to_owned(), json!({"env": variable(&id, &source)}));
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn keys_that_only_the_laptop_can_find_get_a_variable_of_ours() {
        let text = include_str!("../../fleet.toml")
            .replace("api_key = { env = \"FLEET_OMLX_API_KEY\" }", "api_key = { command = [\"pass\", \"omlx\"] }")
            .replace("[machines.mac-mini2]", "[machines.mac-mini2]\nomlx.api_key = { file = \"~/.key\" }");
        let fleet = testing::fleet(&text);
        let machine = fleet.machines.get("mac-mini1").expect("declared");
        let files = resolver(&fleet, machine).expect("declared there");
        insta::assert_snapshot!(files.environment.expect("keys").shown(), @"
        FLEETCTL_SECRET_OMLX={{secret:omlx}}
        FLEETCTL_SECRET_OMLX_MAC_MINI2={{secret:omlx.mac-mini2}}
        ");
        let read = testing::fleet(&files.fleet.1.shown());
        let source = |machine: &str| read.machines.get(machine).and_then(|machine| machine.omlx.api_key.clone());
        assert_eq!(source("mac-studio1"), Some(SecretSource::Env("FLEETCTL_SECRET_OMLX".to_owned())));
        assert_eq!(source("mac-mini2"), Some(SecretSource::Env("FLEETCTL_SECRET_OMLX_MAC_MINI2".to_owned())));
        assert!(resolver(&fleet, fleet.machines.get("mac-mini2").expect("declared")).is_none());
    }

    #[test]
    fn what_the_service_reads_is_the_same_fleet() {
        let fleet = testing::example();
        let files = resolver(&fleet, fleet.machines.get("mac-mini1").expect("declared")).expect("declared there");
        let read = testing::fleet(&files.fleet.1.shown());
        assert_eq!(read, fleet);
        assert_eq!(files.environment.expect("a key").shown(), "FLEET_OMLX_API_KEY={{secret:omlx}}\n");
    }
}
