//! What the gateway's recorder (templates/gateway/pairs.py) writes is what `shadow import` reads: the real file, under Python, with callbacks as
//! LiteLLM makes them and a stand-in for its one class.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::scripted::{fleet, report};
use crate::support::Fleetctl;

/// Forty mirrored requests, one side first and then the other; one fleet that timed out, one that said nothing, one reference that failed, one
/// reference whose mirror never came, one request that belongs to no mirror.
const CALLS: &str = r#"
import asyncio, datetime, types
from pairs import pairs

def answer(text):
    return types.SimpleNamespace(choices=[types.SimpleNamespace(message=types.SimpleNamespace(content=text))])

def call(group, number, text, seconds, error=None):
    start = datetime.datetime(2026, 1, 2, 3, 4, 5)
    end = start + datetime.timedelta(seconds=seconds)
    kwargs = {"model": "m-" + group, "messages": [{"role": "user", "content": f"judge listing {number}"}],
              "litellm_params": {"metadata": {"model_group": group}}, "exception": error}
    event = pairs.async_log_failure_event if error else pairs.async_log_success_event
    asyncio.run(event(kwargs, None if error else answer(text), start, end))

for number in range(40):
    said = '{"score": %d, "tier": "%s"}' % (90 - 25 * (number % 4), ["Strong", "Medium", "Weak", "No"][number % 4])
    sides = [("shadow.job", said, 2.0), ("score", "Sure:\n```json\n" + said + "\n```\u001b[2J", 9.5)]
    for group, text, seconds in sides if number % 2 else reversed(sides):
        error = None
        if (group, number) == ("score", 3):
            error = TimeoutError("Request timed out.")
        if (group, number) == ("shadow.job", 6):
            error = RuntimeError("overloaded")
        call(group, number, None if (group, number) == ("score", 5) else text, seconds, error)
call("shadow.job", 900, "{}", 1.0)
asyncio.run(pairs.async_log_success_event({"model": "x", "messages": "no list", "litellm_params": None}, answer("{}"), None, None))
"#;

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    std::fs::write(path, text).expect("written");
}

#[test]
fn what_the_gateway_records_is_imported() {
    let fleetctl = Fleetctl::with_fleet(&fleet("http://127.0.0.1:1/v1", 1, true, 75));
    let directory = fleetctl.directory().join("gateway");
    write(&directory.join("pairs.py"), include_str!("../../../templates/gateway/pairs.py"));
    write(&directory.join("litellm/integrations/custom_logger.py"), "class CustomLogger:\n    pass\n");
    write(&directory.join("calls.py"), CALLS);
    let said = Command::new("python3").arg("calls.py").current_dir(&directory).output().expect("python3 runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let recorded = directory.join("pairs.jsonl");
    let mode = std::fs::metadata(&recorded).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds inputs and answers");

    let imported = fleetctl.run(&["shadow", "import", "job", "gateway/pairs.jsonl"]);
    assert_eq!(imported.exit, Some(0), "{imported}");
    assert_eq!(imported.stderr, "job: 40 new pairs, 0 known already\n");
    let document = report(&fleetctl);
    let measures = &document["measures"];
    assert_eq!(document["n"], 39, "a failed reference voids the pair");
    assert_eq!(
        (&measures["tier_agreement"]["n"], &measures["pearson"]["n"], &measures["latency_p50"]["value"]),
        (&json!(39), &json!(37), &json!(9.5))
    );
    let told = fleetctl.run(&["shadow", "report", "job"]).stdout;
    assert!(told.contains("39 pairs of 39 different inputs, 1 void (the reference failed)"), "{told}");
    assert!(told.contains("failed local answers count as disagreements: empty 1, timeout 1"), "{told}");
    let again = fleetctl.run(&["shadow", "import", "job", "gateway/pairs.jsonl"]);
    assert_eq!(again.stderr, "job: 0 new pairs, 40 known already\n");
}
