//! Bundles of the example and of what an operator may write instead.

use std::collections::BTreeSet;

use super::*;
use crate::render::{Hold, Wanted};
use crate::testing;

const EXAMPLE: &str = include_str!("../../fleet.toml");

fn of(fleet: &Fleet, machine: &str) -> Bundle {
    bundle(fleet, fleet.machines.get(machine).expect("declared"))
}

fn text(bundle: &Bundle, path: &str) -> String {
    match &bundle.entry(path).unwrap_or_else(|| panic!("nothing at {path}")).content {
        Content::Whole(text) => text.shown(),
        Content::Keys(document) => document.fresh.shown(),
        Content::Link { target } => target.clone(),
    }
}

fn document<'a>(bundle: &'a Bundle, path: &str) -> &'a OwnedDocument {
    match &bundle.entry(path).expect("there").content {
        Content::Keys(document) => document,
        Content::Whole(_) | Content::Link { .. } => panic!("{path} is not oMLX's"),
    }
}

fn json(bundle: &Bundle, path: &str) -> serde_json::Value {
    serde_json::from_str(&text(bundle, path)).expect("JSON")
}

#[test]
fn every_path_is_absolute_once_sorted_and_in_a_directory_that_is_there() {
    let fleet = testing::example();
    for machine in fleet.machines.iter() {
        let bundle = bundle(&fleet, machine);
        assert_eq!(bundle, super::bundle(&fleet, machine), "the same input, the same bundle");
        let paths: Vec<&str> = bundle.entries.iter().map(|entry| entry.path.as_str()).collect();
        assert!(paths.is_sorted_by(|one, other| one < other), "{paths:?}");
        let directories: BTreeSet<&str> = bundle.directories.iter().map(|(path, ..)| path.as_str()).collect();
        for path in paths {
            assert!(path.starts_with('/') && !path.contains("/../") && !path.contains("//"), "{path}");
            let (parent, _) = path.rsplit_once('/').expect("absolute");
            assert!(directories.contains(parent) || parent == layout::DAEMONS, "{parent} is nowhere made");
        }
        for (path, ..) in &bundle.directories {
            let (parent, _) = path.rsplit_once('/').expect("absolute");
            let before = bundle.directories.iter().take_while(|(other, ..)| other != path);
            assert!(!directories.contains(parent) || before.clone().any(|(other, ..)| other == parent), "{path}");
        }
        for unit in &bundle.units {
            assert!(bundle.entry(&unit.plist).is_some(), "{}", unit.plist);
            let known = |path: &String| bundle.entry(path).is_some();
            assert!(unit.reads.iter().chain(&unit.reloads).all(known), "{:?} {:?}", unit.reads, unit.reloads);
            let program = &unit.loaded.arguments[0];
            assert!(!program.starts_with(layout::LIB) || bundle.entry(program).is_some(), "{program}");
            assert_eq!(Some(&unit.log.0), unit.loaded.stdout.as_ref());
        }
        assert_eq!(bundle.units[0].name, "omlx");
    }
}

#[test]
fn secrets_are_holes_in_private_files_and_nowhere_else() {
    let fleet = testing::example();
    for machine in fleet.machines.iter() {
        for entry in bundle(&fleet, machine).entries {
            let holds_secret = match &entry.content {
                Content::Whole(text) => text.holds_secret(),
                Content::Keys(document) => document.fresh.holds_secret(),
                Content::Link { .. } => false,
            };
            assert!(!holds_secret || entry.mode == 0o600, "{}", entry.path);
            assert!(!holds_secret || !entry.path.starts_with(layout::DAEMONS), "{}", entry.path);
        }
    }
}

#[test]
fn pins_belong_to_the_reconciler_where_windows_decide() {
    let fleet = testing::example();
    let pins = |machine: &str| -> Vec<(String, Wanted)> {
        let bundle = of(&fleet, machine);
        let keys = document(&bundle, "/Users/ops/.omlx/model_settings.json").keys.clone();
        let pins = keys.into_iter().filter(|key| key.path[2] == "is_pinned");
        pins.map(|key| (key.path[1].clone(), key.wanted)).collect()
    };
    assert_eq!(pins("mac-studio1"), []);
    let pinned = |name: &str| (name.to_owned(), Wanted::Value(true.into()));
    assert_eq!(pins("mac-mini1"), [pinned("extract-2b"), pinned("embed-arctic")]);
    let units =
        |machine: &str| -> Vec<String> { of(&fleet, machine).units.into_iter().map(|unit| unit.name).collect() };
    assert_eq!(units("mac-studio1"), ["omlx", "rotate", "gpu-limit", "schedule", "gateway"]);
    assert_eq!(units("mac-mini1"), ["omlx", "rotate", "resolver"]);
    assert_eq!(units("mac-mini2"), ["omlx", "rotate"]);
}

#[test]
fn every_owned_key_of_an_entry_is_listed_also_those_that_must_go() {
    let fleet = testing::example();
    let bundle = of(&fleet, "mac-mini2");
    let keys = &document(&bundle, "/Users/ops/.omlx/model_settings.json").keys;
    let of_name: Vec<&str> =
        keys.iter().filter(|key| key.path[1] == "extract-2b").map(|key| key.path[2].as_str()).collect();
    assert_eq!(
        of_name.join(" "),
        "max_context_window max_tokens temperature top_p top_k repetition_penalty min_p presence_penalty force_sampling max_tool_result_tokens chat_template_kwargs forced_ct_kwargs ttl_seconds model_type_override model_alias index_cache_freq enable_thinking thinking_budget_enabled thinking_budget_tokens reasoning_parser turboquant_kv_enabled turboquant_kv_bits turboquant_skip_last specprefill_enabled specprefill_draft_model specprefill_keep_pct specprefill_threshold dflash_enabled dflash_draft_model dflash_draft_quant_bits is_pinned active_profile_name"
    );
    let absent = keys.iter().filter(|key| key.wanted == Wanted::Absent).count();
    assert_eq!(absent, keys.len() - 2 * 5 + 1, "embed has no field, and extract-2b no ttl");
    assert!(keys.iter().all(|key| key.default.is_some() && key.hold == Hold::Value));
}

/// The same fleet on another release.
fn on_release(release: &str) -> Fleet {
    testing::fleet(&EXAMPLE.replace("version = \"0.3.8\"", &format!("version = \"{release}\"")))
}

#[test]
fn other_releases_own_their_own_fields() {
    let fields = |fleet: &Fleet| -> BTreeSet<String> {
        let bundle = of(fleet, "mac-mini3");
        let keys = &document(&bundle, "/Users/ops/.omlx/model_settings.json").keys;
        keys.iter().map(|key| key.path[2].clone()).collect()
    };
    let base = fields(&testing::example());
    for (release, more) in [("0.5.0", "mtp_enabled"), ("flyto-0.7.0", "dflash_max_concurrent")] {
        let fleet = on_release(release);
        let fields = fields(&fleet);
        assert!(fields.contains(more) && !base.contains(more), "{release}");
        assert!(!fields.contains("dflash_draft_quant_bits") && base.contains("dflash_draft_quant_bits"), "{release}");
        let profiles = json(&of(&fleet, "mac-mini3"), "/Users/ops/.omlx/model_profiles.json");
        let profile = profiles["profiles"]["dense-librarian"]["librarian"].as_object().expect("a profile").clone();
        // Only 0.5.0 can serve a profile under a name of its own, and fills in that name by itself.
        assert_eq!(profile.contains_key("api_name"), release == "0.5.0");
    }
}

#[test]
fn an_address_that_may_not_be_there_yet_is_waited_for() {
    for (bind, waits) in
        [("all", false), ("loopback", false), ("tailnet", true), ("192.168.1.9", true), ("127.0.0.1", false)]
    {
        let fleet = testing::fleet(&EXAMPLE.replacen("bind    = \"all\"", &format!("bind    = \"{bind}\""), 1));
        let bundle = of(&fleet, "mac-mini2");
        let script = "/usr/local/libexec/fleetctl/omlx-when-bindable";
        assert_eq!(bundle.entry(script).is_some(), waits, "{bind}");
        let arguments = &bundle.units[0].loaded.arguments;
        let command = ["/opt/homebrew/bin/omlx", "serve", "--base-path", "/Users/ops/.omlx"];
        assert_eq!(arguments[usize::from(waits)..], command, "{bind}");
        assert_eq!(arguments[0] == script, waits);
    }
}

#[test]
fn a_key_of_the_machines_own_has_an_id_of_its_own() {
    let fleet = testing::fleet(
        &EXAMPLE.replace("[machines.mac-mini2]", "[machines.mac-mini2]\nomlx.api_key = { env = \"OTHER\" }"),
    );
    let shown = |machine: &str| text(&of(&fleet, machine), "/Users/ops/.omlx/settings.json");
    assert!(shown("mac-mini1").contains("\"api_key\": \"{{secret:omlx}}\""));
    assert!(shown("mac-mini2").contains("\"api_key\": \"{{secret:omlx.mac-mini2}}\""));
    let ids: Vec<String> = crate::render::secret_sources(&fleet).into_keys().map(|id| id.0).collect();
    assert_eq!(ids, ["gateway", "omlx", "omlx.mac-mini2", "shadow.job-score"]);
}

#[test]
fn without_a_key_the_owned_key_must_not_be_there() {
    let fleet = testing::fleet(&EXAMPLE.replacen("bind    = \"all\"", "bind    = \"loopback\"", 1).replacen(
        "api_key = { env = \"FLEET_OMLX_API_KEY\" }",
        "",
        1,
    ));
    let bundle = of(&fleet, "mac-mini2");
    let keys = &document(&bundle, "/Users/ops/.omlx/settings.json").keys;
    let key = keys.iter().find(|key| key.path == ["auth", "api_key"]).expect("owned");
    assert_eq!((&key.wanted, &key.default), (&Wanted::Absent, &Some(serde_json::Value::Null)));
}

#[test]
fn hostile_but_legal_text_is_itself_everywhere() {
    let home = "/Users/o'p $(touch x) \\\" <&>é{{secret:omlx}}";
    let quoted = serde_json::Value::from(home).to_string();
    let fleet = testing::fleet(
        &EXAMPLE
            .replace("# home   = \"/Users/ops\"", &format!("home = {quoted} #"))
            .replace("logging.retention_days            = 7", "logging.log_dir = '/x/{{secret-key}}\"$(x)'")
            .replace(
                "# user, environment = { NAME = \"value\" }",
                "environment = { NAME = \"it's $(x) `y` \\\\ \\\"\" } #",
            )
            .replace("directory = \"Qwen3.6-2B-MLX-4bit\"", "directory = \"org/Qwen $(x)'2B\""),
    );
    let bundle = of(&fleet, "mac-mini2");
    let base = format!("{home}/.omlx");
    let settings = json(&bundle, &format!("{base}/settings.json"));
    assert_eq!(settings["model"]["model_dirs"][0], format!("{base}/serve"));
    assert_eq!(settings["logging"]["log_dir"], "/x/{{secret-key}}\"$(x)");
    // Two holes of ours; what looks like one is text.
    assert_eq!(document(&bundle, &format!("{base}/settings.json")).fresh.holes().count(), 2);
    assert_eq!(
        text(&bundle, &format!("{base}/serve/Qwen $(x)'2B/extract-2b")),
        format!("{home}/models/org/Qwen $(x)'2B")
    );
    let plist: plist::Value =
        plist::from_bytes(text(&bundle, "/Library/LaunchDaemons/dev.fleetctl.omlx.plist").as_bytes()).expect("a plist");
    let plist = plist.as_dictionary().expect("a dictionary");
    assert_eq!(plist["WorkingDirectory"].as_string(), Some(home));
    assert_eq!(plist["ProgramArguments"].as_array().expect("argv")[3].as_string(), Some(base.as_str()));
    let jobs = of(&fleet, "mac-mini3");
    let environment = text(&jobs, "/usr/local/var/fleetctl/env/job.synthesis-detector");
    assert!(environment.ends_with("NAME='it'\\''s $(x) `y` \\ \"'\n"), "{environment}");
}

#[test]
fn jobs_know_their_slot_by_the_gateway_or_by_its_candidates() {
    let path = "/Library/LaunchDaemons/dev.fleetctl.job.wiki-lint.plist";
    let environment = "/usr/local/var/fleetctl/env/job.wiki-lint";
    let fleet = testing::example();
    insta::assert_snapshot!(text(&of(&fleet, "mac-mini3"), environment), @"
    OPENAI_BASE_URL='http://mac-studio1.tail0a1b2c.ts.net:4000/v1'
    OPENAI_MODEL='librarian-curate'
    OPENAI_API_KEY={{secret:gateway}}
    ");
    // Without a gateway: the slot's candidates, of each window that rebinds it too; its own machine is asked on its own address.
    let start = EXAMPLE.find("[gateway]").expect("a gateway");
    let end = EXAMPLE.find("# --- Resolver").expect("a resolver");
    let without = format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..])
        .replace("slot = \"librarian-curate\"", "slot = \"synth-deep\"");
    let fleet = testing::fleet(&without);
    let bundle = of(&fleet, "mac-mini3");
    let unit = bundle.units.iter().find(|unit| unit.name == "job.wiki-lint").expect("the job");
    insta::assert_snapshot!(unit.loaded.arguments.join("\n"), @"
    /usr/local/libexec/fleetctl/job
    wiki-lint
    --at
    02:15
    --days
    mon,tue,wed,thu,fri,sat,sun
    --zone
    America/New_York
    --window
    night 30 390 0123456
    --candidate
    - http://127.0.0.1:8000/v1 dense-librarian FLEETCTL_KEY_0
    --candidate
    - http://mac-studio1.tail0a1b2c.ts.net:8000/v1 dense-thinking FLEETCTL_KEY_0
    --candidate
    night http://mac-studio1.tail0a1b2c.ts.net:8000/v1 dense-thinking FLEETCTL_KEY_0
    --candidate
    night http://127.0.0.1:8000/v1 dense-librarian FLEETCTL_KEY_0
    --
    /opt/homebrew/bin/alexandria
    wiki-lint
    ");
    assert_eq!(text(&bundle, environment), "FLEETCTL_KEY_0={{secret:omlx}}\n");
    // 02:15 does not exist on one night: the first minute after the gap is named too.
    let plist = text(&bundle, path);
    assert_eq!(plist.matches("<key>Hour</key>").count(), 2, "{plist}");
}

#[test]
fn a_machine_in_another_zone_is_started_at_every_time_that_can_be_meant() {
    let fleet = testing::fleet(
        &EXAMPLE.replace("[machines.mac-studio1]", "[machines.mac-studio1]\ntimezone = \"Europe/Berlin\""),
    );
    let bundle = of(&fleet, "mac-studio1");
    let plist: plist::Value =
        plist::from_bytes(text(&bundle, "/Library/LaunchDaemons/dev.fleetctl.schedule.plist").as_bytes())
            .expect("a plist");
    let times: Vec<(i64, i64)> = plist.as_dictionary().expect("a dictionary")["StartCalendarInterval"]
        .as_array()
        .expect("times")
        .iter()
        .map(|time| {
            let number =
                |key: &str| time.as_dictionary().and_then(|time| time.get(key)?.as_signed_integer()).expect("a number");
            (number("Hour"), number("Minute"))
        })
        .collect();
    // New York is six hours behind Berlin, five in the weeks in which only one of them has changed its clock.
    assert_eq!(times, [(5, 30), (6, 30), (11, 30), (12, 30)]);
}

#[test]
fn a_manifest_says_what_is_there_and_no_hash_of_a_secret() {
    let fleet = testing::example();
    let bundle = of(&fleet, "mac-mini2");
    let manifest: serde_json::Value = serde_json::from_str(&bundle.manifest()).expect("JSON");
    assert_eq!(manifest["schema"], "fleetctl.render/1");
    let files = manifest["machines"][0]["files"].as_array().expect("files");
    assert_eq!(files.len(), bundle.entries.len());
    let file = |end: &str| {
        files.iter().find(|file| file["path"].as_str().is_some_and(|path| path.ends_with(end))).expect("there")
    };
    let settings = file("/settings.json");
    assert_eq!(
        settings.as_object().expect("an object").keys().collect::<Vec<_>>(),
        ["path", "kind", "mode", "owner", "sha256", "target"]
    );
    assert_eq!(
        (&settings["sha256"], &settings["mode"], &settings["owner"]),
        (&serde_json::Value::Null, &"0600".into(), &"ops:staff".into())
    );
    let link = file("/extract-2b");
    assert_eq!((&link["kind"], &link["target"]), (&"link".into(), &"/Users/ops/models/Qwen3.6-2B-MLX-4bit".into()));
    assert_eq!(file("/rotate")["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn a_gateway_has_its_configurations_its_keys_and_no_key_in_its_plist() {
    let fleet = testing::example();
    let bundle = of(&fleet, "mac-studio1");
    let unit = bundle.units.iter().find(|unit| unit.name == "gateway").expect("declared there");
    insta::assert_snapshot!(unit.loaded.arguments.join(" "), @"/usr/local/libexec/fleetctl/with-env gateway /usr/local/libexec/fleetctl/gateway /opt/homebrew/bin/litellm 0.0.0.0 4000");
    insta::assert_snapshot!(unit.reads.join("\n"), @"
    /usr/local/var/fleetctl/gateway/serve.py
    /usr/local/var/fleetctl/env/gateway
    ");
    insta::assert_snapshot!(unit.reloads.join("\n"), @"
    /usr/local/var/fleetctl/gateway/config.baseline.yaml
    /usr/local/var/fleetctl/gateway/config.night.yaml
    ");
    insta::assert_snapshot!(unit.ready.as_ref().expect("a URL").shown(), @"http://127.0.0.1:4000/health/readiness");
    assert!(text(&bundle, "/usr/local/var/fleetctl/env/gateway").contains("FLEETCTL_GATEWAY_KEY={{secret:gateway}}\n"));
    let directory =
        bundle.directories.iter().find(|(path, ..)| path == "/usr/local/var/fleetctl/gateway").expect("made");
    assert_eq!((&directory.1, directory.2), (&Owner::staff("ops"), 0o750));
    assert_eq!(unit.program.as_deref(), Some("/opt/homebrew/bin/litellm"));
    assert!(of(&fleet, "mac-mini1").units.iter().all(|unit| unit.name != "gateway"));
}

/// Two names of one engine: one link, one entry, two profiles, of which the second is exposed and takes back what the first says.
#[test]
fn an_exposed_profile_has_no_engine_of_its_own() {
    let fleet = testing::fleet(include_str!("../../tests/fixtures/fleets/exposed.toml"));
    let bundle = of(&fleet, "studio");
    let links: Vec<&str> = bundle
        .entries
        .iter()
        .filter(|entry| matches!(entry.content, Content::Link { .. }))
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(links, ["/Users/ops/.omlx/serve/Qwen3.6-27B-MLX-8bit/dense"]);
    insta::assert_snapshot!(text(&bundle, "/Users/ops/.omlx/model_settings.json"), @r#"
    {
      "version": 1,
      "models": {
        "dense": {
          "max_context_window": 32768,
          "forced_ct_kwargs": [
            "enable_thinking"
          ],
          "model_type_override": "llm",
          "enable_thinking": true,
          "thinking_budget_tokens": 4096,
          "is_pinned": true,
          "active_profile_name": "thinking"
        }
      }
    }
    "#);
    insta::assert_snapshot!(text(&bundle, "/Users/ops/.omlx/model_profiles.json"), @r#"
    {
      "version": 1,
      "profiles": {
        "dense": {
          "thinking": {
            "name": "thinking",
            "display_name": "thinking",
            "description": null,
            "created_at": "2026-01-01T00:00:00+00:00",
            "updated_at": "2026-01-01T00:00:00+00:00",
            "settings": {
              "max_context_window": 32768,
              "forced_ct_kwargs": [
                "enable_thinking"
              ],
              "enable_thinking": true,
              "thinking_budget_tokens": 4096
            },
            "source_template": null,
            "expose_as_model": false,
            "api_name": "thinking"
          },
          "direct": {
            "name": "direct",
            "display_name": "direct",
            "description": null,
            "created_at": "2026-01-01T00:00:00+00:00",
            "updated_at": "2026-01-01T00:00:00+00:00",
            "settings": {
              "max_context_window": 16384,
              "temperature": 0.2,
              "forced_ct_kwargs": null,
              "enable_thinking": false,
              "thinking_budget_tokens": null
            },
            "source_template": null,
            "expose_as_model": true,
            "api_name": "direct"
          }
        }
      }
    }
    "#);
}

#[test]
fn what_leads_to_the_base_below_the_home_is_the_users() {
    let made = |base: &str| -> Vec<(String, String)> {
        let text = EXAMPLE.replacen("\"~/.omlx\"", &format!("\"{base}\""), 1);
        let fleet = testing::fleet(&text);
        let machine = fleet.machines.get("mac-mini1").expect("declared");
        let all = bundle(&fleet, machine).directories.into_iter();
        let above = all.filter(|(path, ..)| machine.omlx.base.starts_with(&format!("{path}/")));
        above.map(|(path, owner, mode)| (path, format!("{}:{} {mode:04o}", owner.user, owner.group))).collect()
    };
    assert_eq!(made("~/.omlx"), []);
    let users = |path: &str| (path.to_owned(), "ops:staff 0755".to_owned());
    assert_eq!(made("~/srv/llm/omlx"), [users("/Users/ops/srv"), users("/Users/ops/srv/llm")]);
    assert_eq!(made("/srv/llm/omlx"), []);
}
