//! A paragraph as wide as the terminal, behind a lead.

use super::sanitize;

/// Further lines are indented below the text, but by no more than this.
const DEEPEST: usize = 12;
/// Even on the narrowest terminal a line holds so many columns of text.
const NARROWEST: usize = 20;

/// The text behind its lead, its further lines indented below it; ends with a line feed. Numbers and their units stay on one line.
pub(super) fn paragraph(lead: &str, text: &str, width: u16) -> String {
    let indent = lead.chars().count().min(DEEPEST);
    let width = usize::from(width).max(indent + NARROWEST);
    let mut lines = String::from(lead);
    let mut column = lead.chars().count();
    let mut is_first = true;
    for word in with_units(&sanitize(text)).split(' ') {
        let length = word.chars().count();
        if !is_first && column + 1 + length > width {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if !is_first {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(&word.replace(GLUE, " "));
        column += length;
        is_first = false;
    }
    lines.push('\n');
    // Two blanks between words leave one behind when the line is broken there.
    lines.replace(" \n", "\n")
}

/// Stands for a blank at which a line is not broken.
const GLUE: char = '\u{a0}';

fn with_units(text: &str) -> String {
    let mut text = text.to_owned();
    for unit in [" GiB", " MiB", " s)", " min)", " tok/s", " % "] {
        text = text.replace(unit, &unit.replacen(' ', "\u{a0}", 1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_not_before_units() {
        assert_eq!(
            paragraph("lead: ", "one two three 36.0 GiB of it", 30),
            "lead: one two three 36.0 GiB\n      of it\n"
        );
        assert_eq!(
            paragraph("lead: ", "one two three 36.0 GiB of it", 26),
            "lead: one two three\n      36.0 GiB of it\n"
        );
        assert_eq!(paragraph("", "\u{1b}[2J", 80), "\\u{1b}[2J\n");
    }
}
