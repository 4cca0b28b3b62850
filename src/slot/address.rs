//! Under which address a machine's oMLX is asked.

use std::net::IpAddr;

use crate::fleet::{Address, Bind, Machine};

/// The host of a machine's daemon as its clients dial it.
///
/// What the daemon listens on (`bind`) decides first: a single address, or 127.0.0.1, which is meaningful on that machine only. Otherwise it is the machine's
/// tailnet name (or the `address` that the file gives instead, or 127.0.0.1 for the computer itself). Never `lan`: SSH proves with a host key
/// whom it dialled, plain HTTP proves nothing, and behind a LAN address that DHCP has given to somebody else a prompt would reach a stranger.
pub fn host(machine: &Machine, bind: Bind) -> String {
    match bind {
        Bind::Loopback => "127.0.0.1".to_owned(),
        Bind::Address(address) => address.to_string(),
        Bind::Tailnet => match (machine.tailnet_ip, &machine.address) {
            (_, Address::Tailnet(name)) => name.clone(),
            (Some(address), _) => address.to_string(),
            (None, _) => by_address(machine),
        },
        Bind::All => by_address(machine),
    }
}

/// The base URL of a machine's OpenAI-compatible API: `http://HOST:PORT/v1`.
pub fn base_url(machine: &Machine) -> String {
    format!("http://{}:{}/v1", url_host(&host(machine, machine.omlx.bind)), machine.omlx.port)
}

fn by_address(machine: &Machine) -> String {
    match &machine.address {
        Address::Tailnet(name) | Address::Explicit(name) => name.clone(),
        Address::Local => "127.0.0.1".to_owned(),
    }
}

/// A host as it stands in a URL: an IPv6 address in brackets.
pub fn url_host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::fixture;

    #[test]
    fn what_it_listens_on_decides_then_how_it_is_reached() {
        let fleet = fixture::fleet("UTC");
        let mut machine = fleet.machines.get("m0").expect("m0").clone();
        let lan: IpAddr = "fd00::7".parse().expect("an address");
        machine.lan = Some("192.168.1.9".to_owned());
        machine.tailnet_ip = Some("100.64.0.12".parse().expect("an address"));
        let mut urls = Vec::new();
        for address in [machine.address.clone(), Address::Explicit("fd00::1".to_owned()), Address::Local] {
            for bind in [Bind::All, Bind::Loopback, Bind::Tailnet, Bind::Address(lan)] {
                machine.address = address.clone();
                machine.omlx.bind = bind;
                urls.push(base_url(&machine));
            }
        }
        insta::assert_snapshot!(urls.join("\n"), @r"
        http://m0.example.ts.net:8000/v1
        http://127.0.0.1:8000/v1
        http://m0.example.ts.net:8000/v1
        http://[fd00::7]:8000/v1
        http://[fd00::1]:8000/v1
        http://127.0.0.1:8000/v1
        http://100.64.0.12:8000/v1
        http://[fd00::7]:8000/v1
        http://127.0.0.1:8000/v1
        http://127.0.0.1:8000/v1
        http://100.64.0.12:8000/v1
        http://[fd00::7]:8000/v1
        ");
    }
}
