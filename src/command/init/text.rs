//! A first fleet file from what was found; pure. Everything that could not be learnt is a comment that says so.

use std::collections::BTreeMap;

use super::found::{Found, FoundWeights};
use super::names;
use super::words::{comment, size, slug, string};
use crate::fleet::{MachineName, Release};

/// What the laptop knows besides the machines.
pub(super) struct Laptop<'a> {
    /// The MagicDNS suffix.
    pub(super) tailnet: &'a str,
    /// Who logs in.
    pub(super) user: &'a str,
    /// The zone of this computer.
    pub(super) zone: &'a str,
    /// Whether the machines were asked.
    pub(super) has_probed: bool,
}

/// Where Homebrew puts oMLX.
pub(super) const PROGRAM: &str = "/opt/homebrew/bin/omlx";

/// The file.
pub(super) fn first_fleet(laptop: &Laptop<'_>, machines: &[Found]) -> String {
    let mut text = String::from(
        "# A first fleet file, written by `fleetctl init`. `fleetctl check` says what is missing, `fleetctl plan` what would change.\nschema = 1\n\n[fleet]\nname     = \"home\"\n",
    );
    let common = Common::of(laptop, machines);
    text.push_str(&format!("timezone = {}   # windows and jobs are meant in this zone\n", string(&common.zone)));
    text.push_str(&format!("tailnet  = {}   # a machine is reached at <machine>.<tailnet>\n", string(laptop.tailnet)));
    text.push_str(&format!("user     = {}   # logs in over SSH; oMLX runs as this user\n\n", string(laptop.user)));
    common.write(&mut text, machines);
    for machine in machines {
        table(&mut text, laptop, &common, machine);
    }
    let weights = weights(&common, machines);
    if !weights.is_empty() {
        text.push_str("# --- Weights that lie on the machines\n");
    }
    for (name, found) in &weights {
        text.push_str(&format!(
            "[models.{name}]\ndirectory = {}\nsize      = {}\nkind      = \"{}\"\n\n",
            string(&found.directory),
            string(&size(found.bytes)),
            found.kind.as_str()
        ));
    }
    names::served(&mut text, common.release, machines, &weights);
    text
}

/// What most of the machines have.
struct Common {
    zone: String,
    release: Release,
    program: String,
    bind: String,
    port: u16,
    weights: String,
    has_key: bool,
}

/// The most frequent value; of equals the first.
fn most<T: PartialEq + Clone>(values: impl Iterator<Item = T>) -> Option<T> {
    let all: Vec<T> = values.collect();
    let count = |value: &T| all.iter().filter(|other| *other == value).count();
    all.iter()
        .fold(None::<&T>, |best, value| match best {
            Some(best) if count(best) >= count(value) => Some(best),
            _ => Some(value),
        })
        .cloned()
}

fn bind(machine: &Found) -> Option<String> {
    Some(match machine.host.as_deref()? {
        "0.0.0.0" | "::" | "" => "all".to_owned(),
        "127.0.0.1" | "localhost" | "::1" => "loopback".to_owned(),
        host if host.starts_with("100.") => "tailnet".to_owned(),
        host => host.parse::<std::net::IpAddr>().ok()?.to_string(),
    })
}

impl Common {
    fn of(laptop: &Laptop<'_>, machines: &[Found]) -> Self {
        let bind = most(machines.iter().filter_map(bind)).unwrap_or_else(|| "loopback".to_owned());
        Self {
            zone: most(machines.iter().filter_map(|machine| machine.zone.clone()))
                .unwrap_or_else(|| laptop.zone.to_owned()),
            release: most(machines.iter().filter_map(|machine| machine.release)).unwrap_or(Release::V0_3_8),
            program: most(machines.iter().filter_map(|machine| machine.program.clone()))
                .unwrap_or_else(|| PROGRAM.to_owned()),
            // Everybody on the network could use what is bound so; check demands a key for it.
            has_key: bind == "all" || machines.iter().any(|machine| machine.has_key),
            bind,
            port: most(machines.iter().filter_map(|machine| machine.port)).unwrap_or(8000),
            weights: most(machines.iter().filter_map(shown_root)).unwrap_or_else(|| "~/models".to_owned()),
        }
    }

    fn write(&self, text: &mut String, machines: &[Found]) {
        let known: Vec<String> = Release::ALL.iter().map(ToString::to_string).collect();
        text.push_str("# --- oMLX, for every machine. [machines.NAME.omlx] overrides key by key.\n[omlx]\n");
        text.push_str(&format!("version = \"{}\"   # known releases: {}\n", self.release, known.join(", ")));
        text.push_str(&format!("program = {}\n", string(&self.program)));
        text.push_str(&format!(
            "bind    = {}   # \"all\" (demands api_key), \"loopback\", \"tailnet\" or an IP address\n",
            string(&self.bind)
        ));
        text.push_str(&format!(
            "port    = {}\nbase    = \"~/.omlx\"\nweights = {}\n",
            self.port,
            string(&self.weights)
        ));
        if self.has_key {
            let has = machines.iter().any(|machine| machine.has_key);
            let why = if has {
                "to keep the present one: auth.api_key of the machine's ~/.omlx/settings.json"
            } else {
                "a secret is never written here"
            };
            text.push_str(&format!("api_key = {{ env = \"FLEET_OMLX_API_KEY\" }}   # {why}\n\n"));
        } else {
            text.push_str("# api_key = { env = \"FLEET_OMLX_API_KEY\" }   # no machine asks for a key now; \"all\" demands one\n\n");
        }
    }
}

/// The root of the weights, by `~` where it is below the home.
fn shown_root(machine: &Found) -> Option<String> {
    let root = machine.root()?;
    let below = machine.home.as_deref().and_then(|home| root.strip_prefix(home)).filter(|rest| rest.starts_with('/'));
    Some(below.map_or(root.to_owned(), |rest| format!("~{rest}")))
}

fn table(text: &mut String, laptop: &Laptop<'_>, common: &Common, machine: &Found) {
    let mut lines: Vec<String> = Vec::new();
    let name = &machine.name;
    let is_name = MachineName::new(name.as_str()).is_ok();
    if !is_name {
        lines.push(format!(
            "# {} is no name for a machine here: choose one of a-z, 0-9, - and _, and set address.",
            comment(name)
        ));
    }
    if let Some(why) = &machine.silent {
        lines.push(format!("# It did not answer: {}", comment(why)));
    } else if !machine.is_online {
        lines.push("# It is not connected to the tailnet now.".to_owned());
    }
    for engine in &machine.engines {
        let says = machine.says.as_deref().map_or(String::new(), |says| format!(" (oMLX {})", comment(says)));
        let adopt = if engine.starts_with("the launchd job") { "; `fleetctl adopt` takes it over" } else { "" };
        lines.push(format!("# oMLX runs there now{says}: {}{adopt}", comment(engine)));
    }
    if machine.release.is_none()
        && let Some(says) = &machine.says
    {
        lines.push(format!("# Its oMLX says that it is {}, which fleetctl does not know.", comment(says)));
    }
    lines.push(format!("[machines.{}]", if is_name { name.clone() } else { string(name) }));
    lines.push(match &machine.chip {
        Some(chip) => format!("chip   = {}", string(chip)),
        None => "# chip   = \"M4\"     # fill in: \"M4\", \"M4 Pro\", \"M3 Ultra\", ...".to_owned(),
    });
    lines.push(match machine.memory {
        Some(memory) => format!("memory = {}", string(&size(memory.get()))),
        None => "# memory = \"16GB\"   # fill in".to_owned(),
    });
    if let Some(lan) = machine.lan {
        lines.push(format!("lan    = \"{lan}\"   # raced with the tailnet name under the same SSH host key"));
    }
    if let Some(zone) = machine.zone.as_deref().filter(|zone| *zone != common.zone) {
        lines.push(format!("timezone = {}   # of the machine's own clock", string(zone)));
    }
    if let Some(home) = machine.home.as_deref().filter(|home| *home != format!("/Users/{}", laptop.user)) {
        lines.push(format!("home   = {}", string(home)));
    }
    let mut own: Vec<String> = Vec::new();
    if let Some(release) = machine.release.filter(|release| *release != common.release) {
        own.push(format!("version = \"{release}\""));
    }
    if let Some(program) = machine.program.as_ref().filter(|program| **program != common.program) {
        own.push(format!("program = {}", string(program)));
    }
    if let Some(bind) = bind(machine).filter(|bind| *bind != common.bind) {
        own.push(format!("bind    = {}", string(&bind)));
    }
    if let Some(port) = machine.port.filter(|port| *port != common.port) {
        own.push(format!("port    = {port}"));
    }
    if let Some(root) = shown_root(machine).filter(|root| *root != common.weights) {
        own.push(format!("weights = {}", string(&root)));
    }
    if !own.is_empty() {
        lines.push(String::new());
        lines.push(format!("[machines.{name}.omlx]"));
        lines.extend(own);
    }
    for line in lines {
        // What is no machine for check yet stays a comment as a whole.
        if is_name || line.starts_with('#') || line.is_empty() {
            text.push_str(&line);
        } else {
            text.push_str(&format!("# {line}"));
        }
        text.push('\n');
    }
    if !laptop.has_probed {
        text.push_str("# `fleetctl init --probe` asks the machine for these.\n");
    }
    text.push('\n');
}

/// Every weights directory once, under a name made of its own.
fn weights<'a>(common: &Common, machines: &'a [Found]) -> BTreeMap<String, &'a FoundWeights> {
    let mut all: BTreeMap<String, &FoundWeights> = BTreeMap::new();
    for machine in machines {
        let root = machine.root().unwrap_or(&common.weights);
        for found in machine.weights.iter().filter(|found| found.root == root) {
            if all.values().any(|other| other.directory == found.directory) {
                continue;
            }
            let mut name = slug(found.directory.rsplit('/').next().unwrap_or(&found.directory));
            let mut at = 2;
            while all.contains_key(&name) {
                name = format!("{}-{at}", slug(&found.directory).chars().take(28).collect::<String>());
                at += 1;
            }
            all.insert(name, found);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::found::FoundName;
    use super::*;
    use crate::fleet::{Bytes, WeightsKind};

    fn laptop(has_probed: bool) -> Laptop<'static> {
        Laptop { tailnet: "t.ts.net", user: "ops", zone: "Europe/Berlin", has_probed }
    }

    fn named(name: &str) -> Found {
        Found { name: name.to_owned(), is_online: true, ..Found::default() }
    }

    fn probed(name: &str) -> Found {
        let weights = |directory: &str, bytes, kind| FoundWeights {
            root: "/Users/ops/models".to_owned(),
            directory: directory.to_owned(),
            bytes,
            kind,
        };
        Found {
            chip: Some("M4 Pro".to_owned()),
            memory: Some(Bytes(64 << 30)),
            zone: Some("Europe/Berlin".to_owned()),
            home: Some("/Users/ops".to_owned()),
            release: Some(Release::V0_3_8),
            says: Some("0.3.8".to_owned()),
            host: Some("0.0.0.0".to_owned()),
            port: Some(8010),
            has_key: true,
            program: Some(PROGRAM.to_owned()),
            engines: vec!["the launchd job homebrew.mxcl.omlx".to_owned()],
            names: ["Qwen3.6-2B-MLX-4bit", "gone"].map(found_name).to_vec(),
            weights: vec![
                weights("Qwen3.6-2B-MLX-4bit", 1_717_986_919, WeightsKind::Llm),
                weights("org/arctic", 629_145_600, WeightsKind::Embedding),
            ],
            ..named(name)
        }
    }

    fn found_name(id: &str) -> FoundName {
        let settings = json!({
            "max_context_window": 8192, "temperature": 0.7, "chat_template_kwargs": {"enable_thinking": false},
            "dflash_enabled": false, "specprefill_draft_model": "/nowhere", "top_p": 7, "ttl_seconds": 900, "is_pinned": true
        });
        FoundName {
            id: id.to_owned(),
            is_pinned: true,
            settings: settings.as_object().cloned().unwrap_or_default(),
            ttl: Some(900),
            alias: Some("gpt-4".to_owned()),
        }
    }

    #[test]
    fn a_probed_fleet_passes_check_and_keeps_the_names_that_answer() {
        let text = first_fleet(&laptop(true), &[probed("mini"), probed("studio")]);
        let fleet = crate::testing::fleet(&text);
        let served: Vec<&str> = fleet.served.iter().map(|served| served.name.as_str()).collect();
        assert_eq!(served, ["Qwen3.6-2B-MLX-4bit"]);
        insta::assert_snapshot!(text, @r#"
        # A first fleet file, written by `fleetctl init`. `fleetctl check` says what is missing, `fleetctl plan` what would change.
        schema = 1

        [fleet]
        name     = "home"
        timezone = "Europe/Berlin"   # windows and jobs are meant in this zone
        tailnet  = "t.ts.net"   # a machine is reached at <machine>.<tailnet>
        user     = "ops"   # logs in over SSH; oMLX runs as this user

        # --- oMLX, for every machine. [machines.NAME.omlx] overrides key by key.
        [omlx]
        version = "0.3.8"   # known releases: 0.3.8, 0.5.0, flyto-0.7.0
        program = "/opt/homebrew/bin/omlx"
        bind    = "all"   # "all" (demands api_key), "loopback", "tailnet" or an IP address
        port    = 8010
        base    = "~/.omlx"
        weights = "~/models"
        api_key = { env = "FLEET_OMLX_API_KEY" }   # to keep the present one: auth.api_key of the machine's ~/.omlx/settings.json

        # oMLX runs there now (oMLX 0.3.8): the launchd job homebrew.mxcl.omlx; `fleetctl adopt` takes it over
        [machines.mini]
        chip   = "M4 Pro"
        memory = "64GB"

        # oMLX runs there now (oMLX 0.3.8): the launchd job homebrew.mxcl.omlx; `fleetctl adopt` takes it over
        [machines.studio]
        chip   = "M4 Pro"
        memory = "64GB"

        # --- Weights that lie on the machines
        [models.arctic]
        directory = "org/arctic"
        size      = "600MB"
        kind      = "embedding"

        [models.qwen3-6-2b-mlx-4bit]
        directory = "Qwen3.6-2B-MLX-4bit"
        size      = "1.61GB"
        kind      = "llm"

        # --- Profiles: what oMLX's model_settings.json says of these names
        [profiles.qwen3-6-2b-mlx-4bit]
        chat_template_kwargs = { enable_thinking = false }
        max_context_window = 8192
        temperature = 0.7

        # --- Served names: what answers now, under the same names
        # Qwen3.6-2B-MLX-4bit: top_p = 7 is left out: must be between 0 and 1
        # Qwen3.6-2B-MLX-4bit: specprefill_draft_model = "/nowhere" is left out: its weights were not found
        # Qwen3.6-2B-MLX-4bit: it answers as gpt-4 too, until fleetctl is applied
        [serve."Qwen3.6-2B-MLX-4bit"]
        model    = "qwen3-6-2b-mlx-4bit"
        profile  = "qwen3-6-2b-mlx-4bit"
        on       = ["mini", "studio"]
        ttl      = "900s"
        resident = true

        # Served now and not declared here, because its weights were not found: gone on mini
        # Served now and not declared here, because its weights were not found: gone on studio
        "#);
    }

    #[test]
    fn what_is_not_known_is_a_comment_that_asks_for_it() {
        let down = Found { silent: Some("timed out\u{1b}[2J\nx".to_owned()), ..named("mini") };
        let text = first_fleet(&laptop(false), &[down, named("a-very-long-name-of-a-mac-in-the-office"), named("")]);
        insta::assert_snapshot!(text, @r#"
        # A first fleet file, written by `fleetctl init`. `fleetctl check` says what is missing, `fleetctl plan` what would change.
        schema = 1

        [fleet]
        name     = "home"
        timezone = "Europe/Berlin"   # windows and jobs are meant in this zone
        tailnet  = "t.ts.net"   # a machine is reached at <machine>.<tailnet>
        user     = "ops"   # logs in over SSH; oMLX runs as this user

        # --- oMLX, for every machine. [machines.NAME.omlx] overrides key by key.
        [omlx]
        version = "0.3.8"   # known releases: 0.3.8, 0.5.0, flyto-0.7.0
        program = "/opt/homebrew/bin/omlx"
        bind    = "loopback"   # "all" (demands api_key), "loopback", "tailnet" or an IP address
        port    = 8000
        base    = "~/.omlx"
        weights = "~/models"
        # api_key = { env = "FLEET_OMLX_API_KEY" }   # no machine asks for a key now; "all" demands one

        # It did not answer: timed out\u{1b}[2J\nx
        [machines.mini]
        # chip   = "M4"     # fill in: "M4", "M4 Pro", "M3 Ultra", ...
        # memory = "16GB"   # fill in
        # `fleetctl init --probe` asks the machine for these.

        # a-very-long-name-of-a-mac-in-the-office is no name for a machine here: choose one of a-z, 0-9, - and _, and set address.
        # [machines."a-very-long-name-of-a-mac-in-the-office"]
        # chip   = "M4"     # fill in: "M4", "M4 Pro", "M3 Ultra", ...
        # memory = "16GB"   # fill in
        # `fleetctl init --probe` asks the machine for these.

        #  is no name for a machine here: choose one of a-z, 0-9, - and _, and set address.
        # [machines.""]
        # chip   = "M4"     # fill in: "M4", "M4 Pro", "M3 Ultra", ...
        # memory = "16GB"   # fill in
        # `fleetctl init --probe` asks the machine for these.
        "#);
    }
}
