//! Diffs that show what changes and no secret.

use similar::TextDiff;

/// What stands in a diff where a secret stands in the file.
pub(super) const REDACTED: &str = "(secret)";

/// Longest diff that is shown, lines.
const LONGEST: usize = 60;

/// A unified diff of two texts with three lines of context; `None` when they are equal.
pub(super) fn unified(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(3).to_string();
    let count = text.lines().count();
    if count <= LONGEST {
        return Some(text);
    }
    let more = format!("… {} more lines", count - LONGEST);
    Some(text.lines().take(LONGEST).chain([more.as_str()]).flat_map(|line| [line, "\n"]).collect())
}

/// The diff of one value, as two lines.
pub(super) fn of_value(old: Option<&str>, new: Option<&str>) -> String {
    let line = |sign: char, value: Option<&str>| value.map(|value| format!("{sign}{value}\n")).unwrap_or_default();
    line('-', old) + &line('+', new)
}

/// Bytes of a found file as text for a diff; `None` for what is no text.
pub(super) fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}
