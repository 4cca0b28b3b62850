//! `engine_models` of the runner: oMLX's own list, by name.

use super::{Host, shells, told};

const JSON: &str = include_str!("../../../templates/json.sh");
const ENGINE: &str = include_str!("../../../templates/apply/engine.sh");

/// An exposed profile (0.5.0) is told with the state of its engine (0.4.5.dev1 `server.py`, `_with_exposed_profile_status`): the runner waits for it to be
/// listed, and unloads the engine alone.
#[test]
fn an_exposed_profile_is_listed_and_never_loaded_by_itself() {
    let answer = r#"{"models": [
        {"id": "dense", "loaded": true, "is_loading": false},
        {"id": "edge", "loaded": false, "is_loading": true},
        {"id": "dense:direct", "loaded": true, "is_loading": false, "source_model_id": "dense", "profile_api_name": "direct"}
    ]}"#;
    for shell in shells() {
        let host = Host::at(1_764_000_000);
        std::fs::write(host.path("answer"), answer).expect("written");
        let script = format!(
            "set -u\nLC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nTMP={directory}\n{JSON}\n{ENGINE}\napi() {{ :; }}\n\
             engine_models && cat \"$TMP/models\" && model dense:direct && model dense && model edge && model none\n",
            directory = host.path("").display()
        );
        let said = told(&host.run(&shell, &script, &[]));
        let rows = "dense\ttrue\tfalse\nedge\tfalse\ttrue\ndense:direct\tfalse\tfalse\n";
        assert_eq!(said, format!("exit Some(0)\n{rows}listed\nloaded\nloading\nmissing\n"), "{shell:?}");
    }
}
