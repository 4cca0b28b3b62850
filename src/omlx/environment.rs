//! Variables of the daemon's environment that oMLX reads.

use std::collections::BTreeMap;

use super::Release;

/// The variable after which 0.3.8 gives DFlash up for good (engine/dflash.py:65).
pub const DFLASH_MAX_CTX: &str = "DFLASH_MAX_CTX";

/// 0.3.8's default of [`DFLASH_MAX_CTX`], in tokens (engine/dflash.py:27).
const DFLASH_MAX_CTX_DEFAULT: u64 = 4096;

/// Whether a variable of `[omlx.environment]` is refused: `OMLX_*` (and the fork's `FMLX_*`) beats settings.json, and the next save bakes its value into
/// the file (facts/omlx.md 1.3, 1.4).
pub fn is_refused_variable(name: &str) -> bool {
    name.starts_with("OMLX_") || name.starts_with("FMLX_")
}

/// The prompt length in tokens from which a DFlash engine drops DFlash and stays with the ordinary engine until it is loaded again.
/// `None`: no limit (the later releases have the field `dflash_max_ctx` instead, unlimited by default; facts/omlx.md 8.1).
///
/// `environment` is that of the daemon; `dflash_max_ctx` is the profile's field.
pub fn dflash_limit(
    release: Release,
    environment: &BTreeMap<String, String>,
    dflash_max_ctx: Option<u64>,
) -> Option<u64> {
    match release {
        Release::V0_3_8 => {
            let declared = environment.get(DFLASH_MAX_CTX).and_then(|text| text.trim().parse().ok());
            Some(declared.unwrap_or(DFLASH_MAX_CTX_DEFAULT))
        }
        Release::V0_5_0 | Release::Flyto0_7_0 => dflash_max_ctx,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_dflash() {
        let environment = |value: &str| BTreeMap::from([(DFLASH_MAX_CTX.to_owned(), value.to_owned())]);
        assert_eq!(dflash_limit(Release::V0_3_8, &BTreeMap::new(), None), Some(4096));
        assert_eq!(dflash_limit(Release::V0_3_8, &environment("32768"), Some(7)), Some(32_768));
        assert_eq!(dflash_limit(Release::V0_5_0, &environment("32768"), None), None);
        assert_eq!(dflash_limit(Release::Flyto0_7_0, &BTreeMap::new(), Some(8192)), Some(8192));
    }

    #[test]
    fn what_is_refused() {
        assert!(is_refused_variable("OMLX_PORT") && is_refused_variable("FMLX_BASE_PATH"));
        assert!(!is_refused_variable("HOME") && !is_refused_variable(DFLASH_MAX_CTX));
    }
}
