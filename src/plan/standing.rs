//! How the releases of oMLX on a machine, running and installed, stand to the declared one.

use crate::fleet::Release;
use crate::omlx;

/// How the releases on a machine stand to the declared one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the declared one, or nothing says otherwise.
    Declared,
    /// The declared one is installed and another still runs: a restart takes it into use.
    Pending {
        /// What runs, in its own words.
        running: String,
    },
    /// The declared one runs and another is installed: a restart would start that.
    Replaced {
        /// What is installed.
        installed: String,
    },
    /// Another one.
    Other {
        /// `runs` or `has`
        verb: &'static str,
        /// Which, in its own words.
        release: String,
    },
}

/// `running` is what `GET /api/status` says; `ours`, whether our own daemon is the one that says it.
pub(super) fn standing(declared: Release, running: Option<&str>, installed: Option<&str>, ours: bool) -> Standing {
    let runs_declared = running.map(|running| running == omlx::reported_version(declared));
    let has_declared = installed.map(|installed| installed == declared.as_str());
    match (runs_declared, has_declared) {
        (Some(false), Some(true)) if ours => Standing::Pending { running: running.unwrap_or_default().to_owned() },
        (Some(false), _) => Standing::Other { verb: "runs", release: running.unwrap_or_default().to_owned() },
        (Some(true), Some(false)) => Standing::Replaced { installed: installed.unwrap_or_default().to_owned() },
        (None, Some(false)) => Standing::Other { verb: "has", release: installed.unwrap_or_default().to_owned() },
        (Some(true) | None, _) => Standing::Declared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_and_what_is_installed_decide() {
        let standing = |running, installed, ours| standing(Release::Flyto0_7_0, running, installed, ours);
        // The fork reports its number without its name.
        assert_eq!(standing(Some("0.7.0"), Some("flyto-0.7.0"), true), Standing::Declared);
        assert_eq!(standing(None, Some("flyto-0.7.0"), false), Standing::Declared);
        assert_eq!(standing(None, None, false), Standing::Declared);
        assert_eq!(standing(None, Some("0.3.8"), false), Standing::Other { verb: "has", release: "0.3.8".to_owned() });
        let runs = Standing::Other { verb: "runs", release: "0.3.8".to_owned() };
        assert_eq!(standing(Some("0.3.8"), None, true), runs);
        // Somebody else's server would not be replaced by a restart of ours.
        assert_eq!(standing(Some("0.3.8"), Some("flyto-0.7.0"), false), runs);
        assert_eq!(
            standing(Some("0.3.8"), Some("flyto-0.7.0"), true),
            Standing::Pending { running: "0.3.8".to_owned() }
        );
        assert_eq!(standing(Some("0.7.0"), Some("0.5.0"), true), Standing::Replaced { installed: "0.5.0".to_owned() });
    }
}
