//! How the machine is reached, now and after the next boot (macos.md 4.1, 5).

use super::{Examined, Finding, Mend, codes};
use crate::fleet::Address;
use crate::observe::{Path, TailnetError};

const SSHD: &str = "com.openssh.sshd";
/// Where Tailscale's command may be on a Mac (macos.md 5.1), in front of whatever the login shell has.
const TAILSCALE: &str = "PATH=/usr/local/bin:/opt/homebrew/bin:$PATH tailscale";
/// The admin console, where key expiry is disabled.
const CONSOLE: &str = "open https://login.tailscale.com/admin/machines";
/// Said this long before (macos.md 5.2), days.
const EXPIRY: i64 = 14;

pub(super) fn rules(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    relayed(examined, all);
    tailscale(examined, all);
    if examined.observed.disabled.contains(SSHD) {
        all.push(
            Finding::new(&codes::SSH_NOT_AT_BOOT, "launchd has com.openssh.sshd disabled: no SSH after the next boot")
                .mended(Mend::There(format!("sudo launchctl enable system/{SSHD}"))),
        );
    }
}

fn relayed(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let Some(peer) = examined.peer else { return };
    if examined.observed.path != Path::Tailnet || !peer.is_active || peer.direct.is_some() {
        return;
    }
    let by = peer.relay.as_deref().map_or(String::new(), |relay| format!(" over relay {relay}"));
    let mut finding =
        Finding::new(&codes::PATH_RELAYED, format!("the tailnet has no direct path to it, packets go{by}"));
    if let Address::Tailnet(host) = &examined.machine.address {
        finding = finding.mended(Mend::Here(format!("tailscale ping {}", (examined.quote)(host))));
    }
    all.push(finding);
}

fn tailscale(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let own = examined.observed.checkup.as_ref().and_then(|checkup| checkup.tailscale.as_ref());
    let up = || Mend::There(format!("{TAILSCALE} up"));
    match own {
        Some(Err(TailnetError::NotRunning(state))) => {
            all.push(Finding::new(&codes::TAILSCALE_DOWN, format!("its tailscale says {state}")).mended(up()));
        }
        Some(Err(TailnetError::Malformed)) => {
            all.push(
                Finding::new(&codes::TAILSCALE_DOWN, "its tailscale does not answer: is it running?").mended(up()),
            );
        }
        _ => {}
    }
    let own = own.and_then(|tailnet| tailnet.as_ref().ok()).and_then(|tailnet| tailnet.this.as_ref());
    let Some(expiry) = own.or(examined.peer).and_then(|node| node.key_expiry.as_deref()) else { return };
    let Ok(at) = expiry.parse::<jiff::Timestamp>() else { return };
    let days = at.duration_since(examined.now).as_hours().div_euclid(24);
    if at <= examined.now {
        all.push(Finding::new(&codes::TAILSCALE_KEY_EXPIRED, format!("its tailnet key expired at {at}")).mended(up()));
    } else if days < EXPIRY {
        let left = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        all.push(
            Finding::new(&codes::TAILSCALE_KEY_EXPIRES, format!("its tailnet key expires in {left} ({at})"))
                .mended(Mend::Here(CONSOLE.to_owned())),
        );
    }
}
