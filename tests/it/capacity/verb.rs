//! What an operator and a program see.

use crate::support::Fleetctl;

const ARTICLE: &str = include_str!("../../fixtures/fleets/article.toml");
const EXAMPLE: &str = include_str!("../../../fleet.toml");

/// The answer comes with the errors, and the exit code is theirs.
#[test]
fn the_articles_literal_fleet() {
    let output = Fleetctl::with_fleet(ARTICLE).run(&["capacity", "--on", "mac-studio1"]);
    assert_eq!(output.exit, Some(3));
    assert!(output.stdout.contains("moe-plain can load only in the place of moe-dflash or"), "{}", output.stdout);
    assert!(output.stdout.contains("moe-dflash and moe-plain are two copies of moe-35b"), "{}", output.stdout);
    for line in ["moe-dflash      36.0 GiB  952 MiB", "dense-thinking  27.0 GiB"] {
        let row = output.stdout.lines().find(|shown| shown.starts_with(line)).expect("a row a resident");
        assert!(row.ends_with("68864") || row.ends_with("39680"), "the largest context: {row}");
    }
    assert!(output.stderr.contains("error[rank-without-machine]"), "{}", output.stderr);
    assert!(output.stderr.contains("the answer is for what is sound of it"), "{}", output.stderr);
}

#[test]
fn the_example_fits() {
    let fleetctl = Fleetctl::with_fleet(EXAMPLE);
    let (text, json) = (fleetctl.run(&["capacity"]), fleetctl.run(&["capacity", "--json"]));
    assert_eq!((text.exit, json.exit), (Some(0), Some(0)));
    assert_eq!(text.stderr, "");
    let document = json.json();
    assert_eq!(document["schema"], "fleetctl.capacity/1");
    let machines = document["machines"].as_array().expect("machines");
    assert_eq!(machines.len(), 4);
    let night = &machines[0]["windows"][1];
    assert_eq!((&night["name"], &night["limit_by"], &night["fits"]), (&"night".into(), &"omlx".into(), &true.into()));
    assert_eq!(night["limit_bytes"], 85_040_352_460_u64);
    assert_eq!(night["headroom"]["system_bytes"], serde_json::Value::Null);
    assert_eq!(night["loadable"][0]["served"], "moe-dflash");
    assert_eq!(night["loadable"][0]["largest_context_tokens"], serde_json::Value::Null);
}

#[test]
fn bad_input() {
    let unreadable = Fleetctl::with_fleet("\u{0}\u{1}[[[").run(&["capacity"]);
    assert_eq!(unreadable.exit, Some(3));
    assert_eq!(unreadable.stdout, "");
    let nowhere = Fleetctl::with_fleet(EXAMPLE).run(&["capacity", "--on", "mac-mni1"]);
    assert_eq!(nowhere.exit, Some(2));
    let chip = Fleetctl::with_fleet(&EXAMPLE.replace("M4 Pro", "Z80")).run(&["capacity", "--on", "mac-mini3"]);
    assert_eq!(chip.exit, Some(0));
    assert!(chip.stdout.contains("unknown-chip: the memory bandwidth of \"Z80\" is not known"), "{}", chip.stdout);
}

/// docs/lints.md names codes that `explain` explains, and the article's fleet raises them (notes in `capacity`: beside errors `check` leaves them out).
#[test]
fn the_page_of_lints_is_true() {
    let page = include_str!("../../../docs/lints.md");
    let list = Fleetctl::new().run(&["explain", "--list", "--json"]).json();
    let known: Vec<&str> =
        list["codes"].as_array().expect("codes").iter().filter_map(|code| code["code"].as_str()).collect();
    let check = Fleetctl::with_fleet(ARTICLE).run(&["check", "--json"]).json();
    let raised: Vec<&str> =
        check["problems"].as_array().expect("problems").iter().filter_map(|problem| problem["code"].as_str()).collect();
    let capacity = Fleetctl::with_fleet(ARTICLE).run(&["capacity"]).stdout;
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| L")).collect();
    assert_eq!(rows.len(), 20);
    let (mut named, mut seen) = (0, 0);
    for row in rows {
        let code_column = row.rsplit('|').nth(1).expect("the last column");
        for word in code_column.split('`').skip(1).step_by(2).filter(|word| word.contains('-')) {
            if ["lower-rank", "stale-profile"].contains(&word) {
                continue;
            }
            assert!(known.contains(&word), "no code {word}");
            named += 1;
            seen += usize::from(raised.contains(&word) || capacity.contains(&format!("{word}: ")));
        }
    }
    assert!(named >= 20 && seen >= 12, "{named} named, {seen} raised: {raised:?}");
}
