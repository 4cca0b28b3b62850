//! The planner against a machine that holds exactly what its bundle says, and against every way in which one can differ.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::fleet::{Fleet, Machine};
use crate::observe::{Answer, FileFact, ForeignEngine, Observed, PortOwner};
use crate::render::{self, Bundle};
use crate::secret::SecretString;
use crate::testing;
use crate::testing::machine::{after_apply, set, values};

struct Case {
    fleet: Fleet,
    bundle: Bundle,
    observed: Observed,
    values: Values,
    name: String,
}

pub(super) fn machine<'a>(fleet: &'a Fleet, name: &str) -> &'a Machine {
    fleet.machines.get(name).expect("a machine of the example")
}

/// What is planned for a machine of this fleet file that is as observed.
pub(super) fn planned(fleet: &Fleet, name: &str, observed: &Observed) -> MachinePlan {
    planned_with(fleet, name, &render::bundle(fleet, machine(fleet, name)), observed, &values())
}

fn planned_with(fleet: &Fleet, name: &str, bundle: &Bundle, observed: &Observed, values: &Values) -> MachinePlan {
    plan_machine(&Input {
        fleet,
        machine: machine(fleet, name),
        bundle,
        observed,
        values,
        // A Monday noon in New York: outside the example's only window.
        now: "2026-11-23T17:00:00Z".parse().expect("a time"),
        lineage: &Lineage::Unknown,
        allow_older: false,
    })
}

impl Case {
    /// The example's machine right after an apply.
    fn settled(name: &str) -> Self {
        let fleet = testing::example();
        let values = values();
        let bundle = render::bundle(&fleet, machine(&fleet, name));
        let observed = after_apply(&fleet, machine(&fleet, name), &bundle, &values);
        Self { fleet, bundle, observed, values, name: name.to_owned() }
    }

    /// The fleet file changes; the machine stays.
    fn with_file(mut self, from: &str, to: &str) -> Self {
        let text = include_str!("../../fleet.toml");
        assert!(text.contains(from), "{from}");
        self.fleet = testing::fleet(&text.replace(from, to));
        self.bundle = render::bundle(&self.fleet, machine(&self.fleet, &self.name));
        self
    }

    fn plan(&self) -> MachinePlan {
        planned_with(&self.fleet, &self.name, &self.bundle, &self.observed, &self.values)
    }

    /// Every change as one line: what, and what it disturbs.
    fn lines(&self) -> Vec<String> {
        let plan = self.plan();
        plan.changes
            .iter()
            .map(|change| {
                let key = change.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
                format!("{:?} {}{key} [{:?}]", change.action, change.path, change.disturbs)
            })
            .collect()
    }
}

#[test]
fn a_machine_that_was_just_applied_is_in_sync() {
    for name in ["mac-studio1", "mac-mini3", "mac-mini1", "mac-mini2"] {
        let plan = Case::settled(name).plan();
        assert_eq!(plan.changes, [], "{name}");
        assert_eq!(plan.state, PlanState::InSync, "{name}: {:?}", plan.detail);
        assert!(plan.transaction.is_none());
    }
}

#[test]
fn an_idle_time_changes_live() {
    let case = Case::settled("mac-studio1").with_file("ttl      = \"15m\"", "ttl      = \"20m\"");
    assert_eq!(case.lines(), ["Update /Users/ops/.omlx/model_settings.json models.moe-batched.ttl_seconds [Nothing]"]);
    let transaction = case.plan().transaction.expect("something to do");
    assert_eq!(transaction.drain, Drain::None);
    assert!(transaction.merges.is_empty() && transaction.units.is_empty());
    let Some(Live::Settings { body, undo, .. }) =
        transaction.live.iter().find(|step| matches!(step, Live::Settings { .. }))
    else {
        panic!("{:?}", transaction.live)
    };
    assert_eq!(
        (body.shown(), undo.shown()),
        ("{\"ttl_seconds\": 1200}".to_owned(), "{\"ttl_seconds\":900}".to_owned())
    );
}

#[test]
fn what_builds_the_engine_reloads_a_loaded_name_only() {
    let case = Case::settled("mac-mini3").with_file("turboquant_kv_bits    = 4", "turboquant_kv_bits    = 8");
    let transaction = case.plan().transaction.expect("something to do");
    assert!(
        case.lines().iter().any(|line| line.ends_with("models.dense-librarian.turboquant_kv_bits [Reload]")),
        "{:?}",
        case.lines()
    );
    assert!(transaction.live.iter().any(|step| matches!(step, Live::Reload { load: true, .. })));
    assert_eq!(transaction.drain, Drain::Engine);

    let mut unloaded = case;
    unloaded.observed.engine.models = Answer::Got(json!({"models": [{"id": "dense-librarian", "loaded": false}]}));
    assert!(unloaded.lines().iter().all(|line| line.ends_with("[Nothing]")), "{:?}", unloaded.lines());
}

#[test]
fn what_is_read_at_start_only_restarts() {
    let case = Case::settled("mac-mini1")
        .with_file("scheduler.max_concurrent_requests = 8", "scheduler.max_concurrent_requests = 4");
    let lines = case.lines();
    assert!(lines.contains(&"Update dev.fleetctl.omlx [Restart]".to_owned()), "{lines:?}");
    let transaction = case.plan().transaction.expect("something to do");
    assert_eq!(transaction.drain, Drain::Engine);
    assert!(transaction.live.is_empty() && transaction.merges.len() == 1);
}

#[test]
fn another_route_reloads_the_gateway_and_restarts_nothing() {
    let case = Case::settled("mac-studio1").with_file("timeout = \"3s\"", "timeout = \"4s\"");
    let configs = ["baseline", "night"]
        .map(|state| format!("Update /usr/local/var/fleetctl/gateway/config.{state}.yaml [Nothing]"));
    assert_eq!(case.lines(), [configs.as_slice(), &["Update dev.fleetctl.gateway [Nothing]".to_owned()]].concat());
    let transaction = case.plan().transaction.expect("something to do");
    assert_eq!(transaction.drain, Drain::None);
    let steps: Vec<_> = transaction.units.iter().map(|step| (step.name.as_str(), step.action)).collect();
    assert_eq!(steps, [("gateway", UnitAction::Reload)]);
    assert!(transaction.units[0].ready.is_some(), "the gate asks whether it is ready");
}

#[test]
fn a_fresh_machine_gets_everything_and_disturbs_nothing() {
    let mut case = Case::settled("mac-mini1");
    case.observed.files.clear();
    case.observed.jobs.clear();
    case.observed.manifest = None;
    case.observed.record = None;
    case.observed.engine.status = Answer::NotAsked;
    case.observed.engine.models = Answer::NotAsked;
    let plan = case.plan();
    assert!(plan.changes.iter().all(|change| change.disturbs == Disturbs::Nothing && change.action == Action::Create));
    let transaction = plan.transaction.expect("something to do");
    assert_eq!(transaction.drain, Drain::None);
    assert!(transaction.units.iter().all(|step| step.action == UnitAction::Start));
}

#[test]
fn a_stale_definition_counts_although_the_file_is_right() {
    let mut case = Case::settled("mac-mini1");
    let job = case.observed.jobs.get_mut("dev.fleetctl.omlx").expect("loaded");
    job.arguments.push("--port=1".to_owned());
    assert_eq!(case.lines(), ["Update dev.fleetctl.omlx [Restart]"]);
}

#[test]
fn what_is_no_longer_declared_goes_but_only_as_fleetctl_left_it() {
    let mut case = Case::settled("mac-studio1").with_file("gpu_limit = \"84GB\"", "");
    let removed = |case: &Case| case.lines().into_iter().filter(|line| line.starts_with("Remove")).collect::<Vec<_>>();
    let plist = "/Library/LaunchDaemons/dev.fleetctl.gpu-limit.plist";
    assert_eq!(
        removed(&case),
        [format!("Remove {plist} [Nothing]"), "Remove dev.fleetctl.gpu-limit [Nothing]".to_owned()],
    );
    let transaction = case.plan().transaction.expect("something to do");
    assert_eq!(transaction.removes, [plist]);
    assert_eq!(transaction.drain, Drain::None);
    if let Some(FileFact::File { sha256, .. }) = case.observed.files.get_mut(plist) {
        *sha256 = Some("0".repeat(64));
    }
    assert!(!removed(&case).iter().any(|line| line.contains(plist)));
    assert!(case.plan().kept.iter().any(|kept| kept.path == plist));
}

#[test]
fn an_edited_manifest_is_no_list_of_what_to_delete() {
    let mut case = Case::settled("mac-mini1");
    case.observed.manifest = Some(json!({"machines": [{"files": [
        {"path": "/etc/passwd", "sha256": null}, {"path": "/usr/local/var/fleetctl/../../../etc/hosts", "sha256": null}]}]}));
    let fact = || FileFact::File { user: "root".into(), group: "wheel".into(), mode: 0o644, sha256: None, bytes: None };
    case.observed.files.insert("/etc/passwd".into(), fact());
    case.observed.files.insert("/usr/local/var/fleetctl/../../../etc/hosts".into(), fact());
    assert_eq!(case.plan().transaction.map(|transaction| transaction.removes), Some(Vec::new()));
    assert_eq!(case.plan().kept.len(), 2);
}

#[test]
fn keys_of_others_are_kept_and_keys_of_ours_that_are_no_longer_declared_go() {
    let mut case = Case::settled("mac-mini1");
    let path = "/Users/ops/.omlx/settings.json";
    let Some(FileFact::File { bytes: Some(bytes), .. }) = case.observed.files.get_mut(path) else { panic!("there") };
    let mut document: Value = serde_json::from_slice(bytes).expect("JSON");
    set(&mut document, &["ui".into(), "language".into()], json!("de"));
    set(&mut document, &["logging".into(), "log_dir".into()], json!("/tmp"));
    *bytes = document.to_string().into_bytes();
    assert_eq!(case.lines(), Vec::<String>::new());
    case.observed.record = Some(json!({"fleet": "home", "keys": {path: ["/logging/log_dir"]}}));
    assert_eq!(
        case.lines().first().map(String::as_str),
        Some("Remove /Users/ops/.omlx/settings.json logging.log_dir [Restart]")
    );
}

#[test]
fn a_profile_goes_whole_with_what_omlx_put_beside_our_keys() {
    let mut case = Case::settled("mac-mini1");
    let path = "/Users/ops/.omlx/model_profiles.json";
    let Some(FileFact::File { bytes: Some(bytes), .. }) = case.observed.files.get_mut(path) else { panic!("there") };
    let mut document: Value = serde_json::from_slice(bytes).expect("JSON");
    let at = |name: &str| ["profiles", "gone", "plain", name].map(str::to_owned);
    set(&mut document, &at("name"), json!("plain"));
    set(&mut document, &at("description"), json!("by the API"));
    *bytes = document.to_string().into_bytes();
    case.observed.record = Some(json!({"fleet": "home", "keys": {path: ["/profiles/gone/plain/name"]}}));
    // A daemon that runs is asked through its API; one that does not has its file changed.
    case.observed.jobs.clear();
    case.observed.engine.models = Answer::NotAsked;
    let transaction = case.plan().transaction.expect("something to do");
    let merge = transaction.merges.iter().find(|merge| merge.path == path).expect("profiles change");
    assert_eq!(merge.remove, [at("name")[..3].to_vec()]);
}

#[test]
fn a_malformed_file_is_kept_aside_and_said() {
    let mut case = Case::settled("mac-mini1");
    let path = "/Users/ops/.omlx/settings.json";
    if let Some(FileFact::File { bytes, .. }) = case.observed.files.get_mut(path) {
        *bytes = Some(b"{\"server\": ".to_vec());
    }
    let plan = case.plan();
    assert!(
        plan.kept.iter().any(
            |kept| kept.path == path && kept.reason.contains("kept aside") | kept.reason.contains("keeps it aside")
        )
    );
    let transaction = plan.transaction.expect("something to do");
    assert!(transaction.merges.iter().any(|merge| merge.path == path && merge.keep_aside));
}

#[test]
fn secrets_are_compared_and_never_shown() {
    let mut case = Case::settled("mac-studio1");
    case.values.secrets.insert(SecretId("omlx".to_owned()), SecretString::from("another-key-entirely"));
    let plan = case.plan();
    let said = format!("{plan:?}");
    assert!(!said.contains("another-key-entirely") && !said.contains("key-of-omlx"), "{said}");
    assert!(plan.changes.iter().any(|change| change.key.as_deref() == Some("auth.api_key")));
    // What is not at hand cannot be compared, in oMLX's file as in ours: status asks nobody for a password.
    case.values.secrets.clear();
    assert_eq!(case.plan().changes, []);
}

#[test]
fn a_machine_that_is_not_ours_to_touch_is_refused_with_the_mend() {
    let refused = |change: &dyn Fn(&mut Case)| {
        let mut case = Case::settled("mac-mini1");
        change(&mut case);
        let plan = case.plan();
        (plan.state, plan.detail.unwrap_or_default())
    };
    let (state, detail) =
        refused(&|case| case.observed.record = Some(json!({"schema": "fleetctl.record/2", "fleet": "home"})));
    assert_eq!(state, PlanState::Refused);
    assert!(detail.starts_with("was applied by a newer fleetctl"), "{detail}");
    let (state, detail) = refused(&|case| case.observed.record = Some(json!({"fleet": "office"})));
    assert_eq!(state, PlanState::Refused);
    insta::assert_snapshot!(detail, @r#"belongs to fleet "office", this file is fleet "home"; if it moved here, take it off there first: `remove mac-mini1` with the file of "office""#);
    let (state, detail) = refused(&|case| case.observed.engine.status = Answer::Got(json!({"version": "0.3.9"})));
    assert_eq!(state, PlanState::Refused);
    insta::assert_snapshot!(detail, @"runs oMLX 0.3.9, the fleet file declares 0.3.8; install 0.3.8 there, or set version in [machines.mac-mini1.omlx]");
    let (state, detail) = refused(&|case| {
        case.observed.foreign = vec![ForeignEngine {
            label: Some("homebrew.mxcl.omlx".into()),
            domain: Some("gui/501".into()),
            plist: None,
            pid: Some(7),
            command: "omlx serve".into(),
        }];
    });
    assert_eq!(state, PlanState::Refused);
    assert!(detail.contains("fleetctl adopt mac-mini1"), "{detail}");
    let (state, detail) = refused(&|case| {
        let owner = PortOwner { pid: 9, user: None, command: "nginx".into() };
        case.observed.listeners.insert(8000, vec![owner]);
    });
    assert_eq!(state, PlanState::Refused);
    assert!(detail.starts_with("port 8000 is held by pid 9 (nginx)"), "{detail}");
    let (state, detail) = refused(&|case| case.observed.identity.home = "/Users/other".into());
    assert_eq!(state, PlanState::Error);
    assert!(detail.contains("write home = \"/Users/other\" in [machines.mac-mini1]"), "{detail}");
}

#[test]
fn a_held_daemon_gets_its_files_and_is_not_started() {
    let mut case = Case::settled("mac-mini1")
        .with_file("scheduler.max_concurrent_requests = 8", "scheduler.max_concurrent_requests = 4");
    case.observed.held = Some(json!({"units": {"omlx": {}}}));
    case.observed.jobs.remove("dev.fleetctl.omlx");
    case.observed.engine.models = Answer::NotAsked;
    let transaction = case.plan().transaction.expect("something to do");
    let starts = |step: &&UnitStep| step.name == "omlx" && step.action != UnitAction::LeaveHeld;
    assert_eq!(transaction.units.iter().find(starts), None);
    assert_eq!(transaction.merges.len(), 1);
    assert!(!transaction.gate.engine);
}

#[test]
fn a_daemon_whose_program_is_not_there_is_left_out_and_said() {
    let mut case = Case::settled("mac-mini1");
    case.observed.programs = Some(BTreeSet::new());
    let plan = case.plan();
    assert!(plan.notes.iter().any(|note| note.contains("/usr/local/bin/fleetctl is not there")), "{:?}", plan.notes);
    let transaction = plan.transaction.expect("what was there goes");
    assert!(
        transaction.units.iter().all(|step| step.name == "resolver" && step.action == UnitAction::Remove),
        "{:?}",
        transaction.units
    );
    assert!(transaction.removes.contains(&"/Library/LaunchDaemons/dev.fleetctl.resolver.plist".to_owned()));
    assert!(!transaction.manifest.contains("dev.fleetctl.resolver"));
}

#[test]
fn a_saved_plan_tells_what_moved_on() {
    let case = Case::settled("mac-studio1").with_file("ttl      = \"15m\"", "ttl      = \"20m\"");
    let plan = case.plan();
    let saved = SavedPlan::of(&case.fleet, std::slice::from_ref(&plan), jiff::Timestamp::UNIX_EPOCH);
    let saved = SavedPlan::read(&serde_json::to_string(&saved).expect("written")).expect("read");
    assert_eq!(saved.moved_on(&plan), None);
    let text = serde_json::to_string(&saved).expect("written");
    let version = env!("CARGO_PKG_VERSION");
    let other = text.replace(&format!("\"fleetctl\":\"{version}\""), "\"fleetctl\":\"0.0.9\"");
    assert_eq!(SavedPlan::read(&other), Err(SavedPlanError::AnotherVersion("0.0.9".to_owned())));
    assert_eq!(SavedPlan::read(&text.replace("saved-plan/1", "saved-plan/2")), Err(SavedPlanError::Format));
    assert_eq!(SavedPlan::read("{}"), Err(SavedPlanError::Format));
    assert!(!text.contains("key-of-"), "{text}");
    assert_eq!(saved.check_fleet(&case.fleet), Ok(()));
    assert_eq!(saved.check_fleet(&testing::example()), Err(SavedPlanError::FleetMovedOn));
    let settled = Case::settled("mac-studio1");
    assert!(saved.moved_on(&settled.plan()).expect("moved on").contains("no longer: update /Users/ops/.omlx/"));
}

#[test]
fn the_declared_release_that_is_installed_is_taken_into_use_and_another_is_not() {
    let case = |running: &str, installed: &str| {
        let mut case = Case::settled("mac-mini1");
        case.observed.engine.status = Answer::Got(json!({"version": running}));
        case.observed.installed_release = Some(installed.to_owned());
        case
    };
    // The file was moved to the declared release, the daemon not yet.
    let plan = case("0.3.7", "0.3.8").plan();
    let restart = plan.changes.iter().find(|change| change.kind == ChangeKind::Service).expect("a restart");
    insta::assert_snapshot!(restart.reason, @"oMLX 0.3.7 still runs; the declared release is installed and starts with it");
    assert_eq!((plan.state, restart.disturbs), (PlanState::Changes, Disturbs::Restart));
    // Nothing else to do: the running one is left alone.
    assert_eq!(case("0.3.8", "0.5.0").plan().state, PlanState::InSync);
    // A restart would start the other.
    let mut case = case("0.3.8", "0.5.0");
    case.observed.jobs.remove("dev.fleetctl.omlx");
    let plan = case.plan();
    assert_eq!(plan.state, PlanState::Refused);
    insta::assert_snapshot!(plan.detail.unwrap_or_default(), @"runs oMLX 0.3.8 as declared, but 0.5.0 is installed there and would be started by this change; install 0.3.8 again, or set version in [machines.mac-mini1.omlx]");
}

#[test]
fn a_move_to_another_release_is_announced_with_what_it_changes() {
    let mut case = Case::settled("mac-studio1").with_file("version = \"0.3.8\"", "version = \"0.5.0\"");
    let settings = "/Users/ops/.omlx/settings.json".to_owned();
    let Some(FileFact::File { bytes: Some(bytes), .. }) = case.observed.files.get_mut(&settings) else {
        panic!("a file")
    };
    let mut document: Value = serde_json::from_slice(bytes).expect("JSON");
    document["memory"]["max_process_memory"] = json!("64GB");
    *bytes = document.to_string().into_bytes();
    let plan = case.plan();
    assert_eq!(plan.state, PlanState::Refused);
    insta::assert_snapshot!(plan.notes.join("\n"), @r"
    0.3.8 to 0.5.0, set here and unknown there: memory.max_process_memory
    0.3.8 to 0.5.0, memory limits: model.max_model_memory and memory.max_process_memory are ignored and erased at the next save; the memory guard's tier decides instead (since 0.3.11)
    0.3.8 to 0.5.0, memory flags: --max-model-memory and --max-process-memory stop the server with exit 2, which KeepAlive turns into a restart loop; fleetctl's plist holds no flags, a foreign one may
    0.3.8 to 0.5.0, admission: a load is admitted by measured memory against a ceiling that moves with what other programs use, no longer by the sum of estimated sizes
    0.3.8 to 0.5.0, Hugging Face cache: models of the Hugging Face cache appear beside the declared ones (since 0.4.0); set huggingface.hf_cache_enabled = false in [omlx.settings] to serve exactly what is declared
    0.3.8 to 0.5.0, DFlash context: DFLASH_MAX_CTX is no longer read; dflash_max_ctx of the profile decides, unlimited by default (since 0.3.9)
    0.3.8 to 0.5.0, DFlash engines: only one DFlash engine stays loaded at a time: loading a second unloads the first, or fails when that is busy or pinned (since 0.4.2, #1892)
    0.3.8 to 0.5.0, context window: a model without max_context_window takes the length in its config.json instead of 32768 (since 0.4.0): set it in the profile to keep the memory as planned
    0.3.8 to 0.5.0, profiles: a profile can be served as <model>:<profile>; oMLX adds api_name to every profile and rewrites model_profiles.json at start (since 0.4.5.dev1)
    0.3.8 to 0.5.0, reload: a PUT that carries a load-time field unloads the model by itself, even when the value is the same (since 0.3.9.dev1)
    0.3.8 to 0.5.0, process name: the process calls itself omlx-server, so that a search for omlx serve no longer finds it (since 0.4.2)
    0.3.8 to 0.5.0, python: Python 3.11 or newer is needed (since 0.3.9)
    ");
}

fn directory(rights: &str, mode: u32) -> FileFact {
    let (user, group) = rights.split_once(':').expect("user:group");
    FileFact::Directory { user: user.to_owned(), group: group.to_owned(), mode }
}

#[test]
fn what_is_in_the_way_is_an_error_and_nothing_is_called_in_sync() {
    let link = "/Users/ops/.omlx/serve/Qwen3.6-2B-MLX-4bit/extract-2b";
    let settings = "/Users/ops/.omlx/settings.json";
    let closed =
        || FileFact::File { user: "root".into(), group: "staff".into(), mode: 0o600, sha256: None, bytes: None };
    for (path, fact, said) in [
        (
            link,
            directory("ops:staff", 0o755),
            "is a directory, which fleetctl did not put there, and must be a link to",
        ),
        (settings, closed(), "may not be read by ops (it is root:staff 0600)"),
        (settings, FileFact::Link { target: "/elsewhere".into() }, "is a link, which fleetctl did not put there"),
        ("/Users/ops/.omlx", directory("root:wheel", 0o755), "is root:wheel 0755, and oMLX, which runs as ops, must"),
        ("/Users/ops/.omlx", FileFact::Other, "is neither a file nor a directory, and must be a directory"),
        ("/usr/local/var/fleetctl", directory("root:wheel", 0o700), "is root:wheel 0700, and ops may not read it"),
    ] {
        let mut case = Case::settled("mac-mini1");
        case.observed.files.insert(path.to_owned(), fact);
        let plan = case.plan();
        assert_eq!((plan.state, plan.transaction.is_none()), (PlanState::Error, true), "{path}: {plan:?}");
        assert_eq!(plan.obstacles.len(), 1, "{path}: {:?}", plan.obstacles);
        let detail = plan.detail.unwrap_or_default();
        assert!(detail.starts_with(&format!("{path} {said}")), "{path}: {detail}");
    }
}

#[test]
fn directories_of_ours_are_set_right_and_others_left_as_they_are() {
    let mut case = Case::settled("mac-mini1");
    for (path, fact) in [
        ("/Users/ops/.omlx", directory("ops:wheel", 0o700)),
        ("/Users/ops/.omlx/serve", directory("root:wheel", 0o755)),
        ("/usr/local/libexec/fleetctl", directory("ops:wheel", 0o755)),
        ("/usr/local/var/fleetctl", directory("root:wheel", 0o777)),
        ("/usr/local/var/fleetctl/apply", directory("root:wheel", 0o755)),
        ("/usr/local/var/fleetctl/generations", FileFact::Link { target: "/Volumes/big/generations".into() }),
    ] {
        case.observed.files.insert(path.to_owned(), fact);
    }
    assert_eq!(
        case.lines(),
        [
            "Update /Users/ops/.omlx/serve [Nothing]",
            "Update /usr/local/libexec/fleetctl [Nothing]",
            "Update /usr/local/var/fleetctl [Nothing]"
        ]
    );
    let rights = case.plan().transaction.expect("something to do").rights;
    let lines: Vec<String> = rights.iter().map(|(path, owner, mode)| format!("{path} {owner} {mode:04o}")).collect();
    assert_eq!(
        lines,
        [
            "/Users/ops/.omlx/serve ops:staff 0755",
            "/usr/local/libexec/fleetctl root:wheel 0755",
            "/usr/local/var/fleetctl root:wheel 0755"
        ]
    );
}
