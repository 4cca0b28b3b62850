//! What was found, as words of the fleet file: strings, comments, keys, sizes. Pure.

use crate::fleet::Bytes;

/// A TOML string.
pub(super) fn string(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

/// Remote text in a comment: one line, nothing that a terminal would obey.
pub(super) fn comment(text: &str) -> String {
    crate::ui::sanitize(text).replace('\n', " ")
}

/// A key of the fleet file out of a name of any kind.
pub(super) fn slug(text: &str) -> String {
    let plain = text.to_ascii_lowercase().replace(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit()), "-");
    let plain: String = plain.trim_matches('-').chars().take(32).collect();
    let plain = plain.trim_matches('-').to_owned();
    if plain.is_empty() { "model".to_owned() } else { plain }
}

/// As the fleet file writes sizes, rounded up: 1024-based, MB below one GB.
pub(super) fn size(bytes: u64) -> String {
    let hundredths = |unit: u64| {
        let hundredths = (u128::from(bytes) * 100).div_ceil(u128::from(unit));
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") }
    };
    if Bytes(bytes) >= Bytes(1 << 30) {
        format!("{}GB", hundredths(1 << 30))
    } else {
        format!("{}MB", hundredths(1 << 20))
    }
}
