//! `bench` against a real server: what it counts is what the server counts.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::fleet_text::{extract, guarded_head, mini};
use crate::support::lab::{Hosts, Lab, Said};

/// One host with the real oMLX (flyto-0.7.0 from PyPI, on CPU) and models of 400 kB.
const HOSTS: &str = "[hosts.mac-a]
omlx = \"flyto-0.7.0\"
models = [\"llm=Qwen3.6-2B-MLX-4bit\", \"embedding=snowflake-arctic-embed-l-v2.0-8bit,dimensions=1024\"]
";

/// Besides the small model an embedding model, and a slot for each.
const MORE: &str = r#"[models.arctic]
directory = "snowflake-arctic-embed-l-v2.0-8bit"
size = "600MB"
kind = "embedding"
dimensions = 1024
[profiles.embed]
[serve.embed-arctic]
model = "arctic"
profile = "embed"
on = ["mac-a"]
resident = true
[slots.extract]
route = ["extract-2b"]
expect = { decode_tps = 0.5 }
[slots.embed]
route = ["embed-arctic"]
"#;

fn fleet() -> String {
    guarded_head("bench", "UTC", "flyto-0.7.0") + &mini("mac-a", "") + &extract(&["mac-a"]) + MORE
}

const FAST: [&str; 8] = ["--tokens", "16", "--words", "16", "--concurrent", "3", "--vectors", "1"];

struct Bench {
    lab: Lab,
}

impl Bench {
    fn up() -> Option<Self> {
        let spec = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(spec.path(), HOSTS).expect("written");
        let bench = Self { lab: Lab::up(Hosts::Spec(spec.path()))? };
        bench.fleet(&fleet());
        let said = bench.fleetctl(&["apply", "--yes", "--quiet"]);
        assert_eq!(said.code, 0, "{said:?}");
        Some(bench)
    }

    fn home(&self) -> PathBuf {
        self.lab.home()
    }

    fn fleet(&self, text: &str) {
        std::fs::write(self.home().join("bench.toml"), text).expect("written");
    }

    fn fleetctl(&self, words: &[&str]) -> Said {
        self.lab.fleetctl(&[&["-f", "/media/laptop/bench.toml"], words].concat())
    }

    fn bench(&self, words: &[&str]) -> (Value, i32) {
        let said = self.fleetctl(&[&["bench", "--json"], words, &FAST].concat());
        let document: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        assert_eq!(document["schema"], "fleetctl.bench/1");
        (document["results"].clone(), said.code)
    }
}

#[test]
fn against_a_real_server() {
    let Some(bench) = Bench::up() else { return };
    capacity_by_the_machines_own_files(&bench);
    counts_are_the_servers_own(&bench);
    a_hot_machine_that_saves_power(&bench);
    expectations_and_history(&bench);
    pages_and_plots(&bench);
    what_cannot_be_measured(&bench);
}

fn capacity_by_the_machines_own_files(bench: &Bench) {
    let resident = |words: &[&str]| -> Value {
        let said = bench.fleetctl(words);
        assert_eq!(said.code, 0, "{said:?}");
        let document: Value = serde_json::from_str(&said.out).expect("JSON");
        document["machines"][0]["windows"][0].clone()
    };
    let declared = resident(&["capacity", "--json"]);
    assert_eq!(
        (&declared["resident"][0]["source"], &declared["headroom"]["system_bytes"]),
        (&"catalogue".into(), &Value::Null)
    );
    let measured = resident(&["capacity", "--measured", "--json"]);
    let own = &measured["resident"][0];
    assert_eq!((&own["served"], &own["source"]), (&"extract-2b".into(), &"measured".into()));
    // The lab's model: two layers of two heads with 16 numbers, 16 bits each, for keys and values; 8192 tokens.
    assert_eq!(own["kv_bytes"], 2 * 2 * 2 * 16 * 2 * 8192);
    assert!(
        own["weights_bytes"].as_u64() < Some(1 << 20) && measured["headroom"]["system_bytes"].is_u64(),
        "{measured}"
    );
    let text = bench.fleetctl(&["capacity", "--measured"]).out;
    assert!(
        text.contains("numbers: measured;") && text.contains("edge-2b has 4") && text.contains("declared are 1.6 GiB"),
        "{text}"
    );
    bench.lab.fault("mac-a", &["refuse"]);
    let silent = bench.fleetctl(&["capacity", "--measured"]);
    bench.lab.heal("mac-a");
    assert!(silent.code == 1 && silent.err.contains("its declared numbers are shown"), "{silent:?}");
    assert!(silent.out.contains("numbers: size declared, shape by the catalogue"), "{silent:?}");
}

fn counts_are_the_servers_own(bench: &Bench) {
    let (results, code) = bench.bench(&[]);
    assert_eq!(code, 0, "{results}");
    let results = results.as_array().expect("results");
    let asked: Vec<(&str, u64)> = results
        .iter()
        .map(|entry| (entry["served"].as_str().expect("a name"), entry["concurrent"].as_u64().expect("a number")))
        .collect();
    assert_eq!(asked, [("extract-2b", 1), ("extract-2b", 3), ("embed-arctic", 1)]);
    for entry in results {
        let conditions = &entry["conditions"];
        assert_eq!(entry["verdict"], "ok", "{entry}");
        assert_eq!(conditions["counted_requests"], conditions["requests"], "{entry}");
        if entry["kind"] == "chat" {
            let requests = 6 * entry["concurrent"].as_u64().expect("a number");
            assert_eq!(conditions["requests"], requests, "one run is discarded, and counted by the server: {entry}");
            assert_eq!(conditions["counted_tokens"], conditions["tokens_in_all"], "{entry}");
            assert_eq!(conditions["tokens_in_all"], requests * 16, "{entry}");
            assert!(entry["decode_tps"]["median"].as_f64() > Some(1.0), "{entry}");
            assert!(entry["ttft"]["median"].as_f64() > Some(0.0), "{entry}");
            let bound = &entry["bound"];
            assert_eq!((&bound["kind"], &bound["shape_by"]), (&"plain".into(), &"measured".into()), "{entry}");
            let numbers = [&entry["decode_tps"]["median"], &bound["tps"], &bound["share"]]
                .map(|number| number.as_f64().expect("a number"));
            assert!((numbers[0] / numbers[1] / numbers[2] - 1.0).abs() < 1e-9, "{entry}");
        } else {
            assert_eq!(entry["dimensions"], 1024, "{entry}");
            assert!(entry["vectors_per_second"]["median"].as_f64() > Some(0.1), "{entry}");
        }
        assert_eq!(conditions["in_flight"], 0, "{entry}");
        assert_eq!(conditions["power_mode"], "normal", "{entry}");
        assert_eq!(conditions["thermal_after"], "nominal", "{entry}");
    }
}

/// The conditions say it, and so does the table.
fn a_hot_machine_that_saves_power(bench: &Bench) {
    bench.lab.fault("mac-a", &["override", "thermal_pressure=2", "pmset={\"lowpowermode\": \"1\"}"]);
    let (results, code) = bench.bench(&["embed"]);
    let conditions = &results[0]["conditions"];
    assert_eq!(
        (&conditions["power_mode"], &conditions["thermal_before"], code),
        (&"low".into(), &"heavy".into(), 0),
        "{results}"
    );
    bench.lab.heal("mac-a");
    // Without SSH the answers are still measured; power and heat are not known then.
    bench.lab.fault("mac-a", &["refuse"]);
    let (results, code) = bench.bench(&["embed"]);
    bench.lab.heal("mac-a");
    let conditions = &results[0]["conditions"];
    assert_eq!((&conditions["power_mode"], code), (&Value::Null, 0), "{results}");
    assert_eq!(results[0]["verdict"], "ok", "{results}");
}

fn expectations_and_history(bench: &Bench) {
    bench.fleet(&fleet().replace("decode_tps = 0.5", "decode_tps = 1000000"));
    let (results, code) = bench.bench(&["extract", "--check"]);
    assert_eq!((&results[0]["verdict"], code), (&"below-expectation".into(), 5), "{results}");
    let detail = results[0]["detail"].as_str().expect("said");
    assert!(detail.contains("extract expects 1000000 tok/s of decoding"), "{detail}");
    let (_, code) = bench.bench(&["extract"]);
    assert_eq!(code, 0, "only --check makes it a difference");
    let status = bench.fleetctl(&["status", "--json"]);
    let document: Value = serde_json::from_str(&status.out).expect("JSON");
    let alerts = document["machines"][0]["alerts"].as_array().expect("alerts");
    assert!(alerts.iter().any(|alert| alert["code"] == "expectation-missed"), "{alerts:?}");
    bench.fleet(&fleet());
    // A history in which the machine was steady and much faster, under the same terms.
    let history = bench.home().join(".local/state/fleetctl/bench/bench.sqlite");
    let store = rusqlite::Connection::open(&history).expect("the history");
    assert!(store.execute("update results set speed = 1000000", []).expect("made faster") >= 5);
    drop(store);
    bench.bench(&["extract"]);
    let (results, code) = bench.bench(&["extract", "--check"]);
    assert_eq!((&results[0]["verdict"], code), (&"dropped".into(), 5), "{results}");
}

fn pages_and_plots(bench: &Bench) {
    let said = bench.fleetctl(&["bench", "extract", "--history", "--html", "/media/laptop/bench.html"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("extract-2b on mac-a, edge, tok/s") && said.out.contains('█'), "{said:?}");
    let page = std::fs::read_to_string(bench.home().join("bench.html")).expect("the page");
    assert!(
        page.contains("<polyline")
            && page.contains("extract-2b on mac-a")
            && !page.contains("http://")
            && !page.contains("https://"),
        "{page}"
    );
    let measured = bench.fleetctl(&["bench", "extract", "--history", "--json"]);
    let known: Value = serde_json::from_str(&measured.out).expect("JSON");
    assert!(known["results"].as_array().expect("results").len() >= 8, "{known}");
    // A damaged history is kept aside, and measuring goes on.
    let history = bench.home().join(".local/state/fleetctl/bench/bench.sqlite");
    for beside in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{beside}", history.display())));
    }
    std::fs::write(&history, [b'x'; 9000]).expect("damaged");
    let said = bench.fleetctl(&["bench", "extract", "--history"]);
    assert!(said.code == 0 && said.err.contains("is damaged: it is kept as"), "{said:?}");
    assert!(said.out.contains("nothing was measured yet"), "{said:?}");
    assert!(Path::new(&history).exists());
}

fn what_cannot_be_measured(bench: &Bench) {
    let unknown = bench.fleetctl(&["bench", "extrct"]);
    assert!(unknown.code == 2 && unknown.err.contains("extract"), "{unknown:?}");
    let few = bench.fleetctl(&["bench", "extract", "--runs", "4"]);
    assert_eq!(few.code, 2, "a median of four is none: {few:?}");
    bench.fleet(&fleet().replace("port = 8000", "port = 8001"));
    let (results, code) = bench.bench(&["extract"]);
    assert_eq!((&results[0]["verdict"], code), (&"failed".into(), 1), "{results}");
    assert_eq!(results.as_array().expect("results").len(), 1, "not asked again at once: {results}");
}
