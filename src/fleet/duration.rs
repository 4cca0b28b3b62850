//! Durations as an operator writes them: `90s`, `15m`, `2h`, `1h30m`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a sequence of numbers with `h`, `m` or `s`, each unit at most once and in that order.
    #[error("not a duration: write it as 90s, 15m, 2h or 1h30m")]
    Malformed,
    /// Zero, or more than ten years.
    #[error("out of range: a duration is above 0 and at most 87600h")]
    OutOfRange,
}

/// Reads a duration. Errors: see [`DurationError`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    const LIMIT_SECONDS: u64 = 87_600 * 3_600;
    let (mut rest, mut seconds, mut last_scale) = (text.trim(), 0_u64, u64::MAX);
    if rest.is_empty() {
        return Err(DurationError::Malformed);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError::Malformed)?;
        let (number, tail) = rest.split_at(digits);
        let scale = match tail.as_bytes()[0] {
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return Err(DurationError::Malformed),
        };
        if number.is_empty() || scale >= last_scale {
            return Err(DurationError::Malformed);
        }
        let number: u64 = number.parse().map_err(|_| DurationError::OutOfRange)?;
        seconds = number
            .checked_mul(scale)
            .and_then(|part| seconds.checked_add(part))
            .filter(|total| *total <= LIMIT_SECONDS)
            .ok_or(DurationError::OutOfRange)?;
        last_scale = scale;
        rest = &tail[1..];
    }
    if seconds == 0 { Err(DurationError::OutOfRange) } else { Ok(Duration::from_secs(seconds)) }
}

/// Writes whole seconds the way [`parse_duration`] reads them: `1h30m`, `45s`; zero is `0s`.
pub fn format_duration(duration: Duration) -> String {
    let total = duration.as_secs();
    let (hours, minutes, seconds) = (total / 3_600, total / 60 % 60, total % 60);
    let mut text = String::new();
    for (number, unit) in [(hours, 'h'), (minutes, 'm'), (seconds, 's')] {
        if number > 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_same() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7_200), ("1h30m", 5_400), ("1h0m5s", 3_605)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(format_duration(Duration::from_mins(90)), "1h30m");
        assert_eq!(format_duration(Duration::ZERO), "0s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "m", "5m1h", "1h1h", "-5s", "5d", "1.5h", "５s"] {
            assert_eq!(parse_duration(text), Err(DurationError::Malformed), "{text}");
        }
        for text in ["0s", "99999999999999999999h", "87601h"] {
            assert_eq!(parse_duration(text), Err(DurationError::OutOfRange), "{text}");
        }
    }
}
