//! `explain` for people: the list of codes, and the entry of one.

use super::Palette;
use super::wrap::wrapped;
use crate::diagnostic::Code;

/// Longer lines are no easier to read.
const LONGEST_LINE: u16 = 100;

/// Every code, a line each.
pub fn codes_text(codes: &[&Code]) -> String {
    let width = codes.iter().map(|code| code.id.len()).max().unwrap_or(0);
    let line = |code: &&Code| format!("{:width$}  {:7}  {}\n", code.id, code.severity.as_str(), code.title);
    codes.iter().map(line).collect()
}

/// What one code means.
pub fn code_text(code: &Code, width: u16, color: bool) -> String {
    let id = Palette::new(color).heading(code.id);
    let mut text = format!("{id} ({}): {}\n", code.severity.as_str(), code.title);
    for paragraph in code.explanation.split("\n\n") {
        text.push('\n');
        for line in wrapped(paragraph, usize::from(width.min(LONGEST_LINE))) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}
