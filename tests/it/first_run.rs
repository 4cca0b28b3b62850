//! The first day: Macs that already run oMLX as a Homebrew service. What answers before answers afterwards, and going back gives the service back.

use crate::support::lab::{Hosts, Lab};

const KEY: &str = "sk-lab-0123456789";
const MAC: &str = "mac-mini1";

/// What `brew services start omlx` leaves on a machine of somebody who has used oMLX for a while: an agent of the login user.
const SERVICE: &str = r#"
set -e
mkdir -p ~/Library/LaunchAgents ~/Library/Logs ~/.omlx
cat >~/.omlx/settings.json <<'.'
{"version": "1.0", "server": {"host": "0.0.0.0", "port": 8000}, "model": {"model_dirs": ["/Users/ops/models"]}, "auth": {"api_key": "sk-lab-0123456789"}}
.
cat >~/.omlx/model_settings.json <<'.'
{"version": 1, "models": {"Qwen3-alpha": {"is_pinned": true, "max_context_window": 8192, "temperature": 0.6}, "arctic-embed": {"ttl_seconds": 1800}}}
.
cat >~/Library/LaunchAgents/homebrew.mxcl.omlx.plist <<'.'
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>homebrew.mxcl.omlx</string>
<key>ProgramArguments</key><array><string>/opt/homebrew/bin/omlx</string><string>serve</string></array>
<key>KeepAlive</key><true/><key>RunAtLoad</key><true/>
<key>StandardErrorPath</key><string>/Users/ops/Library/Logs/omlx.log</string>
</dict></plist>
.
/bin/launchctl bootstrap gui/501 ~/Library/LaunchAgents/homebrew.mxcl.omlx.plist
/usr/bin/curl -s --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/health
"#;

fn names(lab: &Lab) -> Vec<String> {
    let ask = format!("/usr/bin/curl -s -H 'Authorization: Bearer {KEY}' http://127.0.0.1:8000/v1/models");
    let said = lab.on(MAC, "ops", &ask);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let mut names: Vec<String> = answer["data"]
        .as_array()
        .expect("models")
        .iter()
        .map(|model| model["id"].as_str().expect("an id").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_homebrew_service_is_written_down_taken_over_and_given_back() {
    let spec = tempfile::NamedTempFile::new().expect("a file");
    let text = format!(
        "tailnet = \"lab.ts.net\"\n[hosts.{MAC}]\nchip = \"M4 Pro\"\nomlx = \"0.3.8\"\nmodels = [\"llm=Qwen3-alpha\", \"embedding=arctic-embed\"]\n"
    );
    std::fs::write(spec.path(), text).expect("written");
    let Some(lab) = Lab::up(Hosts::Spec(spec.path())) else { return };
    lab.knob(MAC, "gui_logins", "[501]");
    let said = lab.on(MAC, "ops", SERVICE);
    assert_eq!(said.code, 0, "{said:?}");
    let before = names(&lab);
    assert_eq!(before, ["Qwen3-alpha", "arctic-embed"]);

    let home = lab.home();
    let file = home.join("fleet.toml");
    let fleetctl = |words: &[&str]| {
        let variables = ["/usr/bin/env".to_owned(), format!("FLEET_OMLX_API_KEY={KEY}"), "USER=ops".to_owned()];
        let program = [env!("CARGO_BIN_EXE_fleetctl"), "-f", "/media/laptop/fleet.toml"];
        let words: Vec<&str> =
            variables.iter().map(String::as_str).chain(program).chain(words.iter().copied()).collect();
        lab.laptop(&words)
    };

    // What runs there is in the file, so that taking it over changes no model's settings.
    let said = fleetctl(&["init", "--probe"]);
    assert_eq!(said.code, 0, "{said:?}");
    let written = std::fs::read_to_string(&file).expect("a fleet file");
    insta::assert_snapshot!(written);
    let said = fleetctl(&["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = fleetctl(&["plan", "--json"]);
    assert_eq!(said.code, 6, "{said:?}");
    let plan: serde_json::Value = serde_json::from_str(&said.out).expect("a document");
    let detail = plan["machines"][0]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("homebrew.mxcl.omlx") && detail.contains(" adopt mac-mini1`"), "{detail}");
    let values: Vec<&str> = plan["machines"][0]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter(|change| change["path"] == "/Users/ops/.omlx/model_settings.json" && change["action"] == "update")
        .filter_map(|change| change["key"].as_str())
        .collect();
    assert!(values.is_empty(), "the first apply would change {values:?}");

    let said = fleetctl(&["adopt", MAC, "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("keeps the name Qwen3-alpha"), "{}", said.err);
    assert_eq!(names(&lab), before);
    let service = lab.on(MAC, "ops", "/bin/launchctl print gui/501/homebrew.mxcl.omlx >/dev/null 2>&1; echo $?");
    assert_eq!(service.out, "113\n");
    let said = fleetctl(&["plan", "--exit-code"]);
    assert_eq!(said.code, 0, "{said:?}");

    let said = fleetctl(&["rollback", MAC, "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(names(&lab), before);
    let service = lab.on(MAC, "ops", "/bin/launchctl print gui/501/homebrew.mxcl.omlx | grep -c '^.state = running'");
    assert_eq!(service.out, "1\n");
    let entry = lab.on(MAC, "ops", "cat ~/.omlx/model_settings.json");
    assert!(!entry.out.contains("active_profile_name"), "{}", entry.out);
}
