//! What machines say of themselves beside their answers: their own sizes and shapes, their power and heat. Asked over SSH; a machine that cannot be asked is measured
//! all the same, and this is not known then.

use std::sync::Arc;
use std::time::Duration;

use super::target::Target;
use crate::capacity::{Measured, drafts_in_use};
use crate::command::Context;
use crate::fleet::{Fleet, Machine, MachineName, Served, sha256};
use crate::observe::PowerState;
use crate::plan;
use crate::transport::{As, Connector, Remote};

const POWER: &str = include_str!("../../../templates/power.sh");
/// Three small tools.
const PATIENCE: Duration = Duration::from_secs(10);
/// Digits of a draft's revision.
const DIGITS: usize = 12;

/// The machines that answered.
#[derive(Default)]
pub(super) struct Sites(Vec<(MachineName, Site)>);

/// A machine that answered.
pub(super) struct Site {
    remote: Remote,
    /// Its own sizes and shapes.
    pub(super) measured: Measured,
}

impl Sites {
    /// Asks the machines of the targets, all at once.
    pub(super) async fn ask(cx: &Context, connector: &Connector, fleet: &Fleet, targets: &[Target<'_>]) -> Self {
        let mut machines: Vec<&Machine> = Vec::new();
        for target in targets {
            if !machines.iter().any(|machine| machine.name == target.machine.name) {
                machines.push(target.machine);
            }
        }
        let answers = cx.probe(connector, &Arc::new(fleet.clone()), &machines, |_, _| {}).await;
        let mut sites = Vec::new();
        for (machine, answer) in machines.into_iter().zip(answers) {
            match answer {
                Ok(answered) => {
                    let measured = plan::measured(fleet, machine, &answered.observed);
                    sites.push((machine.name.clone(), Site { remote: answered.remote, measured }));
                }
                Err(silent) => cx.ui.warn(&format!(
                    "{silent}; its power and heat are not recorded, and the bound stands on declared sizes"
                )),
            }
        }
        Self(sites)
    }

    /// A machine that answered.
    pub(super) fn of(&self, machine: &MachineName) -> Option<&Site> {
        self.0.iter().find(|(name, _)| name == machine).map(|(_, site)| site)
    }
}

impl Site {
    /// Power and heat now.
    pub(super) async fn power(&self) -> PowerState {
        let said = self.remote.run(As::Login, POWER, PATIENCE).await;
        said.map(|said| PowerState::parse(&said.text())).unwrap_or_default()
    }

    /// The revision of the draft that runs beside a name: several share one name and differ in shape (facts/capacity.md 6). The beginning of the SHA-256 of its
    /// config.json, the first draft's where there are more.
    pub(super) fn draft_revision(&self, fleet: &Fleet, served: &Served) -> Option<String> {
        let profile = fleet.profiles.get(&served.profile)?;
        let config = drafts_in_use(profile).find_map(|draft| self.measured.weights.get(draft)?.config.as_deref())?;
        Some(sha256(config.as_bytes())[..DIGITS].to_owned())
    }
}
