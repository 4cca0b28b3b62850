//! Fixtures that the tests of several rooms share.

use crate::fleet::Fleet;

/// The fleet of the repository's fleet.toml.
pub(crate) fn example() -> Fleet {
    fleet(include_str!("../fleet.toml"))
}

/// The fleet of a text; panics with its problems when it is none.
pub(crate) fn fleet(text: &str) -> Fleet {
    let loaded = crate::config::load("fleet.toml", text);
    let said: Vec<String> = loaded
        .problems
        .iter()
        .map(|problem| {
            let line = problem.primary.as_ref().map_or(0, |label| loaded.source.place(label.span.start).line);
            format!("line {line}: {}: {}", problem.code.id, problem.message)
        })
        .collect();
    loaded.fleet.unwrap_or_else(|| panic!("no fleet:\n{}", said.join("\n")))
}
