//! Sizes in bytes, written the way an operator writes them.

use std::fmt;
use std::str::FromStr;

/// A size in bytes. Suffixes are binary: `"96GB"` and `"96GiB"` are both 96·2^30 bytes (fleet.md, Words).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// 2^30 bytes.
    pub const GIB: u64 = 1 << 30;

    /// A whole number of GiB, as bytes.
    pub const fn gib(n: u64) -> Self {
        Self(n * Self::GIB)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The size in GiB, for arithmetic that is about display or ratios only.
    #[expect(clippy::cast_precision_loss, reason = "sizes of memory are far below 2^53 bytes")]
    pub fn as_gib(self) -> f64 {
        self.0 as f64 / Self::GIB as f64
    }
}

impl fmt::Display for Bytes {
    /// One decimal and the unit that keeps the number below 1024: `36.0 GiB`, `600 MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        #[expect(clippy::cast_precision_loss, reason = "display only")]
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let text = if unit < 3 { format!("{value:.0} {}", UNITS[unit]) } else { format!("{value:.1} {}", UNITS[unit]) };
        f.pad(&text)
    }
}

/// Why a text is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// No number with one of the known suffixes.
    #[error("not a size: write a number and B, KB, MB, GB or TB, as in \"36GB\"")]
    Malformed,
    /// Zero, negative, or beyond 2^63 bytes.
    #[error("out of range: a size is above 0 and below 8 EiB")]
    OutOfRange,
}

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        let text = text.trim();
        let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(split);
        let shift = match suffix.trim().to_ascii_uppercase().as_str() {
            "B" => 0,
            "KB" | "KIB" => 10,
            "MB" | "MIB" => 20,
            "GB" | "GIB" => 30,
            "TB" | "TIB" => 40,
            _ => return Err(BytesError::Malformed),
        };
        let value: f64 = number.parse().map_err(|_| BytesError::Malformed)?;
        let bytes = value * f64::from(1_u32 << (shift % 30)) * if shift >= 30 { f64::from(1_u32 << 30) } else { 1.0 };
        if !(1.0..9.0e18).contains(&bytes) {
            return Err(BytesError::OutOfRange);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in 1..9e18")]
        Ok(Self(bytes.round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_binary() {
        for (text, bytes) in [
            ("96GB", 96 << 30),
            ("96GiB", 96 << 30),
            ("0.5KB", 512),
            ("600MB", 600 << 20),
            ("1TB", 1 << 40),
            ("7 B", 7),
            ("0.93GB", 998_579_896),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "GB", "12", "12XB", "1.2.3GB", "-1GB", "1e3GB"] {
            assert_eq!(text.parse::<Bytes>(), Err(BytesError::Malformed), "{text}");
        }
        for text in ["0GB", "0.0001B", "99999999999TB"] {
            assert_eq!(text.parse::<Bytes>(), Err(BytesError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn display_picks_the_unit() {
        assert_eq!(Bytes::gib(36).to_string(), "36.0 GiB");
        assert_eq!(Bytes(600 << 20).to_string(), "600 MiB");
        assert_eq!(Bytes(12).to_string(), "12 B");
    }
}
