//! What profiles and `[omlx.settings]` share: values that end in a JSON file of oMLX's.

use super::values::OUT_OF_RANGE;
use crate::config::node::{Node, Value};
use crate::config::read::WRONG_TYPE;
use crate::diagnostic::Problem;
use crate::omlx::Misfit;

/// What does not fit of a value that goes into a JSON file of oMLX's.
pub(crate) fn misfit(
    node: &Node,
    what: &str,
    check: impl FnOnce(&serde_json::Value) -> Result<(), Misfit>,
) -> Option<Problem> {
    if let Some(strange) = strange(node) {
        let message = format!("{what} holds {}, which JSON cannot hold", strange.value.kind());
        return Some(Problem::at(&WRONG_TYPE, strange.span.clone(), message));
    }
    let (code, why) = match check(&node.value.to_json()) {
        Ok(()) => return None,
        Err(Misfit::Kind(_)) if matches!(node.value, Value::Huge(_)) => (&OUT_OF_RANGE, "is too large".to_owned()),
        Err(misfit @ Misfit::Kind(_)) => (&WRONG_TYPE, misfit.to_string()),
        Err(misfit @ Misfit::Range(_)) => (&OUT_OF_RANGE, misfit.to_string()),
    };
    Some(Problem::at(code, node.span.clone(), format!("{what} {why}")))
}

/// A part that has no JSON form: a date, infinity, NaN. (A number beyond 64 bits is out of every range and said so.)
fn strange(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Date(_) | Value::Null => Some(node),
        Value::Float(number) if !number.is_finite() => Some(node),
        Value::Array(items) => items.iter().find_map(|item| if huge(item) { Some(item) } else { strange(item) }),
        Value::Table(table) => {
            table.values().find_map(|entry| if huge(&entry.node) { Some(&entry.node) } else { strange(&entry.node) })
        }
        _ => None,
    }
}

const fn huge(node: &Node) -> bool {
    matches!(node.value, Value::Huge(_))
}

/// `0.5.0 and flyto-0.7.0 have it`
pub(crate) fn have_it(releases: &[&str]) -> String {
    format!("{} {} it", releases.join(" and "), if releases.len() == 1 { "has" } else { "have" })
}
