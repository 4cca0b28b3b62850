//! What the article's own fleet raises, finding by finding (docs/lints.md), and where.

use std::fmt::Write as _;

use crate::support::Fleetctl;

const ARTICLE: &str = include_str!("../../fixtures/fleets/article.toml");
const EXAMPLE: &str = include_str!("../../../fleet.toml");
const PAGE: &str = include_str!("../../../docs/lints.md");

/// Who says it.
enum Says {
    /// A verb on the article's literal fleet.
    Verb(&'static [&'static str]),
    /// A verb on that fleet with one line more: the article leaves the point open.
    With(&'static str, &'static str, &'static [&'static str]),
    /// It takes a machine: the named test holds it.
    Test(&'static str, &'static str),
    /// It takes pairs: see [`a_hundred_pairs`].
    Pairs,
}
use Says::{Pairs, Test, Verb, With};

const CHECK: &[&str] = &["check"];
const CAPACITY: &[&str] = &["capacity"];
const EDGE_DOWN: &[&str] = &["simulate", "--down", "tier:edge"];

/// One row a finding of facts/capacity.md 7: its number, where it is raised, and the words that raise it.
const LINTS: [(&str, Says, &str); 25] = [
    ("L1", Verb(CHECK), "error[rank-without-machine]: no machine of \"mac-studio1\" serves embed-arctic"),
    ("L1", Verb(EDGE_DOWN), "embed-fast embed-arctic on mac-mini1 nobody down"),
    ("L2", Verb(CHECK), "error[fits-nowhere]: moe-plain needs 37.8 GiB"),
    ("L2", Verb(CAPACITY), "resident-twin: moe-dflash and moe-plain are two copies of moe-35b"),
    ("L3", Verb(CHECK), "error[dflash-concurrency]: mac-studio1: moe-dflash"),
    ("L4", Verb(CAPACITY), "one-load-suffices: dense-thinking and dense-direct"),
    ("L5", Verb(CAPACITY), "alternate: moe-dflash, moe-plain, dense-thinking do not fit together"),
    ("L6", Verb(CHECK), "warning[no-room-for-context]: mac-studio1 outside every window"),
    ("L6", Verb(CAPACITY), "the residents fit, their contexts do not"),
    ("L7", Verb(CAPACITY), "turboquant-gain: TurboQuant at 4 bits"),
    ("L7", With("turboquant_kv_bits    = 4", "turboquant_kv_threshold = 65536", CHECK), "error[unknown-field]"),
    ("L8", Verb(CAPACITY), "unpublished-model: no model of the name of Qwen3.6-2B-MLX-4bit is published"),
    ("L9", Verb(CAPACITY), "speculative-expectation: 245 tok/s is 97 % of the plain bound"),
    (
        "L10",
        Verb(&["simulate", "--down", "mac-mini3"]),
        "librarian-curate dense-librarian on mac-mini3 dense-thinking on mac-studio1 ok",
    ),
    ("L11", Pairs, "inconclusive"),
    (
        "L12",
        Verb(&["simulate", "--down", "mac-mini1"]),
        "extract-fast extract-2b on mac-mini1 extract-2b on mac-mini2 ok",
    ),
    (
        "L13",
        Test("src/plan/doctor/tests.rs", "fn memory_that_nobody_owns_and_a_limit_that_a_boot_forgets"),
        "gpu-limit-not-persisted",
    ),
    ("L14", Verb(CHECK), "warning[cloud-not-allowed]: shadow.job-score would send the inputs of score-deep"),
    ("L15", With("api_key = { env = \"FLEET_OMLX_API_KEY\" }", "", CHECK), "error[bind-without-key]"),
    ("L16", Verb(CHECK), "warning[dflash-without-window]: profiles.dflash"),
    ("L17", Test("src/slot/reason.rs", "Self::StaleProfile => \"stale-profile\""), "stale-profile"),
    ("L18", Verb(CHECK), "warning[dflash-beside-long-context]: chat-interactive runs DFlash on mac-studio1"),
    (
        "L19",
        With("concurrency = 4 ", "ttl = \"15m\"\n# ", CHECK),
        "warning[dflash-evictable]: mac-studio1: moe-dflash runs DFlash and has a ttl",
    ),
    ("L20", With("dflash_enabled     = true", "dflash_enabled = true\ntop_k = 20", CHECK), "error[ignored-by-dflash]"),
    ("L20", With("dflash_enabled     = true", "dflash_enabled = true\nmin_p = 0.1", CHECK), "error[ignored-by-dflash]"),
];

#[test]
fn every_finding_of_the_article_is_raised() {
    let literal = Fleetctl::with_fleet(ARTICLE).set("COLUMNS", "400");
    let mut missing = String::new();
    for (number, says, words) in &LINTS {
        let said = match says {
            Verb(arguments) => said(&literal, arguments),
            With(from, to, arguments) => {
                assert!(ARTICLE.contains(from), "{number}: the fixture has no {from:?}");
                said(&Fleetctl::with_fleet(&ARTICLE.replacen(from, to, 1)).set("COLUMNS", "400"), arguments)
            }
            Test(path, name) => {
                let file = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
                let file = file.expect("the file of the test");
                assert!(file.contains(name), "{number}: {path} has no {name}");
                file
            }
            Pairs => a_hundred_pairs(),
        };
        if !said.contains(words) {
            let _ = writeln!(missing, "{number}: {words:?} is not in:\n{said}");
        }
    }
    assert!(missing.is_empty(), "{missing}");
    for number in 1..=20 {
        assert!(LINTS.iter().any(|(lint, ..)| *lint == format!("L{number}")), "L{number} is not in the table");
        assert!(PAGE.contains(&format!("| L{number} |")), "docs/lints.md has no L{number}");
    }
}

/// The codes that the table holds are those of the page's row.
#[test]
fn the_page_names_the_code_that_is_raised() {
    for (number, _, words) in &LINTS {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| {number} |"))).expect("a row");
        let code = match (words.split_once('['), words.split_once(':')) {
            (Some((_, rest)), _) => rest.split(']').next().expect("a code"),
            (None, Some((code, _))) if code.contains('-') && !code.contains(' ') => code,
            _ => continue,
        };
        assert!(row.contains(&format!("`{code}`")), "{number}: the page does not name {code}");
    }
}

fn said(fleetctl: &Fleetctl, arguments: &[&str]) -> String {
    let output = fleetctl.run(arguments);
    assert!(matches!(output.exit, Some(0 | 3)), "{output}");
    // Columns are as wide as their cells.
    (output.stdout + &output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// 90 of 100 agreeing pairs, as the article's threshold has it.
fn a_hundred_pairs() -> String {
    let fleetctl = Fleetctl::with_fleet(EXAMPLE);
    let mut recording = String::new();
    for id in 0..100 {
        let tier = if id % 10 == 0 { "Weak" } else { "Strong" };
        let _ = writeln!(
            recording,
            r#"{{"id": {id}, "input": "q{id}", "reference": {{"score": {score}, "tier": "Strong"}}, "local": {{"score": {score}, "tier": "{tier}", "seconds": 2}}}}"#,
            score = id % 9
        );
    }
    fleetctl.write("pairs.jsonl", recording.as_bytes());
    let imported = fleetctl.run(&["shadow", "import", "job-score", "pairs.jsonl"]);
    assert_eq!(imported.exit, Some(0), "{imported}");
    let report = fleetctl.run(&["shadow", "report", "job-score", "--json"]).json();
    let measure = &report["measures"]["tier_agreement"];
    assert_eq!((measure["n"].as_u64(), measure["value"].as_f64()), (Some(100), Some(0.9)), "{report}");
    measure["verdict"].as_str().expect("a verdict").to_owned()
}
