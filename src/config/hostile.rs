//! Hostile input: whatever the text, there is an answer, its places lie in the text, and it can be shown.

use proptest::prelude::*;

use super::load;
use crate::diagnostic::has_errors;
use crate::testing;

const EXAMPLE: &str = include_str!("../../fleet.toml");

/// Texts that break things, put in anywhere.
const FRAGMENTS: [&str; 40] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{feff}",
    "é",
    "𝔘",
    "$(reboot)",
    "`id`",
    "../../etc",
    "~",
    "-1",
    "0",
    "99999999999999999999",
    "1e999",
    "nan",
    "true",
    "[]",
    "{}",
    "\"tier:\"",
    "\"*\"",
    "\"a@b@c\"",
    "1979-05-27",
    "\"\\u0000\"",
    "\"00:00-00:00\"",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    Delete(usize, usize),
    DropLine(usize),
    DoubleLine(usize),
    SwapLines(usize, usize),
    ReplaceValue(usize, usize),
    Truncate(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<usize>();
    let change = prop_oneof![
        (at, 0..FRAGMENTS.len()).prop_map(|(at, fragment)| Change::Insert(at, fragment)),
        (at, 1..40_usize).prop_map(|(at, length)| Change::Delete(at, length)),
        at.prop_map(Change::DropLine),
        at.prop_map(Change::DoubleLine),
        (at, any::<usize>()).prop_map(|(one, other)| Change::SwapLines(one, other)),
        (at, 0..FRAGMENTS.len()).prop_map(|(at, fragment)| Change::ReplaceValue(at, fragment)),
        (at, 0..FRAGMENTS.len()).prop_map(|(at, fragment)| Change::ReplaceValue(at, fragment)),
        at.prop_map(Change::Truncate),
    ];
    prop::collection::vec(change, 1..6)
}

fn change(text: &mut String, change: &Change) {
    let boundary = |text: &str, at: usize| text.floor_char_boundary(at % (text.len() + 1));
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let count = lines.len().max(1);
    match *change {
        Change::Insert(at, fragment) => text.insert_str(boundary(text, at), FRAGMENTS[fragment]),
        Change::Delete(at, length) => {
            let start = boundary(text, at);
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, "");
        }
        Change::Truncate(at) => text.truncate(boundary(text, at)),
        _ if lines.is_empty() => {}
        Change::DropLine(at) => {
            lines.remove(at % count);
            *text = lines.concat();
        }
        Change::DoubleLine(at) => {
            lines.insert(at % count, lines[at % count].clone());
            *text = lines.concat();
        }
        Change::SwapLines(one, other) => {
            lines.swap(one % count, other % count);
            *text = lines.concat();
        }
        Change::ReplaceValue(at, fragment) => {
            let line = &mut lines[at % count];
            if let Some(equals) = line.find('=') {
                line.replace_range(equals + 1.., &format!(" {}\n", FRAGMENTS[fragment]));
            }
            *text = lines.concat();
        }
    }
}

/// What holds of every answer.
fn assert_answer(text: &str) {
    let loaded = load("fleet.toml", text);
    assert_eq!(loaded.fleet.is_none(), has_errors(&loaded.problems), "a fleet, or an error");
    for problem in &loaded.problems {
        for label in problem.primary.iter().chain(&problem.secondary) {
            assert!(
                text.get(label.span.clone()).is_some(),
                "{}: {:?} is no part of the text",
                problem.code.id,
                label.span
            );
        }
        assert!(!problem.message.is_empty() && problem.message.len() < 2_000, "{}", problem.message);
        assert!(
            !problem.message.chars().any(char::is_control),
            "{}: a control character in {:?}",
            problem.code.id,
            problem.message
        );
    }
    if let Some(fleet) = loaded.fleet {
        assert_eq!(testing::fleet(&fleet.canonical.to_string()), fleet, "the canonical form is the same fleet");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_example_has_an_answer(changes in changes()) {
        let mut text = EXAMPLE.to_owned();
        for one in &changes {
            change(&mut text, one);
        }
        assert_answer(&text);
    }

    #[test]
    fn noise_has_an_answer(text in "\\PC{0,200}") {
        assert_answer(&text);
    }

    #[test]
    fn lines_of_toml_have_an_answer(lines in prop::collection::vec("(\\[{1,2}[a-z.\"]{1,8}\\]{1,2}|[a-z.\"]{1,6} ?= ?([0-9\"'\\[\\]{}.a-z:-]{0,12}))", 0..12)) {
        assert_answer(&lines.join("\n"));
    }
}

/// Every value of the example replaced by every fragment, one at a time: types and ranges of every key.
#[test]
fn every_value_replaced() {
    for fragment in
        ["99999999999999999999", "-1", "0", "nan", "[]", "{}", "true", "\"\"", "\"\\u0000\\n\"", "[[\"*\"]]", "1e300"]
    {
        let mut at = 0;
        while let Some(found) = EXAMPLE[at..].find(" = ") {
            let start = at + found + 3;
            let end = start + EXAMPLE[start..].find(['\n', '#']).unwrap_or(EXAMPLE.len() - start);
            // Every fifth is enough for one run: the offsets differ from fragment to fragment.
            if (start + fragment.len()).is_multiple_of(5) {
                assert_answer(&format!("{}{fragment} {}", &EXAMPLE[..start], &EXAMPLE[end..]));
            }
            at = start;
        }
    }
}
