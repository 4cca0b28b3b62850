//! Foreign text made safe for a terminal.

/// Replaces every control character (C0, DEL, C1) and the bidirectional overrides by a visible escape, so that text from a machine, a model server or
/// the fleet file can neither move the cursor nor reorder a line.
pub fn sanitize(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let harmful =
            c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if harmful {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn nothing_that_moves_a_cursor_survives() {
        assert_eq!(sanitize("a\u{1b}[31mb\r\n\u{9b}2J\u{202e}x"), "a\\u{1b}[31mb\\r\\n\\u{9b}2J\\u{202e}x");
        assert_eq!(sanitize("Qwen3.6 – größer"), "Qwen3.6 – größer");
    }
}
