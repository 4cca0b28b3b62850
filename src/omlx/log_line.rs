//! What must not be shown of a line of oMLX's log.

use std::borrow::Cow;

/// A line without a key that oMLX refused: 0.3.8 writes it in clear behind "API key:" (0.3.8 server.py:289; hashed since 0.4.4). Everything behind such words goes,
/// because what a client sent may look like anything.
pub fn without_refused_key(line: &str) -> Cow<'_, str> {
    const WORDS: &[u8] = b"api key";
    let bytes = line.as_bytes();
    let behind = |at: usize| {
        let rest = &line[at + WORDS.len()..];
        rest.starts_with([':', '=']).then_some(at + WORDS.len() + 1)
    };
    let found = bytes.windows(WORDS.len()).enumerate();
    let end = found.filter(|(_, word)| word.eq_ignore_ascii_case(WORDS)).find_map(|(at, _)| behind(at));
    match end {
        Some(end) => Cow::Owned(format!("{} [redacted]", &line[..end])),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_refused_key_is_not_shown() {
        let line = "2026-08-19 10:00:00 - omlx.server - WARNING - Rejected API key: 'it\\'s mine'";
        assert_eq!(
            without_refused_key(line),
            "2026-08-19 10:00:00 - omlx.server - WARNING - Rejected API key: [redacted]"
        );
        assert_eq!(without_refused_key("Invalid API key"), "Invalid API key");
        assert_eq!(without_refused_key("API key required; api key=x"), "API key required; api key= [redacted]");
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(line in "\\PC{0,10}([aA][pP][iI] key)?[:=]?\\PC{0,10}") {
            drop(without_refused_key(&line));
        }
    }
}
