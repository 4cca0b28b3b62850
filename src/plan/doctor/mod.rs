//! What keeps a machine from working, told from what one probe saw: `doctor`'s own rules, one file a family. Pure: values in, findings out. What `status` raises
//! as alerts is not repeated here; [`mend`] knows the command for those too.

mod access;
mod codes;
mod disk;
mod engine;
mod memory;
mod mend;
mod power;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use codes::{SECRET_MISSING, codes};
pub use mend::{Mend, install, install_beside, mend, sudo_rule};
pub use service::mend_service;

use crate::diagnostic::{Code, Severity};
use crate::fleet::{Fleet, Machine};
use crate::observe::{Node, Observed};
use crate::render::Bundle;

/// What decides the findings of one machine that answered.
pub struct Examined<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The machine.
    pub machine: &'a Machine,
    /// What it should hold.
    pub bundle: &'a Bundle,
    /// What it holds.
    pub observed: &'a Observed,
    /// Whether it holds something else than it should: then an apply does something.
    pub drifts: bool,
    /// The machine in the eyes of this computer's tailscale, where it runs.
    pub peer: Option<&'a Node>,
    /// The time.
    pub now: jiff::Timestamp,
    /// Makes one shell word (transport's, the one place that quotes).
    pub quote: &'a dyn Fn(&str) -> String,
}

/// Something that keeps a machine from working, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub code: &'static Code,
    /// What is wrong; a lowercase fragment. The machine's name is put in front of it.
    pub message: String,
    /// What mends it.
    pub mend: Option<Mend>,
}

impl Finding {
    fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), mend: None }
    }

    fn mended(mut self, mend: Mend) -> Self {
        self.mend = Some(mend);
        self
    }
}

/// In which order findings are mended: what others come from first, and among those and the others the gravest. What merely follows (a daemon that cannot start
/// because its port is taken, a name whose weights are gone) is often mended with its cause.
pub fn order(code: &str, severity: Severity) -> usize {
    let follows = matches!(
        code,
        "never-applied"
            | "omlx-stopped"
            | "omlx-crashing"
            | "omlx-starting"
            | "omlx-unresponsive"
            | "daemon-throttled"
            | "name-not-listed"
            | "resident-not-loaded"
            | "drifted"
    );
    // Without these two no apply ends well.
    let is_needed = matches!(code, "sudo-refused" | "disk-low");
    match severity {
        Severity::Error if !follows => 0,
        Severity::Warning if is_needed => 1,
        Severity::Error => 2,
        Severity::Warning => 3,
        Severity::Note => 4,
    }
}

/// Whether a finding only says again what another of the same machine says: without their directory no weights are there.
pub fn is_said_by(code: &str, others: &[&str]) -> bool {
    matches!(code, "weights-missing" | "weights-incomplete")
        && others.iter().any(|other| [codes::WEIGHTS_UNREADABLE.id, codes::WEIGHTS_NOT_PERMITTED.id].contains(other))
}

/// Everything that doctor's own rules say, family by family.
pub fn examine(examined: &Examined<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    access::rules(examined, &mut all);
    power::rules(examined, &mut all);
    engine::rules(examined, &mut all);
    memory::rules(examined, &mut all);
    disk::rules(examined, &mut all);
    all
}
