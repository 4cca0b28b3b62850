//! Differences of two texts for people.

use similar::{ChangeTag, TextDiff};

use super::sanitize;

/// A unified diff without headings, at most `limit` lines; what is left out is counted. Control characters are shown escaped.
pub fn short_diff(old: &str, new: &str, limit: usize) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (at, hunk) in diff.grouped_ops(1).iter().enumerate() {
        if at > 0 {
            lines.push("...".to_owned());
        }
        for change in hunk.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{mark}{}", sanitize(change.value().trim_end_matches('\n'))));
        }
    }
    if lines.len() > limit {
        let more = lines.len() - limit;
        lines.truncate(limit);
        lines.push(format!("({more} more lines)"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_a_line_around_and_an_end() {
        let old = (0..40).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
        let new = old.replace("\n5\n", "\nfive\u{1b}[2J\n").replace("\n30\n", "\n");
        let shown = short_diff(&old, &new, 100);
        assert_eq!(shown, [" 4", "-5", "+five\\u{1b}[2J", " 6", "...", " 29", "-30", " 31"]);
        assert_eq!(short_diff(&old, &new, 2).last().map(String::as_str), Some("(6 more lines)"));
    }
}
