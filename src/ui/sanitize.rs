//! Foreign text made safe for a terminal.

/// Replaces every control character (C0, DEL, C1) and the bidirectional overrides by a visible escape, so that text from a machine, a model server or
/// the fleet file can neither move the cursor nor reorder a line.
pub fn sanitize(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// As [`sanitize`], but newlines stay.
pub(super) fn sanitize_lines(text: &str) -> String {
    text.split('\n').map(sanitize).collect::<Vec<_>>().join("\n")
}

/// A JSON document whose strings hold none of these characters either: JSON itself escapes the first 32 only (RFC 8259, 7). The document means the same.
pub(super) fn escape_json(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        // All of them have four hexadecimal digits; the layout's own newlines stand outside of strings.
        if is_harmful(c) && c != '\n' {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A line of a log: without the colours that its writer gave it (SGR, `ESC [ … m`), and safe.
pub fn sanitize_log(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let parameters = behind.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == ':');
        rest = if let Some(after) = parameters.strip_prefix('m') {
            after
        } else {
            plain.push_str("\u{1b}[");
            behind
        };
    }
    plain.push_str(rest);
    sanitize(&plain)
}

fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{escape_json, sanitize, sanitize_lines, sanitize_log};

    #[test]
    fn nothing_that_moves_a_cursor_survives() {
        assert_eq!(sanitize("a\u{1b}[31mb\r\n\u{9b}2J\u{202e}x"), "a\\u{1b}[31mb\\r\\n\\u{9b}2J\\u{202e}x");
        assert_eq!(sanitize("Qwen3.6 – größer"), "Qwen3.6 – größer");
        assert_eq!(sanitize_lines("a\u{1b}\nb"), "a\\u{1b}\nb");
    }

    #[test]
    fn a_log_loses_its_colours_and_nothing_else() {
        assert_eq!(sanitize_log("\u{1b}[1;33moMLX\u{1b}[0m \u{1b}[2J\u{1b}[m."), "oMLX \\u{1b}[2J.");
        assert_eq!(sanitize_log("50% [33m done"), "50% [33m done");
    }

    #[test]
    fn a_document_means_the_same_and_moves_no_cursor() {
        let said = serde_json::json!({"a\u{9b}2J": "\u{7f}\u{85}\u{202e}x\n\u{1b}[2J größer"});
        let text = escape_json(&serde_json::to_string_pretty(&said).expect("JSON"));
        assert!(text.contains("\\u009b2J") && text.contains("größer"), "{text}");
        assert_eq!(text.chars().filter(|c| super::is_harmful(*c) && *c != '\n').count(), 0);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), said);
    }
}
