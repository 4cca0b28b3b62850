//! What must hold for any bytes at all: the bodies of the fuzz targets (`fuzz/`, run by `scripts/fuzz`), and of the tests that replay their seeds and what they
//! once found. Built for tests and fuzzing only.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::command::ask;
use crate::fleet::{Fleet, Machine, MachineName, Release};
use crate::observe::{self, Observed, Path, parse};
use crate::omlx::{self, api};
use crate::plan::{self, Input, Lineage, PlanState};
use crate::render::{self, Values};
use crate::ui::{Palette, plan_text, render_problems, sanitize};
use crate::{config, execute, schedule};

/// The word that brackets the sections of a fuzzed answer.
const NONCE: &str = "n";

/// Outside the example's windows.
const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_795_000_000, 0);

fn example() -> &'static Fleet {
    static EXAMPLE: OnceLock<Fleet> = OnceLock::new();
    EXAMPLE.get_or_init(crate::testing::example)
}

/// The fleet file: whatever the text, every problem can be shown; a fleet renders, has a state at any time, and is itself again in its canonical form.
pub fn fleet_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let loaded = config::load("fleet.toml", &text);
    let shown = render_problems(&loaded.source, &loaded.problems, 100, false);
    assert_shown(&shown);
    let Some(fleet) = loaded.fleet else { return };
    for machine in fleet.machines.iter().take(2) {
        let bundle = render::bundle(&fleet, machine);
        assert!(serde_json::from_str::<Value>(&bundle.manifest()).is_ok());
        drop(schedule::state_at(&fleet, machine, NOW));
    }
    let canonical = fleet.canonical.to_string();
    let again = config::load("fleet.json", &canonical).fleet;
    assert!(again.as_ref() == Some(&fleet), "the canonical form is another fleet: {canonical}");
}

/// The probe's answer: whatever a machine says, its plan, doctor's findings and what is printed of both can be made, and nothing printed moves a cursor.
pub fn probe(bytes: &[u8]) {
    let fleet = example();
    let machine = fleet.machines.get("mac-studio1").expect("a machine of the example");
    let observed = observed(fleet, machine, bytes);
    let bundle = render::bundle(fleet, machine);
    let values = Values::default();
    let planned = plan::plan_machine(&Input {
        fleet,
        machine,
        bundle: &bundle,
        observed: &observed,
        values: &values,
        now: NOW,
        lineage: &Lineage::Unknown,
        allow_older: false,
    });
    assert_eq!(planned.state == PlanState::Changes, planned.transaction.is_some());
    if let Some(transaction) = &planned.transaction {
        // What a machine says of itself must not become a list of what to delete there.
        let base = &machine.omlx.base;
        let ours = |path: &String| crate::fleet::layout::could_be_ours(path, base);
        assert!(transaction.removes.iter().all(ours), "{:?}", transaction.removes);
    }
    assert_shown(&plan_text(std::slice::from_ref(&planned), 80, Palette::new(false)));
    let examined = plan::doctor::Examined {
        fleet,
        machine,
        bundle: &bundle,
        observed: &observed,
        drifts: false,
        peer: None,
        now: NOW,
        quote: &crate::transport::quote,
    };
    for finding in plan::doctor::examine(&examined) {
        assert_shown(&sanitize(&finding.message));
    }
}

fn observed(fleet: &Fleet, machine: &Machine, bytes: &[u8]) -> Observed {
    let bundle = render::bundle(fleet, machine);
    let mut question = ask(fleet, machine, &bundle, Duration::from_secs(20));
    question.checkup = true;
    observe::observed(&machine.name, Path::Tailnet, NOW, &question, bytes, NONCE)
}

/// Every parser of what a tool on a Mac, oMLX or the scripts there print.
pub fn printed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop((parse::launchctl_print(&text), parse::print_disabled(&text), parse::ps(&text), parse::etime(&text)));
    drop((parse::sysctl(&text), parse::df(&text), parse::lsof(&text), parse::stat(&text), parse::shasum(&text)));
    let pages = parse::vm_stat(&text);
    assert!(pages.available().is_none() || pages.page_size.is_some());
    drop(observe::parse_tailnet(&text));
    for name in ["weights", "checkup", "engine"] {
        let section = parse::Section { name, argument: "power", body: bytes };
        drop((parse::weights_files([&section]).fact("/m"), observe::Checkup::of(&[section])));
    }
    drop((parse::engine_answers(&parse::sections(bytes, NONCE)), parse::weights_files(&parse::sections(bytes, NONCE))));
    drop((api::parse::<api::Status>("", bytes), api::parse::<api::ModelsStatus>("", bytes)));
    drop((api::parse::<api::EmbeddingAnswer>("", bytes), api::parse::<api::ErrorAnswer>("", bytes)));
    drop((api::stream_line(&text), omlx::parse_size(&text)));
    execute::read_anything(&MachineName::new("m").expect("a name"), &text);
}

/// oMLX's files: what Python's form writes is the same document; and a plan over any settings.json ends in what is declared.
pub fn omlx_json(bytes: &[u8]) {
    if let Ok(document) = serde_json::from_slice::<Map<String, Value>>(bytes) {
        for release in [Release::V0_3_8, Release::Flyto0_7_0] {
            for write in [omlx::settings_text, omlx::model_settings_text] {
                let text = write(release, &document);
                let again: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
                assert_eq!(Value::Object(again.clone()), Value::Object(document.clone()));
                assert_eq!(write(release, &again), text, "writing it again changes it");
            }
        }
    }
    merge(bytes);
}

/// The merge that a plan asks for, carried out, leaves nothing to merge.
fn merge(bytes: &[u8]) {
    let fleet = example();
    let machine = fleet.machines.get("mac-mini1").expect("a machine of the example");
    let bundle = render::bundle(fleet, machine);
    let values = crate::testing::machine::values();
    let mut observed = observed(fleet, machine, b"");
    let path = format!("{}/settings.json", machine.omlx.base);
    let fact = |bytes: Vec<u8>| crate::testing::machine::file(&machine.user, "staff", 0o600, bytes);
    observed.files.insert(path.clone(), fact(bytes.to_vec()));
    let plan = |observed: &Observed| {
        plan::plan_machine(&Input {
            fleet,
            machine,
            bundle: &bundle,
            observed,
            values: &values,
            now: NOW,
            lineage: &Lineage::Unknown,
            allow_older: false,
        })
    };
    let Some(transaction) = plan(&observed).transaction else { return };
    crate::testing::machine::carry_out(&mut observed, &bundle, &transaction, &values);
    let left: Vec<_> = plan(&observed).changes.into_iter().filter(|change| change.path == path).collect();
    assert!(left.is_empty(), "after an apply: {left:?}");
}

/// No control character but the newline: nothing that a terminal acts on.
fn assert_shown(text: &str) {
    let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}'));
    assert!(bad.is_none(), "{bad:?} is shown: {text:?}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn replay(name: &str, target: fn(&[u8]), directories: &[&str]) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut replayed = 0;
        for directory in directories {
            let directory = root.join(directory);
            for file in crate::fs::names_in(&directory).expect("a directory").into_iter().flatten() {
                let path = directory.join(file);
                if path.is_file() {
                    target(&crate::fs::read_bytes(&path, 1 << 20).expect("a file"));
                    replayed += 1;
                }
            }
        }
        assert!(replayed > 0, "{name} has no seed");
    }

    /// Seeds, and what the fuzzer once found: `fuzz/seeds/TARGET` and `fuzz/found/TARGET`.
    #[test]
    fn seeds_and_findings_are_survived() {
        replay("fleet_file", fleet_file, &["tests/fixtures/fleets", "fuzz/found/fleet_file"]);
        replay("probe", probe, &["fuzz/seeds/probe", "fuzz/found/probe"]);
        replay("printed", printed, &["fuzz/seeds/printed", "fuzz/found/printed"]);
        replay("omlx_json", omlx_json, &["fuzz/seeds/omlx_json", "fuzz/found/omlx_json"]);
    }
}
