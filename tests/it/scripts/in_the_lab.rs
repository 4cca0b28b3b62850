//! The reconciler and jobs where they live: launchd, BSD's commands, a strict oMLX 0.3.8, a clock that is moved.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use fleetctl::fleet::Fleet;
use fleetctl::render::{Bundle, Content, SecretId, Text, Values, bundle};
use fleetctl::secret::{ExposeSecret as _, SecretString};

use crate::support::lab::{Hosts, Lab};

const KEY: &str = "lab's \"key\"";

/// The example in the lab's tailnet, without a gateway.
fn fleet() -> Fleet {
    let text = include_str!("../../../fleet.toml").replace("tail0a1b2c.ts.net", "lab.ts.net");
    let start = text.find("[gateway]").expect("a gateway");
    let end = text.find("# --- Resolver").expect("a resolver");
    let text = format!("{}{}", &text[..start], &text[end..]);
    let text = text.replace("[machines.mac-mini3]", "[machines.mac-mini3]\ntimezone = \"Europe/Berlin\"");
    fleetctl::config::load("fleet.toml", &text).fleet.expect("a fleet")
}

fn filled(text: &Text) -> String {
    let values = Values { secrets: [(SecretId("omlx".to_owned()), SecretString::from(KEY))].into(), tailnet_ip: None };
    match text.fill(&values) {
        Ok(text) => text.expose_secret().to_owned(),
        // oMLX's own signing key is made on the machine.
        Err(_) => text
            .shown()
            .replace("{{secret:omlx}}", &KEY.replace('"', "\\\""))
            .replace("{{secret-key}}", &"0".repeat(64)),
    }
}

/// Puts a bundle on a host, and loads the units named.
fn install(lab: &Lab, host: &str, bundle: &Bundle, units: &[&str]) {
    let mut script = String::from("set -e\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\n");
    let mut line = |text: String| {
        script.push_str(&text);
        script.push('\n');
    };
    for (path, owner, mode) in &bundle.directories {
        line(format!("mkdir -p '{path}'; chown {owner} '{path}'; chmod {mode:o} '{path}'"));
    }
    for entry in &bundle.entries {
        let path = &entry.path;
        let text = match &entry.content {
            Content::Link { target } => {
                line(format!("ln -s '{target}' '{path}'"));
                continue;
            }
            Content::Whole(text) => filled(text),
            Content::Keys(document) => filled(&document.fresh),
        };
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        line(format!("base64 -d >'{path}' <<'E'"));
        for at in (0..encoded.len()).step_by(1000) {
            line(encoded[at..encoded.len().min(at + 1000)].to_owned());
        }
        line(format!("E\nchown {} '{path}'; chmod {:o} '{path}'", entry.owner, entry.mode));
    }
    for unit in bundle.units.iter().filter(|unit| units.contains(&unit.name.as_str())) {
        let (log, owner) = &unit.log;
        line(format!(": >>'{log}'; chown {owner} '{log}'; chmod 0644 '{log}'"));
        line(format!("/bin/launchctl bootstrap system '{}'", unit.plist));
    }
    let mut process = lab
        .laptop_command(&["ssh", &format!("ops@{host}.lab.ts.net"), "sudo -n /bin/sh -s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ssh starts");
    process.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("sent");
    let output = process.wait_with_output().expect("ssh ends");
    assert!(output.status.success(), "{host}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until a command on the host prints what is expected.
fn until(lab: &Lab, host: &str, script: &str, expected: &str) {
    let begun = Instant::now();
    loop {
        let said = lab.on(host, "root", script);
        if said.out.contains(expected) {
            return;
        }
        let logs = || {
            lab.on(host, "root", "tail -n 20 /Library/Logs/fleetctl/*.log /usr/local/var/fleetctl/schedule/state.json")
                .out
        };
        assert!(begun.elapsed() < Duration::from_secs(90), "{host}: {script}\nsaid {said:?}\n{}", logs());
    }
}

const STATE: &str = "tr -d '\\n' </usr/local/var/fleetctl/schedule/state.json";

#[test]
fn a_day_and_a_night_on_the_studio() {
    let Some(lab) = Lab::up(Hosts::Article) else { return };
    let fleet = fleet();
    let host = "mac-studio1";
    lab.does("clock", host, &["--set", "2026-11-24T00:20:00-05:00"]);
    let bundle = bundle(&fleet, fleet.machines.get(host).expect("declared"));
    install(&lab, host, &bundle, &["omlx", "schedule"]);
    // At load: what is resident outside every window.
    until(
        &lab,
        host,
        STATE,
        "\"state\": \"ok\",  \"detail\": null,  \"gateway\": null,  \"window\": null,  \"wanted\": [\"moe-dflash\"],  \"resident\": [\"moe-dflash\"]",
    );
    // launchd starts it at the boundary.
    lab.does("clock", host, &["--set", "2026-11-24T00:29:57-05:00"]);
    until(
        &lab,
        host,
        STATE,
        "\"window\": \"night\",  \"wanted\": [\"moe-batched\", \"dense-thinking\"],  \"resident\": [\"moe-batched\", \"dense-thinking\"]",
    );
    until(&lab, host, STATE, "\"state\": \"ok\"");
    // Booted after the window has closed, with the night's pins in oMLX's file: it converges by itself.
    assert_eq!(lab.on(host, "root", "/bin/launchctl bootout system/dev.fleetctl.schedule").code, 0);
    lab.does("clock", host, &["--set", "2026-11-24T09:00:00-05:00"]);
    lab.does("reboot", host, &[]);
    until(&lab, host, STATE, "\"window\": null,  \"wanted\": [\"moe-dflash\"],  \"resident\": [\"moe-dflash\"]");
    until(
        &lab,
        host,
        "cat /Users/ops/.omlx/model_settings.json | tr -d ' \\n'",
        "\"moe-dflash\":{\"max_context_window\":16384",
    );
    let said = lab.on(host, "ops", "/usr/local/libexec/fleetctl/schedule --wanted");
    assert_eq!((said.code, said.out.as_str()), (0, "moe-dflash\n"), "readable without root: {}", said.err);
    // The key is nowhere but in oMLX's own file.
    let said = lab.on(host, "root", "grep -rlF 'lab'\"'\"'s' /usr/local/var/fleetctl /Library/Logs/fleetctl /Library/LaunchDaemons /tmp 2>/dev/null");
    assert_eq!(said.out, "");
}

/// A real oMLX, on CPU: another release with other habits (it reloads on PUT, and has its own way to load).
#[test]
fn a_boundary_on_the_later_release() {
    let directory = tempfile::tempdir().expect("a directory");
    let spec = directory.path().join("spec.toml");
    let hosts = "[hosts.mac-x]\nmemory = 68719476736\ntimezone = \"Europe/Berlin\"\nomlx = \"flyto-0.7.0\"\nmodels = [\"llm=w1\", \"llm=w2\", \"embedding=arctic\"]\n";
    std::fs::write(&spec, format!("tailnet = \"lab.ts.net\"\n{hosts}")).expect("written");
    let Some(lab) = Lab::up(Hosts::Spec(&spec)) else { return };
    let server = lab.on("mac-x", "ops", "/opt/homebrew/Cellar/omlx/0.7.0/libexec/bin/python3 -c 'import omlx'");
    if server.code != 0 {
        assert!(std::env::var_os("CI").is_none(), "the real server is not installed: run tests/lab/omlx/setup");
        println!("skipped: the real server is not installed (tests/lab/omlx/setup)");
        return;
    }
    let text = r#"
        schema = 1
        fleet = { name = "t", timezone = "Europe/Berlin", tailnet = "lab.ts.net", user = "ops" }
        omlx = { version = "flyto-0.7.0", program = "/opt/homebrew/bin/omlx", bind = "all", api_key = { env = "K" } }
        machines.mac-x = { chip = "M4 Pro", memory = "64GB" }
        models.w1 = { directory = "w1", size = "1MB", kind = "llm" }
        models.w2 = { directory = "w2", size = "1MB", kind = "llm" }
        models.arctic = { directory = "arctic", size = "1MB", kind = "embedding" }
        profiles.p = {}
        serve.day = { model = "w1", profile = "p", on = ["mac-x"], resident = true }
        serve.night = { model = "w2", profile = "p", on = ["mac-x"] }
        serve.vectors = { model = "arctic", profile = "p", on = ["mac-x"] }
        schedules.late = { on = ["mac-x"], window = "00:30-06:30", days = "daily", resident = ["night", "vectors"] }
    "#;
    let loaded = fleetctl::config::load("fleet.toml", text);
    let fleet = loaded.fleet.unwrap_or_else(|| panic!("{:?}", loaded.problems));
    lab.does("clock", "mac-x", &["--set", "2026-11-24T00:20:00+01:00"]);
    let bundle = bundle(&fleet, fleet.machines.get("mac-x").expect("declared"));
    install(&lab, "mac-x", &bundle, &["omlx", "schedule"]);
    until(&lab, "mac-x", STATE, "\"window\": null,  \"wanted\": [\"day\"],  \"resident\": [\"day\"]");
    lab.does("clock", "mac-x", &["--set", "2026-11-24T00:29:57+01:00"]);
    until(&lab, "mac-x", STATE, "\"resident\": [\"night\", \"vectors\"]");
    until(&lab, "mac-x", STATE, "\"loaded\": [\"night\", \"vectors\"],  \"unloaded\": [\"day\"]");
}

#[test]
fn jobs_run_at_their_time_in_the_fleets_zone_and_reach_a_model() {
    let Some(lab) = Lab::up(Hosts::Article) else { return };
    let fleet = fleet();
    let host = "mac-mini3";
    let bundle = bundle(&fleet, fleet.machines.get(host).expect("declared"));
    // The job asks the model that it was given.
    let program = "cat >/opt/homebrew/bin/alexandria <<'E'\n#!/bin/sh\n\
         /usr/bin/curl -sS \"$OPENAI_BASE_URL/chat/completions\" -H \"Authorization: Bearer $OPENAI_API_KEY\" -H 'Content-Type: application/json' \
         -d \"{\\\"model\\\": \\\"$OPENAI_MODEL\\\", \\\"messages\\\": [{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"x\\\"}], \\\"max_tokens\\\": 2}\" >\"$HOME/$1.answer\"\nE\n\
         chmod 0755 /opt/homebrew/bin/alexandria";
    assert_eq!(lab.on(host, "root", program).code, 0);
    // mini3's own clock is Berlin's: 01:15 in New York is 07:15 there.
    lab.does("clock", host, &["--set", "2026-11-24T01:10:00-05:00"]);
    install(&lab, host, &bundle, &["omlx", "job.synthesis-detector", "job.wiki-lint", "job.dedup"]);
    until(&lab, host, "/usr/bin/curl -sS http://127.0.0.1:8000/health", "healthy");
    lab.does("clock", host, &["--set", "2026-11-24T01:14:57-05:00"]);
    until(&lab, host, "cat /usr/local/var/fleetctl/jobs/synthesis-detector.json", "\"exit\": 0");
    until(&lab, host, "cat /Users/ops/synthesis-detector.answer", "[dense-librarian]");
    // By hand, at any time: the others have not run by themselves.
    let jobs = "ls /usr/local/var/fleetctl/jobs";
    assert_eq!(lab.on(host, "root", jobs).out, "synthesis-detector.json\n");
    let by_hand =
        "touch /usr/local/var/fleetctl/jobs/dedup.run; /bin/launchctl kickstart system/dev.fleetctl.job.dedup";
    assert_eq!(lab.on(host, "root", by_hand).code, 0);
    until(&lab, host, "cat /usr/local/var/fleetctl/jobs/dedup.json", "\"by_hand\": true");
    until(&lab, host, "cat /usr/local/var/fleetctl/jobs/dedup.json", "\"exit\": 0");
    let record = lab.on(host, "ops", "stat -f '%Su:%Sg %Lp' /usr/local/var/fleetctl/jobs/dedup.json; plutil -convert xml1 -o /dev/null /usr/local/var/fleetctl/jobs/dedup.json && echo JSON");
    assert_eq!(record.out, "ops:staff 644\nJSON\n", "{}", record.err);
    let arguments = lab.on(host, "root", "cat /Library/Logs/fleetctl/job.*.log");
    assert!(!arguments.out.contains("lab's"), "{}", arguments.out);
}
