//! The catalogue of codes: everything that any `code` field can hold, from every room.

use super::{fleet_file, status};
use crate::config;
use crate::diagnostic::Code;
use crate::plan;

/// Every code, sorted by its id. A room that has codes of its own adds them here.
pub(crate) fn catalogue() -> Vec<&'static Code> {
    let mut all: Vec<&'static Code> = Vec::new();
    all.extend(config::codes());
    all.push(&fleet_file::UNREADABLE);
    all.extend(status::alert::codes());
    all.extend(plan::doctor::codes());
    all.sort_by_key(|code| code.id);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// `docs/codes.md`
    fn markdown() -> String {
        let mut text = String::from(
            "# Codes\n\nEvery code that fleetctl can report. `fleetctl explain CODE` prints one of these entries, `fleetctl explain --list` the \
             list. This page is generated from the same catalogue.\n",
        );
        for code in catalogue() {
            let entry = format!(
                "\n## `{}`\n\n*{}* — {}\n\n{}\n",
                code.id,
                code.severity.as_str(),
                code.title,
                code.explanation
            );
            text.push_str(&entry);
        }
        text
    }

    #[test]
    fn every_code_is_unique_and_explained() {
        let all = catalogue();
        let ids: BTreeSet<&str> = all.iter().map(|code| code.id).collect();
        assert_eq!(ids.len(), all.len(), "a code stands twice");
        for code in all {
            let kebab = code.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(kebab && code.id.len() <= 40, "{} is no kebab-case id", code.id);
            assert!(!code.title.is_empty() && !code.title.ends_with('.') && !code.title.contains('\n'), "{}", code.id);
            assert!(code.explanation.len() > 40, "{} is not explained", code.id);
        }
    }

    #[test]
    fn the_page_of_codes_is_current() {
        crate::testing::assert_document("docs/codes.md", &markdown());
    }
}
