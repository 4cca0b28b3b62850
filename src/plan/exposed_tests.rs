//! Profiles that are exposed under names of their own, on a machine as a value: each change of the file is the cheapest step, and the plan after it is empty.

use super::*;
use crate::fleet::Fleet;
use crate::render;
use crate::testing;
use crate::testing::machine::{after_apply, carry_out, values};

const EXPOSED: &str = include_str!("../../tests/fixtures/fleets/exposed.toml");
const NAME: &str = "[serve.\"dense:direct\"]\nmodel   = \"dense-27b\"\nprofile = \"direct\"\non      = [\"studio\"]\n";
const SLOT: &str = "[slots.answer]\nroute = [\"dense:direct@studio\"]\n";

fn with(edits: &[(&str, &str)]) -> Fleet {
    let text = edits.iter().fold(EXPOSED.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    testing::fleet(&text)
}

/// The steps of the last of these changes, each from what the one before left; after each there is nothing left to do.
fn steps(fleets: &[&Fleet]) -> Vec<String> {
    let (first, rest) = fleets.split_first().expect("a fleet to begin with");
    let machine = tests::machine(first, "studio");
    let mut observed = after_apply(first, machine, &render::bundle(first, machine), &values());
    let mut steps = Vec::new();
    for fleet in rest {
        let plan = tests::planned(fleet, "studio", &observed);
        let transaction = plan.transaction.unwrap_or_else(|| panic!("nothing to do: {:?}", plan.detail));
        assert!(transaction.units.is_empty(), "nothing restarts: {:?}", transaction.units);
        carry_out(&mut observed, &render::bundle(fleet, tests::machine(fleet, "studio")), &transaction, &values());
        assert_eq!(tests::planned(fleet, "studio", &observed).changes, [], "a second plan is empty");
        steps = transaction.live.iter().map(step_text).collect();
    }
    steps
}

fn step_text(step: &Live) -> String {
    match step {
        Live::Rescan => "rescan".to_owned(),
        Live::Settings { name, body, .. } => format!("settings of {name}: {}", body.shown()),
        Live::Profile { name, profile, body: Some(body), .. } => {
            format!("profile {profile} of {name}: {}", body.shown())
        }
        Live::Profile { name, profile, body: None, .. } => format!("no profile {profile} of {name}"),
        Live::Global { body, .. } => format!("global: {}", body.shown()),
        Live::ApplyProfile { name, profile } => format!("apply {profile} to {name}"),
        Live::Reload { name, .. } => format!("reload {name}"),
        Live::Load { name } => format!("load {name}"),
        Live::Unload { name } => format!("unload {name}"),
    }
}

#[test]
fn a_changed_overlay_is_one_call_and_is_not_applied_to_its_engine() {
    let after = with(&[("temperature        = 0.2", "temperature        = 0.5")]);
    insta::assert_snapshot!(steps(&[&with(&[]), &after]).join("\n"), @r#"profile direct of dense: {"name":"direct","display_name":"direct","description":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","settings":{"max_context_window":16384,"temperature":0.5,"forced_ct_kwargs":null,"enable_thinking":false,"thinking_budget_tokens":null},"source_template":null,"expose_as_model":true,"api_name":"direct"}"#);
}

#[test]
fn a_name_more_and_a_name_less_touch_no_engine() {
    let without = with(&[(NAME, ""), (SLOT, "")]);
    insta::assert_snapshot!(steps(&[&without, &with(&[])]).join("\n"), @r#"profile direct of dense: {"name":"direct","display_name":"direct","description":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","settings":{"max_context_window":16384,"temperature":0.2,"forced_ct_kwargs":null,"enable_thinking":false,"thinking_budget_tokens":null},"source_template":null,"expose_as_model":true,"api_name":"direct"}"#);
    insta::assert_snapshot!(steps(&[&without, &with(&[]), &without]).join("\n"), @"no profile direct of dense");
}

#[test]
fn a_copy_of_the_weights_becomes_a_name_of_the_same_engine() {
    let twin =
        with(&[("[serve.\"dense:direct\"]", "[serve.dense-direct]"), ("dense:direct@studio", "dense-direct@studio")]);
    insta::assert_snapshot!(steps(&[&twin, &with(&[])]).join("\n"), @r#"
    rescan
    profile direct of dense: {"name":"direct","display_name":"direct","description":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","settings":{"max_context_window":16384,"temperature":0.2,"forced_ct_kwargs":null,"enable_thinking":false,"thinking_budget_tokens":null},"source_template":null,"expose_as_model":true,"api_name":"direct"}
    "#);
}

/// What the profile of the engine says and the exposed one does not must be taken back in words: oMLX lays one over the other.
#[test]
fn what_the_engine_says_is_taken_back() {
    let after = with(&[("thinking_budget_tokens = 4096", "thinking_budget_tokens = 4096\ntop_p = 0.9")]);
    insta::assert_snapshot!(steps(&[&with(&[]), &after]).join("\n"), @r#"
    profile thinking of dense: {"name":"thinking","display_name":"thinking","description":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","settings":{"max_context_window":32768,"top_p":0.9,"forced_ct_kwargs":["enable_thinking"],"enable_thinking":true,"thinking_budget_tokens":4096},"source_template":null,"expose_as_model":false,"api_name":"thinking"}
    settings of dense: {"top_p": 0.9}
    apply thinking to dense
    profile direct of dense: {"name":"direct","display_name":"direct","description":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","settings":{"max_context_window":16384,"temperature":0.2,"top_p":null,"forced_ct_kwargs":null,"enable_thinking":false,"thinking_budget_tokens":null},"source_template":null,"expose_as_model":true,"api_name":"direct"}
    "#);
}

/// Also without exposed names: a profile that its name no longer has would stay on the machine for good.
#[test]
fn the_profile_that_a_name_had_goes_after_another_is_applied() {
    let other = with(&[("[profiles.thinking]", "[profiles.pondering]"), ("\"thinking\"\n", "\"pondering\"\n")]);
    let kinds: Vec<String> = steps(&[&other, &with(&[]), &other])
        .into_iter()
        .map(|step| step.split_once(':').map_or(step.clone(), |(what, _)| what.to_owned()))
        .collect();
    assert_eq!(kinds, ["profile pondering of dense", "apply pondering to dense", "no profile thinking of dense"]);
}

/// The move to a release that exposes profiles says what it could save.
#[test]
fn a_move_to_0_5_0_offers_one_engine_for_two_names() {
    let twin = EXPOSED
        .replace("[serve.\"dense:direct\"]", "[serve.dense-direct]")
        .replace("dense:direct@studio", "dense-direct@studio")
        .replace("huggingface.hf_cache_enabled = false", "");
    let (before, after) = (testing::fleet(&twin.replace("0.5.0", "0.3.8")), testing::fleet(&twin));
    let machine = tests::machine(&before, "studio");
    let observed = after_apply(&before, machine, &render::bundle(&before, machine), &values());
    let notes = tests::planned(&after, "studio", &observed).notes;
    let offers: Vec<&String> = notes.iter().filter(|note| note.contains("one engine")).collect();
    insta::assert_snapshot!(offers[0], @r#"0.3.8 to 0.5.0, one engine: dense and dense-direct are the same weights and differ only in max_context_window, temperature, forced_ct_kwargs, enable_thinking and thinking_budget_tokens, which a request can say itself: rename [serve.dense-direct] to [serve."dense:direct"]: the engine of dense answers to that name too; it saves 27.0 GiB"#);
    assert_eq!(offers.len(), 1, "{notes:?}");
}
