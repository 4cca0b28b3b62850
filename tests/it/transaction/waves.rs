//! Several machines: waves stop at a failure, and all or nothing takes back what was done.

use super::holds::{Way, fleet_text};
use super::host::{self, Host};

const SECOND: &str = "mac-mini2";

fn results(text: &str) -> Vec<(String, String, String)> {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let word = |machine: &serde_json::Value, name: &str| machine[name].as_str().unwrap_or_default().to_owned();
    document["machines"]
        .as_array()
        .expect("machines")
        .iter()
        .map(|machine| (word(machine, "name"), word(machine, "result"), word(machine, "detail")))
        .collect()
}

fn words(results: &[(String, String, String)]) -> Vec<&str> {
    results.iter().map(|(_, result, _)| result.as_str()).collect()
}

#[test]
fn a_failed_wave_stops_the_next_and_all_or_nothing_takes_back() {
    if !host::possible() {
        return;
    }
    let second = format!(
        "[hosts.{SECOND}]\nomlx = \"0.3.8\"\nreal_disk = 134217728\nmodels = [\"llm=Qwen3-alpha\", \"llm=Qwen3-beta\"]"
    );
    let host = Host::with("waves", &second);
    let both = |state| {
        fleet_text(Way::Restart, state).replace(
            "[models.alpha]",
            &format!("[machines.{SECOND}]\nchip = \"M4\"\nmemory = \"16GB\"\n[models.alpha]"),
        )
    };
    let files = [0, 1].map(|state: usize| host.write_fleet(&format!("{state}.toml"), &both(state)));
    for name in [host::HOST, SECOND] {
        assert!(host.on(name, "true").status.success());
    }
    let (code, out, err) = host.fleetctl(&files[0], &["apply", "--yes", "--json"]);
    assert_eq!((code, words(&results(&out))), (0, vec!["applied", "applied"]), "{out}{err}");
    let broken = "printf '{\"fail_load\": [\"alpha\"]}' >/var/lab/omlx/8000.json; chmod 644 /var/lab/omlx/8000.json";
    let mended = "rm -f /var/lab/omlx/8000.json; launchctl kickstart -k system/dev.fleetctl.omlx";

    // The first wave fails: the second does not begin.
    assert!(host.on(host::HOST, broken).status.success());
    let (code, out, err) = host.fleetctl(&files[1], &["apply", "--yes", "--json", "--wave", "1,100%"]);
    let seen = results(&out);
    assert_eq!((code, words(&seen)), (7, vec!["reverted", "postponed"]), "{out}{err}");
    assert!(seen[1].2.contains("not begun"), "{out}");
    assert!(host.on(host::HOST, mended).status.success());

    // The second wave fails: what the first did stays, and the report says which machine is where.
    assert!(host.on(SECOND, broken).status.success());
    let (code, out, err) = host.fleetctl(&files[1], &["apply", "--yes", "--json", "--wave", "1,100%"]);
    assert_eq!((code, words(&results(&out))), (7, vec!["applied", "reverted"]), "{out}{err}");
    let (code, out, err) = host.fleetctl(&files[0], &["apply", "--yes", "--json", "--on", host::HOST]);
    assert_eq!(code, 0, "{out}{err}");

    // All or nothing: it is taken back.
    let (code, out, err) =
        host.fleetctl(&files[1], &["apply", "--yes", "--json", "--wave", "1,100%", "--all-or-nothing"]);
    let seen = results(&out);
    assert_eq!((code, words(&seen)), (7, vec!["reverted", "reverted"]), "{out}{err}");
    assert!(seen[0].2.contains("taken back"), "{out}");
    assert!(host.on(SECOND, mended).status.success());
    let (code, out, err) = host.fleetctl(&files[0], &["apply", "--yes", "--json", "--on", host::HOST]);
    assert_eq!((code, words(&results(&out))), (0, vec!["unchanged"]), "{out}{err}");
}
