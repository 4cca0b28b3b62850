//! Transactions by hand: from nothing, or from one bundle to another. What the planner decides is not the matter here.

use std::time::Duration;

use fleetctl::fleet::Fleet;
use fleetctl::plan::{
    Ask, Drain, Found, FoundBytes, Gate, Merge, Put, Text, Transaction, UnitAction, UnitStep, Values,
};
use fleetctl::render::{Bundle, Content, Encoding, Entry, OwnedDocument, Placeholder, SecretId, UnitKind, Wanted};
use fleetctl::secret::SecretString;

pub(crate) const KEY: &str = "key-of-the-lab-0123456789";

pub(crate) fn fleet(profile_temperature: &str, more: &str) -> Fleet {
    let text = format!(
        "schema = 1\n[fleet]\nname = \"lab\"\ntimezone = \"UTC\"\ntailnet = \"lab.ts.net\"\nuser = \"ops\"\ngate = \"40s\"\n\
         [omlx]\nversion = \"0.3.8\"\nprogram = \"/opt/homebrew/bin/omlx\"\nbind = \"all\"\nport = 8000\nbase = \"~/.omlx\"\nweights = \"~/models\"\napi_key = {{ env = \"K\" }}\n\
         [machines.mac-mini1]\nchip = \"M4\"\nmemory = \"16GB\"\n\
         [models.alpha]\ndirectory = \"Qwen3-alpha\"\nsize = \"3GB\"\nkind = \"llm\"\n\
         [models.beta]\ndirectory = \"Qwen3-beta\"\nsize = \"2GB\"\nkind = \"llm\"\n\
         [profiles.plain]\ntemperature = {profile_temperature}\n\
         [serve.alpha]\nmodel = \"alpha\"\nprofile = \"plain\"\non = [\"mac-mini1\"]\nresident = true\n{more}"
    );
    let loaded = fleetctl::config::load("fleet.toml", &text);
    let problems: Vec<String> = loaded.problems.iter().map(|problem| problem.message.clone()).collect();
    loaded.fleet.unwrap_or_else(|| panic!("{problems:?}"))
}

pub(crate) fn bundle(fleet: &Fleet) -> Bundle {
    fleetctl::render::bundle(fleet, fleet.machines.get("mac-mini1").expect("declared"))
}

pub(crate) fn values() -> Values {
    Values { secrets: [(SecretId("omlx".to_owned()), SecretString::from(KEY))].into(), tailnet_ip: None }
}

fn value(wanted: &Wanted) -> Option<Text> {
    match wanted {
        Wanted::Value(value) => Some(Text::literal(value.to_string())),
        Wanted::Hole(placeholder) => {
            let mut text = Text::literal("\"");
            text.push_hole(placeholder.clone(), Encoding::JsonString);
            text.push("\"");
            Some(text)
        }
        Wanted::Absent => None,
    }
}

fn merge(entry: &Entry, document: &OwnedDocument) -> Merge {
    let set = document
        .keys
        .iter()
        .filter(|key| !matches!(key.wanted, Wanted::Hole(Placeholder::SecretKey)))
        .filter_map(|key| value(&key.wanted).map(|text| (key.path.clone(), text)))
        .collect();
    let remove = document.keys.iter().filter(|key| key.wanted == Wanted::Absent).map(|key| key.path.clone()).collect();
    Merge {
        path: entry.path.clone(),
        owner: entry.owner.clone(),
        set,
        remove,
        fresh: document.fresh.clone(),
        keep_aside: false,
    }
}

/// From `old` (or nothing) to `new`; `seen` gives the bytes of oMLX's files as they are on the machine.
pub(crate) fn between(
    fleet: &Fleet,
    old: Option<&Bundle>,
    new: &Bundle,
    seen: impl Fn(&str) -> Vec<u8>,
) -> Transaction {
    let machine = fleet.machines.get("mac-mini1").expect("declared");
    let mut transaction = Transaction {
        machine: machine.name.clone(),
        user: machine.user.clone(),
        base: machine.omlx.base.clone(),
        found: Vec::new(),
        directories: new.directories.clone(),
        puts: Vec::new(),
        merges: Vec::new(),
        links: Vec::new(),
        removes: Vec::new(),
        units: Vec::new(),
        live: Vec::new(),
        drain: Drain::Engine,
        idle_units: Vec::new(),
        keys_written: std::collections::BTreeMap::new(),
        port: 8000,
        gate: Gate {
            engine: true,
            release: machine.omlx.release,
            url: Text::literal("http://127.0.0.1:8000"),
            within: Duration::from_secs(40),
            listed: fleet.served_on(&machine.name).map(|served| served.name.clone()).collect(),
            resident: fleet.baseline_residents(&machine.name).map(|served| served.name.clone()).collect(),
            by_clock: false,
            ask: fleet
                .served_on(&machine.name)
                .map(|served| Ask { name: served.name.clone(), embedding: false, optional: false })
                .collect(),
        },
        manifest: new.manifest(),
    };
    for entry in &new.entries {
        let before = old.and_then(|old| old.entry(&entry.path));
        if before == Some(entry) {
            continue;
        }
        match (&entry.content, before.map(|entry| &entry.content)) {
            (Content::Whole(text), before) => {
                transaction.found.push(match before {
                    Some(Content::Whole(text)) => {
                        Found::Bytes { path: entry.path.clone(), sha256: sha256(&text.shown()) }
                    }
                    _ => Found::Missing(entry.path.clone()),
                });
                transaction.puts.push(Put {
                    path: entry.path.clone(),
                    owner: entry.owner.clone(),
                    mode: entry.mode,
                    text: text.clone(),
                });
            }
            (Content::Keys(document), before) => {
                transaction.found.push(if before.is_some() {
                    Found::Keys {
                        path: entry.path.clone(),
                        keys: document.keys.iter().map(|key| key.path.clone()).collect(),
                        bytes: FoundBytes(seen(&entry.path)),
                    }
                } else {
                    Found::Missing(entry.path.clone())
                });
                transaction.merges.push(merge(entry, document));
            }
            (Content::Link { target }, before) => {
                transaction.found.push(match before {
                    Some(Content::Link { target }) => Found::Link { path: entry.path.clone(), target: target.clone() },
                    _ => Found::Missing(entry.path.clone()),
                });
                transaction.links.push((entry.path.clone(), target.clone(), entry.owner.clone()));
            }
        }
    }
    for entry in old.map_or(&[][..], |old| &old.entries) {
        if new.entry(&entry.path).is_none() {
            transaction.removes.push(entry.path.clone());
        }
    }
    for unit in &new.units {
        let is_new = old.is_none_or(|old| !old.units.iter().any(|before| before.name == unit.name));
        if is_new || unit.kind == UnitKind::Omlx {
            transaction.units.push(UnitStep {
                name: unit.name.clone(),
                label: unit.label.clone(),
                kind: unit.kind,
                plist: unit.plist.clone(),
                log: Some(unit.log.clone()),
                action: if is_new { UnitAction::Start } else { UnitAction::Restart },
            });
        }
    }
    transaction
}

pub(crate) fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
