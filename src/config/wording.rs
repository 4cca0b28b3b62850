//! How messages show what was written.

/// A foreign text as messages show it: quoted, escaped, and cut when it is long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let escape = |part: &str| part.escape_debug().to_string();
    if text.chars().count() <= LONGEST {
        return format!("\"{}\"", escape(text));
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("\"{}…\" ({} characters)", escape(&cut), text.chars().count())
}

/// A key as messages show it: escaped, and cut when it is long.
pub(crate) fn shortened(key: &str) -> String {
    const LONGEST: usize = 40;
    if key.chars().count() <= LONGEST {
        return key.escape_debug().to_string();
    }
    let cut: String = key.chars().take(LONGEST).collect();
    format!("{}…", cut.escape_debug())
}
