//! What only doctor asks of a machine: power, FileVault, updates, Homebrew, its own tailscale, the directory of the weights.
//!
//! Facts as the tools print them (macos.md 3.7, 5.2, 7.3); what a tool did not say is `None`.

use std::collections::BTreeMap;

use super::parse::Section;
use super::power::rows;
use super::{Tailnet, TailnetError, parse_tailnet};

/// The answer of templates/probe-checkup.sh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkup {
    /// `pmset -g`: value by key, `sleep` → `0`.
    pub power: BTreeMap<String, String>,
    /// `fdesetup status`: whether FileVault is on.
    pub filevault: Option<bool>,
    /// `softwareupdate --schedule`: whether macOS checks (and, as configured, installs and restarts) by itself.
    pub updates: Option<bool>,
    /// The `brew` programs that are there.
    pub brew: Vec<String>,
    /// Homebrew's kegs of oMLX: release with a revision, `0.3.8_1`.
    pub kegs: Vec<String>,
    /// The machine's own tailscale; `None` without the tool.
    pub tailscale: Option<Result<Tailnet, TailnetError>>,
    /// Why the login user cannot list the directory of the weights, in `ls`'s words; `Some("")` when it can.
    pub weights: Option<String>,
    /// Whether every question was answered before the time was up.
    pub is_whole: bool,
}

impl Checkup {
    /// From the sections of the probe's answer.
    pub fn of(sections: &[Section<'_>]) -> Self {
        let text = |what: &str| {
            let found = sections.iter().find(|section| section.name == "checkup" && section.argument == what);
            found.map(|section| section.text().trim().to_owned())
        };
        let said = |what: &str, yes: &str, no: &str| {
            let text = text(what)?;
            if text.contains(yes) { Some(true) } else { text.contains(no).then_some(false) }
        };
        let homebrew = text("homebrew").unwrap_or_default();
        let lines = |prefix: &str| -> Vec<String> {
            homebrew.lines().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect()
        };
        Self {
            power: rows(&text("power").unwrap_or_default()),
            filevault: said("filevault", "FileVault is On", "FileVault is Off"),
            updates: said("updates", "turned on", "turned off"),
            brew: lines("brew "),
            kegs: lines("keg "),
            tailscale: text("tailscale").filter(|text| !text.is_empty()).map(|text| parse_tailnet(&text)),
            weights: text("weights"),
            is_whole: sections.iter().any(|section| section.name == "checkup-end"),
        }
    }

    /// A number of `pmset -g`.
    pub fn power_number(&self, key: &str) -> Option<u32> {
        self.power.get(key)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_unknown() {
        let answer = b"\n@@n checkup filevault\nFileVault is On.\n\n@@n checkup tailscale\nfailed to connect to local tailscaled\n\n@@n checkup weights\n\n";
        let checkup = Checkup::of(&super::super::parse::sections(answer, "n"));
        assert_eq!((checkup.filevault, checkup.updates), (Some(true), None));
        assert_eq!(checkup.tailscale, Some(Err(TailnetError::Malformed)));
        assert_eq!((checkup.weights.as_deref(), checkup.is_whole), (Some(""), false));
    }
}
