//! Text broken into lines at blanks.

use unicode_width::UnicodeWidthStr as _;

/// Lines of at most `width` columns; a word that is longer than the line stays whole, so that it can be copied.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.width() + 1 + word.width() > width {
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

/// One text of such lines, the further ones behind `indent` blanks; the first may stand behind as many columns.
pub(super) fn indented(text: &str, indent: usize, width: u16) -> String {
    // On a terminal narrower than this there is nothing to win.
    const LEAST: usize = 30;
    let room = usize::from(width).saturating_sub(indent).max(LEAST);
    wrapped(text, room).join(&format!("\n{:indent$}", ""))
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
}
