//! What an operator sees at 80 by 24 and at 160 by 50, whole: each answer begins with how it stands, names the next step where there is one, and no line of it
//! runs past the edge.

use crate::status::{Case, filters};
use crate::support::Fleetctl;
use unicode_width::UnicodeWidthStr as _;

const WIDTHS: [usize; 2] = [80, 160];
/// A Monday noon in New York.
const AT: &str = "2026-11-23T17:00:00Z";

/// Pins a screen and looks at its edge. A line that is to be copied or is quoted from elsewhere stays whole: `is_whole` tells.
fn keep(name: &str, width: usize, text: &str, is_whole: fn(&str) -> bool) {
    let over: Vec<&str> = text.lines().filter(|line| line.width() > width && !is_whole(line)).collect();
    assert_eq!(over, [""; 0], "{name} at {width}");
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!(format!("{name}_{width}"), text);
    });
}

/// As [`keep`], of machines: without what differs from run to run.
fn keep_live(name: &str, width: usize, text: &str, is_whole: fn(&str) -> bool) {
    let mut filters = filters();
    if text.contains(" ago") {
        // An age of another length moves every column behind it: what stands where is pinned, how far apart is not.
        filters.extend([(r"used \d+\w ago", "used [AGE] ago"), (" {2,}", "  ")]);
    }
    insta::with_settings!({filters => filters}, { keep(name, width, text, is_whole) });
}

/// Nothing is.
fn never(_: &str) -> bool {
    false
}

/// What a file holds, as it is there.
fn is_of_a_file(line: &str) -> bool {
    line.starts_with("      +")
}

/// What doctor gives to copy.
fn is_command(line: &str) -> bool {
    ["    fleetctl ", "    ssh "].iter().any(|start| line.starts_with(start))
}

/// rustc's look: text below an underlined place, which is not broken.
fn is_label(line: &str) -> bool {
    line.contains('|') && line.contains('^')
}

#[test]
fn of_what_needs_no_machine() {
    for width in WIDTHS {
        let fleetctl = Fleetctl::with_fleet(include_str!("../../fleet.toml")).set("COLUMNS", &width.to_string());
        let see = |name: &str, words: &[&str], is_whole: fn(&str) -> bool| {
            let said = fleetctl.run(words);
            assert_eq!(said.exit, Some(0), "{said}");
            keep(name, width, &said.stdout, is_whole);
        };
        see("check", &["check"], is_label);
        see("capacity", &["capacity"], never);
        see("schedule", &["schedule", "--at", AT], never);
        see("simulate_down", &["simulate", "--down", "mac-mini1,mac-mini2", "--at", AT], never);
        see("simulate_each", &["simulate", "--each", "--at", AT], never);
        see("resolve", &["resolve", "extract-fast", "--offline", "--explain", "--at", AT], never);
    }
}

/// One machine is set up and sound, the other was never seen.
#[test]
fn of_machines() {
    let Some(case) = Case::up("") else { return };
    case.lab.fault("mac-b", &["refuse"]);
    for width in WIDTHS {
        let said = case.at_width(width, &["plan"]);
        assert_eq!(said.code, 4, "{said:?}");
        keep_live("plan", width, &said.out, is_of_a_file);
    }
    let said = case.at_width(80, &["apply", "--yes"]);
    assert_eq!(said.code, 4, "{said:?}");
    keep_live("apply", 80, &took(&said.out), never);
    for width in WIDTHS {
        let said = case.at_width(width, &["apply", "--yes", "--on", "mac-a"]);
        assert_eq!(said.code, 0, "{said:?}");
        keep_live("apply_again", width, &took(&said.out), never);
        let said = case.at_width(width, &["status"]);
        assert_eq!(said.code, 4, "{said:?}");
        keep_live("status", width, &said.out, never);
        let said = case.at_width(width, &["doctor"]);
        assert_eq!(said.code, 4, "{said:?}");
        keep_live("doctor", width, &said.out, is_command);
    }
}

/// Without how long it took.
fn took(text: &str) -> String {
    let words =
        text.split(' ').map(|word| if word.parse::<f64>().is_ok_and(|_| word.contains('.')) { "[N]" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
