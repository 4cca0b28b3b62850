//! Sizes as oMLX writes them in its own settings.

/// Why oMLX would not read a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a size: write a number and B, KB, MB, GB or TB, as in \"20GB\"")]
pub struct SizeError;

/// Reads a size in bytes as 0.3.8 `config.parse_size` does: a number with B, KB, MB, GB or TB (1024-based, any case), or a plain whole number of bytes.
/// A `%` is refused, whatever oMLX's README says of `--hot-cache-max-size` (config.py:18).
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let text = text.trim().to_ascii_uppercase();
    for (suffix, shift) in [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)] {
        if let Some(number) = text.strip_suffix(suffix) {
            let number: f64 = number.trim().parse().map_err(|_| SizeError)?;
            #[expect(clippy::cast_precision_loss, reason = "a power of two")]
            let bytes = number * (1_u64 << shift) as f64;
            if !bytes.is_finite() || !(0.0..9.0e18).contains(&bytes) {
                return Err(SizeError);
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be in 0..9e18; Python's int() truncates too"
            )]
            return Ok(bytes as u64);
        }
    }
    text.parse().map_err(|_| SizeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_reads_them() {
        for (text, bytes) in
            [("100GB", 100 << 30), ("0", 0), ("1.5 gb", 3 << 29), ("7", 7), ("8B", 8), ("1TB", 1 << 40)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "20%", "GB", "auto", "-1GB", "1GiB", "inf GB", "1e30TB"] {
            assert_eq!(parse_size(text), Err(SizeError), "{text}");
        }
    }
}
