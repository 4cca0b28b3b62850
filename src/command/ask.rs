//! What a machine is asked, from what it should hold.

use std::time::Duration;

use crate::fleet::{Bind, Fleet, Machine, layout, sha256};
use crate::observe::{Ask, AskFile, Contents, ZONE_LINKS};
use crate::render::{Bundle, Content, Entry, Placeholder, Text};

/// fleetctl's own files on a machine that plan and status read, beside the bundle's.
const STATE_FILES: [&str; 5] = ["manifest.json", "record.json", "result.json", "held.json", "schedule/state.json"];

/// The question to one machine: everything that its bundle declares, and everything that status shows.
pub(crate) fn ask(fleet: &Fleet, machine: &Machine, bundle: &Bundle, within: Duration) -> Ask {
    let mut files: Vec<AskFile> = bundle.entries.iter().map(|entry| of_entry(machine, bundle, entry)).collect();
    let plain = |path: String, contents| AskFile { path, contents, private: false };
    for name in STATE_FILES {
        let path = format!("{}/{name}", layout::STATE);
        if bundle.entry(&path).is_none() {
            files.push(plain(path, Contents::Always));
        }
    }
    files.extend(bundle.directories.iter().map(|(path, ..)| plain(path.clone(), Contents::Never)));
    files.extend(ZONE_LINKS.map(|path| plain(path.to_owned(), Contents::Never)));
    files.push(plain(machine.omlx.program.clone(), Contents::Never));
    let mut labels: Vec<String> = bundle.units.iter().map(|unit| unit.label.clone()).collect();
    labels.push(layout::label("apply"));
    Ask {
        files,
        labels,
        ports: ports(fleet, machine),
        weights: weights(fleet, machine),
        weights_directory: machine.omlx.weights.clone(),
        base: machine.omlx.base.clone(),
        program: machine.omlx.program.clone(),
        programs: bundle.units.iter().filter_map(|unit| unit.program.clone()).collect(),
        url: local_url(machine),
        tailnet_ip: machine.tailnet_ip.is_none() && needs_tailnet_ip(bundle),
        checkup: false,
        within,
    }
}

fn of_entry(machine: &Machine, bundle: &Bundle, entry: &Entry) -> AskFile {
    let contents = match &entry.content {
        Content::Link { .. } => Contents::Never,
        Content::Keys(_) => Contents::Always,
        Content::Whole(text) if text.holds_secret() => Contents::Never,
        Content::Whole(text) => expected(machine, text).map_or(Contents::Always, Contents::Unless),
    };
    let closed = bundle.directories.iter().any(|(path, owner, mode)| {
        entry.path.starts_with(&format!("{path}/")) && owner.user != machine.user && mode & 0o001 == 0
    });
    let is_link = matches!(entry.content, Content::Link { .. });
    let unreadable = !is_link && entry.owner.user != machine.user && entry.mode & 0o004 == 0;
    AskFile { path: entry.path.clone(), contents, private: closed || unreadable }
}

/// The hash of a text whose holes, if any, are known here.
fn expected(machine: &Machine, text: &Text) -> Option<String> {
    let values = crate::render::Values { tailnet_ip: machine.tailnet_ip, ..crate::render::Values::default() };
    let filled = text.fill(&values).ok()?;
    let bytes = crate::secret::ExposeSecret::expose_secret(&filled).as_bytes();
    Some(sha256(bytes))
}

fn needs_tailnet_ip(bundle: &Bundle) -> bool {
    let has_hole = |text: &Text| text.holes().any(|hole| *hole == Placeholder::TailnetIp);
    bundle.entries.iter().any(|entry| match &entry.content {
        Content::Whole(text) => has_hole(text),
        Content::Keys(document) => has_hole(&document.fresh),
        Content::Link { .. } => false,
    })
}

/// oMLX's port first, then those of the gateway and the resolver where the machine runs them.
fn ports(fleet: &Fleet, machine: &Machine) -> Vec<u16> {
    let gateway = fleet.gateway.iter().filter(|gateway| gateway.on.contains(&machine.name)).map(|gateway| gateway.port);
    let resolver =
        fleet.resolver.iter().filter(|resolver| resolver.on.contains(&machine.name)).map(|resolver| resolver.port);
    [machine.omlx.port].into_iter().chain(gateway).chain(resolver).collect()
}

/// The directories of the weights that the machine needs.
fn weights(fleet: &Fleet, machine: &Machine) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for weights in fleet.weights_needed_on(&machine.name) {
        let path = Fleet::weights_path(machine, weights);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Where oMLX is declared to answer, as the machine itself reaches it. A tailnet address that is not known yet is asked by loopback, where it refuses: the
/// machine's own settings.json then says the real one.
fn local_url(machine: &Machine) -> String {
    let host = match machine.omlx.bind {
        Bind::All | Bind::Loopback => "127.0.0.1".to_owned(),
        Bind::Tailnet => machine.tailnet_ip.map_or("127.0.0.1".to_owned(), bracketed),
        Bind::Address(address) => bracketed(address),
    };
    format!("http://{host}:{}", machine.omlx.port)
}

fn bracketed(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{render, testing};

    #[test]
    fn what_is_asked_of_the_examples_busiest_machine() {
        let fleet = testing::example();
        let machine = fleet.machines.get("mac-studio1").expect("declared");
        let ask = ask(&fleet, machine, &render::bundle(&fleet, machine), Duration::from_secs(20));
        assert_eq!(ask.ports, [8000, 4000]);
        assert_eq!(ask.url, "http://127.0.0.1:8000");
        assert!(!ask.tailnet_ip);
        assert!(ask.weights.iter().any(|path| path.ends_with("DFlash")), "drafts are weights too: {:?}", ask.weights);
        let contents = |name: &str| {
            let found = ask.files.iter().find(|file| file.path.ends_with(name));
            found.map(|file| (file.contents.clone(), file.private))
        };
        assert_eq!(contents("/settings.json"), Some((Contents::Always, false)));
        assert!(matches!(contents("dev.fleetctl.omlx.plist"), Some((Contents::Unless(_), false))));
        for file in &ask.files {
            let entry = render::bundle(&fleet, machine).entry(&file.path).cloned();
            let Some(Entry { content: Content::Whole(text), .. }) = entry else { continue };
            if text.holds_secret() {
                assert_eq!(file.contents, Contents::Never, "{}", file.path);
            }
        }
    }
}
