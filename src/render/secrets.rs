//! Which secrets a fleet has, by the ids that stand in placeholders. Never the secrets.

use std::collections::BTreeMap;

use super::SecretId;
use crate::fleet::{Fleet, Machine, SecretSource};

/// The id of the key of a machine's oMLX: `omlx`, or `omlx.MACHINE` where the machine's own table declares another. `None`: it has no key.
pub fn omlx_secret(fleet: &Fleet, machine: &Machine) -> Option<SecretId> {
    machine.omlx.api_key.as_ref()?;
    let own = ["machines", machine.name.as_str(), "omlx", "api_key"]
        .iter()
        .try_fold(&fleet.canonical, |table, name| table.get(name))
        .is_some();
    Some(SecretId(if own { format!("omlx.{}", machine.name) } else { "omlx".to_owned() }))
}

/// The id of the gateway's key. `None`: there is no gateway, or it has no key.
pub fn gateway_secret(fleet: &Fleet) -> Option<SecretId> {
    fleet.gateway.as_ref()?.api_key.as_ref().map(|_| SecretId("gateway".to_owned()))
}

/// Where each secret of the fleet is found.
pub fn secret_sources(fleet: &Fleet) -> BTreeMap<SecretId, SecretSource> {
    let mut sources = BTreeMap::new();
    for machine in fleet.machines.iter() {
        if let Some((id, source)) = omlx_secret(fleet, machine).zip(machine.omlx.api_key.clone()) {
            sources.insert(id, source);
        }
    }
    let gateway = fleet.gateway.as_ref().and_then(|gateway| gateway.api_key.clone());
    if let Some((id, source)) = gateway_secret(fleet).zip(gateway) {
        sources.insert(id, source);
    }
    for shadow in fleet.shadows.iter() {
        if let Some(source) = &shadow.reference.api_key {
            sources.insert(SecretId(format!("shadow.{}", shadow.name)), source.clone());
        }
    }
    sources
}
