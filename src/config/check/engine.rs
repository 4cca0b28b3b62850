//! `[omlx]`, and `[machines.NAME.omlx]` laid over it key by key.

use std::collections::BTreeMap;

use super::values::{self, Problems, quoted};
use super::{secrets, values::expand};
use crate::config::node::{Node, Value};
use crate::config::raw::RawOmlx;
use crate::config::read::Map;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bind, Engine, Release, SecretSource, SettingPath};
use crate::omlx;

/// A release that fleetctl does not know.
pub(crate) static UNKNOWN_RELEASE: Code = Code {
    id: "unknown-release",
    severity: Severity::Error,
    title: "a release of oMLX that is not known",
    explanation: "File formats, ranges and memory arithmetic differ between releases, so each known one has its own table. \
                  \"flyto-0.7.0\" is the fork on PyPI (its base is 0.3.12); oMLX has no 0.7.0 of its own here.",
};

/// Everybody may use the model server.
pub(crate) static OPEN_WITHOUT_KEY: Code = Code {
    id: "bind-without-key",
    severity: Severity::Error,
    title: "a server that listens everywhere without a key",
    explanation: "With bind = \"all\" everybody on every network of the machine reaches the server; without a key they may use it. \
                  (In oMLX a server without a key also lets the first visitor set up the admin interface.)",
};

/// A setting that other keys decide.
pub(crate) static RESERVED_SETTING: Code = Code {
    id: "reserved-setting",
    severity: Severity::Error,
    title: "a setting of server, model or auth",
    explanation: "oMLX's sections server, model and auth are decided by [omlx].bind, .port, .weights and .api_key; two sources for one \
                  value would contradict each other.",
};

/// A variable that fleetctl must not set.
pub(crate) static RESERVED_VARIABLE: Code = Code {
    id: "reserved-variable",
    severity: Severity::Error,
    title: "a variable that the environment may not hold",
    explanation: "OMLX_* variables override settings.json and would be written back into it at each start, so the file would no \
                  longer decide; and a plist is readable by everybody on the machine, so it may hold no secret. A variable's name is \
                  letters, digits and underscores; its value has no control characters.",
};

pub(crate) static CODES: [&Code; 4] = [&UNKNOWN_RELEASE, &OPEN_WITHOUT_KEY, &RESERVED_SETTING, &RESERVED_VARIABLE];

/// One table's keys, checked by themselves; paths may still start with `~`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) release: Option<Release>,
    program: Option<String>,
    pub(crate) bind: Option<Bind>,
    port: Option<u16>,
    base: Option<String>,
    weights: Option<String>,
    api_key: Option<SecretSource>,
    environment: BTreeMap<String, String>,
    settings: BTreeMap<SettingPath, serde_json::Value>,
}

/// Checks one table.
pub(crate) fn parts(raw: &RawOmlx, what: &str, problems: &mut Problems) -> Parts {
    let named = |key: &str| format!("{what}.{key}");
    Parts {
        release: raw.version.as_ref().and_then(|version| {
            let release = Release::parse(&version.value);
            if release.is_none() {
                let known = Release::ALL.map(Release::as_str);
                problems.push(
                    Problem::at(
                        &UNKNOWN_RELEASE,
                        version.span.clone(),
                        format!("oMLX {} is not among the known releases", quoted(&version.value)),
                    )
                    .help(format!("known are {}", known.join(", "))),
                );
            }
            release
        }),
        program: values::path(raw.program.as_ref(), true, &named("program"), problems),
        bind: values::bind(raw.bind.as_ref(), &named("bind"), problems),
        port: values::port(raw.port.as_ref(), &named("port"), problems),
        base: values::path(raw.base.as_ref(), true, &named("base"), problems),
        weights: values::path(raw.weights.as_ref(), true, &named("weights"), problems),
        api_key: secrets::source(raw.api_key.as_ref(), &named("api_key"), problems),
        environment: environment(raw.environment.as_ref(), &named("environment"), true, problems),
        settings: settings(raw, problems),
    }
}

/// Variables that a plist may hold; oMLX's daemon may not hold oMLX's own.
pub(crate) fn environment(
    raw: Option<&crate::config::read::Map<crate::config::node::Spanned<String>>>,
    what: &str,
    for_omlx: bool,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let mut sound = BTreeMap::new();
    for (name, key, value) in raw.into_iter().flat_map(Map::iter) {
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        let upper = name.to_ascii_uppercase();
        let wrong = if !is_name {
            Some(format!("{} is no name of a variable", quoted(name)))
        } else if for_omlx && crate::omlx::is_refused_variable(&upper) {
            Some(format!("{what} may not hold {name}: it would override settings.json"))
        } else if ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS"]
            .iter()
            .any(|word| upper == *word || upper.ends_with(&format!("_{word}")))
        {
            Some(format!("{what} may not hold {name}: a plist is readable by everybody on the machine"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            problems.push(Problem::at(&RESERVED_VARIABLE, key.clone(), wrong));
            continue;
        }
        let Some(value) = value else { continue };
        if value.value.chars().any(char::is_control) {
            problems.push(Problem::at(
                &RESERVED_VARIABLE,
                value.span.clone(),
                format!("{what}.{name} holds control characters"),
            ));
            continue;
        }
        if secrets::looks_like_one(&value.value) {
            problems.push(
                Problem::at(&secrets::LITERAL_SECRET, value.span.clone(), format!("{what}.{name} looks like a secret"))
                    .help("a plist is readable by everybody on the machine: let the program read it from a file of its own"),
            );
            continue;
        }
        sound.insert(name.to_owned(), value.value.clone());
    }
    sound
}

/// `[omlx.settings]`: dotted keys and tables alike, down to the leaves.
fn settings(raw: &RawOmlx, problems: &mut Problems) -> BTreeMap<SettingPath, serde_json::Value> {
    let mut leaves = BTreeMap::new();
    for (section, key, node) in raw.settings.iter().flat_map(Map::iter) {
        if omlx::DECIDED_ELSEWHERE.contains(&section) {
            let instead = match section {
                "server" => "[omlx].bind and [omlx].port decide",
                "model" => "[omlx].weights decides",
                _ => "[omlx].api_key decides",
            };
            problems.push(
                Problem::at(&RESERVED_SETTING, key.clone(), format!("`{section}` is not decided by [omlx.settings]"))
                    .help(format!("{instead} it")),
            );
            continue;
        }
        if let Some(node) = node {
            flatten(&mut vec![section.to_owned()], node, &mut leaves);
        }
    }
    leaves
}

fn flatten(path: &mut Vec<String>, node: &Node, leaves: &mut BTreeMap<SettingPath, serde_json::Value>) {
    match &node.value {
        Value::Table(table) if !table.is_empty() => {
            for (key, entry) in table {
                path.push(key.clone());
                flatten(path, &entry.node, leaves);
                path.pop();
            }
        }
        value => {
            leaves.insert(SettingPath(path.clone()), value.to_json());
        }
    }
}

/// The engine of one machine: its own keys over the fleet's over the defaults. `None` without a release.
pub(crate) fn merged(fleet: &Parts, own: &Parts, home: &str) -> Option<Engine> {
    let path = |own: &Option<String>, fleet: &Option<String>, default: &str| {
        expand(own.as_deref().or(fleet.as_deref()).unwrap_or(default), home)
    };
    let mut environment = fleet.environment.clone();
    environment.extend(own.environment.clone());
    let mut settings = fleet.settings.clone();
    settings.extend(own.settings.clone());
    Some(Engine {
        release: own.release.or(fleet.release)?,
        program: path(&own.program, &fleet.program, "/opt/homebrew/bin/omlx"),
        bind: own.bind.or(fleet.bind).unwrap_or(Bind::Loopback),
        port: own.port.or(fleet.port).unwrap_or(8000),
        base: path(&own.base, &fleet.base, "~/.omlx"),
        weights: path(&own.weights, &fleet.weights, "~/models"),
        api_key: own.api_key.clone().or_else(|| fleet.api_key.clone()),
        environment,
        settings,
    })
}
