//! What `capacity` finds about memory and speed, put into the file's problems.

use std::ops::Range;
use std::sync::LazyLock;

use super::values::Problems;
use super::view::View;
use crate::capacity::{self, Gravity, Place, RULES};
use crate::config::node::{Table, Value};
use crate::diagnostic::{Code, Problem, Severity};

/// `capacity` knows no diagnostics: its rules become codes here.
static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let severity = |gravity| match gravity {
        Gravity::Note => Severity::Note,
        Gravity::Warning => Severity::Warning,
        Gravity::Error => Severity::Error,
    };
    RULES
        .iter()
        .map(|rule| Code {
            id: rule.id,
            severity: severity(rule.gravity),
            title: rule.title,
            explanation: rule.explanation,
        })
        .collect()
});

/// The codes of `capacity`'s rules.
pub(crate) fn codes() -> Vec<&'static Code> {
    CODES.iter().collect()
}

/// Every finding, at the first of its places that the file holds.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    for finding in capacity::findings(view.fleet) {
        let Some(code) = CODES.iter().find(|code| code.id == finding.rule.id) else { continue };
        let mut problem = match finding.places.iter().find_map(|place| span(view.tree, place)) {
            Some(span) => Problem::at(code, span, finding.message()),
            None => Problem::general(code, finding.message()),
        };
        for place in &finding.also {
            if let Some(span) = span(view.tree, place) {
                problem = problem.also(span, "");
            }
        }
        problems.push(match finding.help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
}

/// Where a value stands; of a table, its key.
fn span(tree: &Table, place: &Place) -> Option<Range<usize>> {
    let (last, path) = place.0.split_last()?;
    let mut table = tree;
    for key in path {
        match &table.get(key)?.node.value {
            Value::Table(inner) => table = inner,
            _ => return None,
        }
    }
    let entry = table.get(last)?;
    Some(if matches!(entry.node.value, Value::Table(_)) { entry.key.clone() } else { entry.node.span.clone() })
}
