//! Selectors: a machine, a glob over machine names, or `tier:LABEL` (fleet.md, Words).

use super::{Machine, MachineName, NameError, TierLabel};

/// A choice of machines, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// One machine by name.
    Machine(MachineName),
    /// Machine names that match; `*` is any run of characters, `?` is one.
    Glob(String),
    /// Machines whose `tier` is the label.
    Tier(TierLabel),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Neither a machine name, a glob, nor a tier.
    #[error("not a selector: write a machine, a glob as mac-mini*, or tier:LABEL")]
    Malformed(#[source] NameError),
}

impl Selector {
    /// Reads a selector; that it selects anything is not checked. Errors: [`SelectorError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if let Some(label) = text.strip_prefix("tier:") {
            return TierLabel::new(label).map(Self::Tier).map_err(SelectorError::Malformed);
        }
        let is_glob = text.contains(['*', '?']);
        if is_glob && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"*?_-".contains(&b)) {
            return Ok(Self::Glob(text.to_owned()));
        }
        MachineName::new(text).map(Self::Machine).map_err(SelectorError::Malformed)
    }

    /// Whether the machine is selected.
    pub fn matches(&self, machine: &Machine) -> bool {
        match self {
            Self::Machine(name) => machine.name == *name,
            Self::Glob(pattern) => glob(pattern.as_bytes(), machine.name.as_str().as_bytes()),
            Self::Tier(label) => machine.tier.as_ref() == Some(label),
        }
    }
}

/// Linear-time glob with one point of return, so that no pattern can make it slow.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, hit) in [
            ("mac-*", "mac-mini1", true),
            ("*mini?", "mac-mini1", true),
            ("*", "x", true),
            ("m*i1", "mac-mini12", false),
            ("?", "", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), hit, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["", "tier:", "tier:A", "a b", "$(x)*"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}
