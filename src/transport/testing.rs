//! Machines for the tests of this room.

use crate::fleet::{Address, Bind, Bytes, Engine, Machine, MachineName, Release, Zone};

/// A plain machine.
pub(super) fn machine(name: &str, host: &str) -> Machine {
    let address = if host.is_empty() { Address::Local } else { Address::Tailnet(host.to_owned()) };
    Machine {
        name: MachineName::new(name).expect("a name"),
        tier: None,
        chip: "M4".to_owned(),
        memory: Bytes::gib(16),
        cores: None,
        address,
        lan: None,
        ssh_port: None,
        tailnet_ip: None,
        user: "ops".to_owned(),
        home: "/Users/ops".to_owned(),
        timezone: Zone::new("UTC").expect("a zone"),
        gpu_limit: None,
        note: None,
        omlx: Engine {
            release: Release::V0_3_8,
            program: "/opt/homebrew/bin/omlx".to_owned(),
            bind: Bind::Loopback,
            port: 8000,
            base: "/Users/ops/.omlx".to_owned(),
            weights: "/Users/ops/models".to_owned(),
            api_key: None,
            environment: std::collections::BTreeMap::new(),
            settings: std::collections::BTreeMap::new(),
        },
    }
}
