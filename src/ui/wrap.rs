//! Text broken into lines at blanks.

use unicode_width::UnicodeWidthStr as _;

use super::sanitize;

/// Stands for a blank at which a line is not broken.
const GLUE: &str = "\u{a0}";

/// Lines of at most `width` columns; a word that is longer than the line stays whole, so that it can be copied.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    broken(text, width, width)
}

/// One text of such lines, the further ones behind `indent` blanks; the first may stand behind as many columns.
pub(super) fn indented(text: &str, indent: usize, width: u16) -> String {
    // On a terminal narrower than this there is nothing to win.
    const LEAST: usize = 30;
    let room = usize::from(width).saturating_sub(indent).max(LEAST);
    wrapped(text, room).join(&format!("\n{:indent$}", ""))
}

/// The text behind its lead, its further lines indented below it; ends with a line feed. Numbers and their units stay on one line.
pub(super) fn paragraph(lead: &str, text: &str, width: u16) -> String {
    /// Further lines are indented below the text, but by no more than this.
    const DEEPEST: usize = 12;
    /// Even on the narrowest terminal a line holds so many columns of text.
    const NARROWEST: usize = 20;
    let indent = lead.width().min(DEEPEST);
    let width = usize::from(width).max(indent + NARROWEST);
    let text = lead.replace(' ', GLUE) + &with_units(&sanitize(text));
    broken(&text, width, width - indent).join(&format!("\n{:indent$}", "")).replace(GLUE, " ") + "\n"
}

fn broken(text: &str, first: usize, further: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let width = if lines.len() == 1 { first } else { further };
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            line.truncate(line.trim_end_matches(' ').len());
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn with_units(text: &str) -> String {
    let mut text = text.to_owned();
    for unit in [" GiB", " MiB", " s)", " min)", " tok/s", " % "] {
        text = text.replace(unit, &unit.replacen(' ', GLUE, 1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_blanks_only() {
        assert_eq!(wrapped("a 漢字 c", 4), ["a", "漢字", "c"]);
        assert_eq!(wrapped("a 漢字 c", 6), ["a 漢字", "c"]);
        assert_eq!(wrapped("longer-than-the-line b", 6), ["longer-than-the-line", "b"]);
        assert_eq!(wrapped("", 6), [""]);
        assert_eq!(
            indented(&"word ".repeat(12), 2, 40),
            format!("{}\n  {}", "word ".repeat(7).trim_end(), "word ".repeat(5))
        );
    }

    #[test]
    fn a_paragraph_is_not_broken_before_units() {
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
