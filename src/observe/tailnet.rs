//! What `tailscale status --json` says (macos.md 5.2; field order and meaning from Tailscale's ipn/ipnstate). The format is declared unstable, so
//! everything that is not needed is ignored and everything that is needed may be absent.

use std::net::IpAddr;

use serde::Deserialize;

/// The tailnet as the laptop sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tailnet {
    /// The MagicDNS suffix, without dots at its ends.
    pub suffix: Option<String>,
    /// This computer.
    pub this: Option<Node>,
    /// The others, sorted by name: the map's own order changes with every run.
    pub peers: Vec<Node>,
}

/// A node of the tailnet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// First label of its MagicDNS name. `HostName` is the computer's name with spaces and duplicates, so it is never used.
    pub name: String,
    /// `macOS`, `linux`, `iOS`…
    pub os: String,
    /// Its first tailnet address.
    pub address: Option<IpAddr>,
    /// Connected to the control plane; no proof that it can be reached.
    pub is_online: bool,
    /// When its key expires, as written (RFC 3339); `None`: never.
    pub key_expiry: Option<String>,
    /// `LAN or public address:port` of a direct path in use now.
    pub direct: Option<String>,
    /// Packets went to or from it in about the last two minutes. Without a direct path they are relayed.
    pub is_active: bool,
    /// The region of its relay (DERP) server; set for direct peers too.
    pub relay: Option<String>,
}

/// Why there is no tailnet to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailnetError {
    /// Not the JSON that the tool prints.
    #[error("tailscale printed something that is not its status")]
    Malformed,
    /// The daemon answers, but is not connected; its own word for the state.
    #[error("tailscale is not connected (it says {0})")]
    NotRunning(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(default)]
    backend_state: String,
    #[serde(rename = "MagicDNSSuffix")]
    magic_dns_suffix: Option<String>,
    current_tailnet: Option<CurrentTailnet>,
    #[serde(rename = "Self")]
    this: Option<Peer>,
    peer: Option<std::collections::BTreeMap<String, Peer>>,
}

#[derive(Deserialize)]
struct CurrentTailnet {
    #[serde(rename = "MagicDNSSuffix")]
    magic_dns_suffix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Peer {
    #[serde(rename = "DNSName", default)]
    dns_name: String,
    #[serde(rename = "OS", default)]
    os: String,
    #[serde(rename = "TailscaleIPs")]
    addresses: Option<Vec<String>>,
    #[serde(default)]
    online: bool,
    key_expiry: Option<String>,
    cur_addr: Option<String>,
    #[serde(default)]
    active: bool,
    relay: Option<String>,
}

impl Peer {
    fn node(&self) -> Option<Node> {
        let name = self.dns_name.trim_end_matches('.').split('.').next().filter(|label| !label.is_empty())?;
        Some(Node {
            name: name.to_owned(),
            os: self.os.clone(),
            address: self.addresses.iter().flatten().find_map(|address| address.parse().ok()),
            is_online: self.online,
            key_expiry: self.key_expiry.clone(),
            direct: self.cur_addr.clone().filter(|address| !address.is_empty()),
            is_active: self.active,
            relay: self.relay.clone().filter(|relay| !relay.is_empty()),
        })
    }
}

/// Reads `tailscale status --json`. It exits 0 in every state, so the state is checked here. Errors: [`TailnetError`].
pub fn parse_tailnet(text: &str) -> Result<Tailnet, TailnetError> {
    let status: Status = serde_json::from_str(text).map_err(|_| TailnetError::Malformed)?;
    if status.backend_state != "Running" {
        return Err(TailnetError::NotRunning(status.backend_state));
    }
    // The suffix at the top is deprecated in favour of CurrentTailnet's.
    let suffix = status.current_tailnet.and_then(|tailnet| tailnet.magic_dns_suffix).or(status.magic_dns_suffix);
    let mut peers: Vec<Node> = status.peer.into_iter().flatten().filter_map(|(_, peer)| peer.node()).collect();
    peers.sort();
    Ok(Tailnet {
        suffix: suffix.map(|suffix| suffix.trim_matches('.').to_owned()).filter(|suffix| !suffix.is_empty()),
        this: status.this.and_then(|this| this.node()),
        peers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_needs_and_tolerates_the_rest() {
        let tailnet = parse_tailnet(
            r#"{"BackendState":"Running","MagicDNSSuffix":"old.ts.net","CurrentTailnet":{"MagicDNSSuffix":"t.ts.net"},"Health":null,
               "Self":{"DNSName":"laptop.t.ts.net.","OS":"macOS","Online":true},
               "Peer":{"k2":{"DNSName":"mini.t.ts.net.","OS":"macOS","TailscaleIPs":["100.64.0.2","fd7a::2"],"Online":true,"CurAddr":"192.168.1.2:41641"},
                       "k1":{"DNSName":"","OS":"linux"},"k3":{"DNSName":"box.t.ts.net.","OS":"linux","TailscaleIPs":null}}}"#,
        )
        .expect("a status");
        assert_eq!(tailnet.suffix.as_deref(), Some("t.ts.net"));
        assert_eq!(tailnet.peers.iter().map(|peer| peer.name.as_str()).collect::<Vec<_>>(), ["box", "mini"]);
        assert_eq!(tailnet.peers[1].address, Some("100.64.0.2".parse().expect("an address")));
    }

    #[test]
    fn a_stopped_tailscale_is_said() {
        let stopped = parse_tailnet(r#"{"BackendState":"NeedsLogin","Peer":null}"#);
        assert_eq!(stopped, Err(TailnetError::NotRunning("NeedsLogin".to_owned())));
        assert_eq!(parse_tailnet("tailscale: not found"), Err(TailnetError::Malformed));
    }
}
