//! Fixtures that the tests of several rooms share.

pub(crate) mod machine;
pub(crate) mod shadow;

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

/// The fleet of a text as far as it is sound, errors or not.
pub(crate) fn sound(text: &str) -> Fleet {
    crate::config::load("fleet.toml", text).sound.expect("a file that can be read")
}

/// Holds a checked-in document to what the code makes of it. `UPDATE_DOCS=1` writes it anew.
pub(crate) fn assert_document(path: &str, current: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if crate::env::Env::of_process().get("UPDATE_DOCS").is_some() {
        crate::fs::write_atomic(&file, current.as_bytes(), 0o644).expect("the document is written");
    }
    let checked_in = crate::fs::read_text(&file, 1 << 24).expect("the document is there");
    assert!(checked_in == current, "{path} is not current: UPDATE_DOCS=1 cargo test writes it anew");
}
