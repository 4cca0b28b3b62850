//! settings.json: the keys of fleet.md, Ownership.

use serde_json::{Map, Value};

use super::document::document;
use super::secrets::omlx_secret;
use super::{OmlxFile, OwnedDocument, OwnedKey, Placeholder};
use crate::fleet::{Address, Bind, Fleet, Machine, SettingPath, layout};
use crate::omlx;

/// settings.json of a machine.
pub(super) fn settings(fleet: &Fleet, machine: &Machine) -> OwnedDocument {
    let release = machine.omlx.release;
    // "version" is the same in every release (facts: section 2.2, last line).
    let frame: Map<String, Value> = [("version".to_owned(), "1.0".into())].into_iter().collect();
    let mut keys = vec![
        host(machine),
        OwnedKey::value(&["server", "port"], machine.omlx.port),
        OwnedKey::value(&["server", "server_aliases"], aliases(machine)),
        OwnedKey::value(&["model", "model_dirs"], vec![layout::serve_directory(machine)]),
        match omlx_secret(fleet, machine) {
            Some(id) => OwnedKey::hole(&["auth", "api_key"], Placeholder::Secret(id)),
            None => OwnedKey::absent(&["auth", "api_key"]),
        },
        OwnedKey::hole(&["auth", "secret_key"], Placeholder::SecretKey),
    ];
    keys.extend(machine.omlx.settings.iter().map(|(SettingPath(path), value)| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        OwnedKey::value(&path, value.clone())
    }));
    let order: Vec<(&str, &str)> = omlx::settings(release).map(|setting| (setting.section, setting.key)).collect();
    let place = |key: &OwnedKey| {
        let found = order.iter().position(|(section, name)| key.path.iter().map(String::as_str).eq([*section, *name]));
        found.unwrap_or(order.len())
    };
    keys.sort_by_key(place);
    let keys = keys.into_iter().map(|key| with_default(key, machine)).collect();
    document(OmlxFile::Settings, release, &frame, keys)
}

fn with_default(key: OwnedKey, machine: &Machine) -> OwnedKey {
    match key.path.as_slice() {
        [section, name] => match omlx::setting(machine.omlx.release, section, name) {
            Some(setting) => {
                let default = setting.default_value();
                key.or(default)
            }
            None => key,
        },
        _ => key,
    }
}

fn host(machine: &Machine) -> OwnedKey {
    let path = ["server", "host"];
    match (machine.omlx.bind, machine.tailnet_ip) {
        (Bind::All, _) => OwnedKey::value(&path, "0.0.0.0"),
        (Bind::Loopback, _) => OwnedKey::value(&path, "127.0.0.1"),
        (Bind::Address(address), _) | (Bind::Tailnet, Some(address)) => OwnedKey::value(&path, address.to_string()),
        (Bind::Tailnet, None) => OwnedKey::hole(&path, Placeholder::TailnetIp),
    }
}

/// The addresses at which clients really reach the server, and nothing that only the machine itself could tell. oMLX 0.3.8 fills an empty list with what
/// it detects and rewrites the whole file then (facts: section 1.4, trigger 3), so the list must not be empty; 0.0.0.0 is no alias (section 2.1).
fn aliases(machine: &Machine) -> Vec<String> {
    let own = |name: &str| name.to_owned();
    let by_tailnet = || {
        let name = match &machine.address {
            Address::Tailnet(name) => Some(name.clone()),
            Address::Explicit(_) | Address::Local => None,
        };
        name.into_iter().chain(machine.tailnet_ip.map(|address| address.to_string()))
    };
    let mut aliases = match machine.omlx.bind {
        Bind::Loopback => vec![own("localhost"), own("127.0.0.1")],
        Bind::Address(address) => vec![address.to_string()],
        Bind::Tailnet => by_tailnet().collect(),
        Bind::All => {
            let explicit = match &machine.address {
                Address::Explicit(host) => Some(host.clone()),
                Address::Tailnet(_) | Address::Local => None,
            };
            let local = [own("localhost"), own("127.0.0.1")];
            local.into_iter().chain(explicit).chain(machine.lan.clone()).chain(by_tailnet()).collect()
        }
    };
    if aliases.is_empty() {
        aliases.push(own(machine.name.as_str()));
    }
    let mut seen = std::collections::BTreeSet::new();
    aliases.retain(|alias| seen.insert(alias.clone()));
    aliases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_what_clients_can_reach() {
        let fleet = crate::testing::example();
        let mut machine = fleet.machines.get("mac-mini1").expect("declared").clone();
        assert_eq!(aliases(&machine), ["localhost", "127.0.0.1", "192.168.1.11", "mac-mini1.tail0a1b2c.ts.net"]);
        machine.omlx.bind = Bind::Loopback;
        assert_eq!(aliases(&machine), ["localhost", "127.0.0.1"]);
        machine.omlx.bind = Bind::Tailnet;
        assert_eq!(aliases(&machine), ["mac-mini1.tail0a1b2c.ts.net"]);
        machine.address = Address::Local;
        assert_eq!(aliases(&machine), ["mac-mini1"]);
        machine.omlx.bind = Bind::Address([192, 168, 1, 11].into());
        assert_eq!(aliases(&machine), ["192.168.1.11"]);
    }

    #[test]
    fn a_tailnet_bind_is_a_hole_unless_declared() {
        let fleet = crate::testing::example();
        let mut machine = fleet.machines.get("mac-mini1").expect("declared").clone();
        machine.omlx.bind = Bind::Tailnet;
        assert!(settings(&fleet, &machine).fresh.shown().contains("\"host\": \"{{tailnet-ip}}\""));
        machine.tailnet_ip = Some([100, 64, 0, 12].into());
        assert!(settings(&fleet, &machine).fresh.shown().contains("\"host\": \"100.64.0.12\""));
    }
}
