//! What holds for any change of the fleet file, on a machine as a value: the plan after an apply is empty, whatever was there before, and going back is one too.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::fleet::Fleet;
use crate::observe::Observed;
use crate::render;
use crate::testing;
use crate::testing::machine::{after_apply, carry_out, values};

/// Changes of the example that leave it a fleet, each independent of the others: settings of every reach, fields of every effect, names that come and go, links
/// that point elsewhere, daemons with and without a restart.
const EDITS: [(&str, &str); 15] = [
    ("ttl      = \"15m\"", "ttl      = \"20m\""),
    ("turboquant_kv_bits    = 4", "turboquant_kv_bits    = 8"),
    ("scheduler.max_concurrent_requests = 8", "scheduler.max_concurrent_requests = 4"),
    ("logging.retention_days            = 7", "logging.retention_days            = 9"),
    ("gpu_limit = \"84GB\"", ""),
    ("DFLASH_MAX_CTX = \"32768\"", "DFLASH_MAX_CTX = \"32000\""),
    ("[profiles.embed]", "[profiles.embed]\ntemperature = 0.5"),
    ("max_context_window = 8192", "max_context_window = 4096"),
    ("max_context_window    = 65536", "max_context_window    = 60000\ntemperature = 0.25"),
    (
        "[serve.extract-2b]",
        "[serve.extract-too]\nmodel = \"edge-2b\"\nprofile = \"edge\"\non = [\"tier:edge\"]\n[serve.extract-2b]",
    ),
    (
        "[serve.dense-thinking]",
        "[serve.dense-too]\nmodel = \"dense-27b\"\nprofile = \"thinking\"\non = [\"mac-studio1\"]\n[serve.dense-thinking]",
    ),
    ("model    = \"edge-2b\"\nprofile  = \"edge\"", "model    = \"edge-2b\"\nprofile  = \"batched\""),
    ("directory  = \"snowflake-arctic-embed-l-v2.0-8bit\"", "directory  = \"snowflake-arctic-embed-l-v2.1-8bit\""),
    ("window   = \"00:30-06:30\"", "window   = \"01:00-06:30\""),
    (
        "[jobs.dedup]",
        "[jobs.more]\non = [\"mac-mini3\"]\nat = \"05:15\"\ndays = \"daily\"\nrun = [\"/bin/true\"]\n[jobs.dedup]",
    ),
];

fn edited(edits: &[usize]) -> Fleet {
    let text = edits.iter().fold(include_str!("../../fleet.toml").to_owned(), |text, at| {
        let (from, to) = EDITS[*at];
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    testing::fleet(&text)
}

fn edits() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..EDITS.len()).collect::<Vec<_>>(), 0..EDITS.len())
}

/// Applies, and says what a second plan would still change.
fn left_after_apply(fleet: &Fleet, name: &str, observed: &mut Observed) -> Vec<String> {
    let plan = tests::planned(fleet, name, observed);
    let Some(transaction) = &plan.transaction else {
        assert_eq!(plan.state, PlanState::InSync, "{:?}", plan.detail);
        return Vec::new();
    };
    let bundle = render::bundle(fleet, tests::machine(fleet, name));
    carry_out(observed, &bundle, transaction, &values());
    let left = tests::planned(fleet, name, observed).changes;
    left.iter()
        .map(|change| format!("{:?} {} {:?}: {}", change.action, change.path, change.key, change.reason))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_plan_after_an_apply_is_empty(
        before in edits(), after in edits(), name in proptest::sample::select(vec!["mac-studio1", "mac-mini3", "mac-mini1"]),
        runs: bool,
    ) {
        let (old, new) = (edited(&before), edited(&after));
        let machine = tests::machine(&old, name);
        let mut observed = after_apply(&old, machine, &render::bundle(&old, machine), &values());
        if !runs {
            // launchd lost its daemons: every change is one of files.
            observed.jobs.clear();
            observed.engine.models = crate::observe::Answer::NotAsked;
        }
        prop_assert_eq!(left_after_apply(&new, name, &mut observed), Vec::<String>::new());
        prop_assert_eq!(left_after_apply(&old, name, &mut observed), Vec::<String>::new(), "and back");
    }
}
