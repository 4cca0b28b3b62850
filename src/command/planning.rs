//! Machines asked and planned: what `plan` shows and `apply` carries out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::machines::Silent;
use super::revision::{Revision, lineage};
use super::{Context, FleetFile};
use crate::error::CommandError;
use crate::fleet::{Fleet, Machine};
use crate::observe::Observed;
use crate::plan::{Input, MachinePlan, PlanState, plan_machine};
use crate::render::{self, Bundle, Content, Placeholder, SecretId, Values};
use crate::transport::{Connector, Remote};

/// A machine with its plan.
pub(crate) struct Planned {
    /// The machine.
    pub(crate) machine: Machine,
    /// What would be done.
    pub(crate) plan: MachinePlan,
    /// The connection, where there is one.
    pub(crate) remote: Option<Remote>,
    /// What was seen.
    pub(crate) observed: Option<Observed>,
    /// What fills the holes.
    pub(crate) values: Values,
    /// Why it gave no answer.
    pub(crate) silent: Option<Silent>,
}

/// What decides a plan besides the file and the machines.
pub(crate) struct Terms<'a> {
    /// The fleet file's revision.
    pub(crate) revision: Option<&'a Revision>,
    /// `--allow-older`
    pub(crate) allow_older: bool,
}

impl Context {
    /// Fetches the secrets that the bundles of these machines have holes for. Errors: one cannot be had.
    pub(crate) async fn values(&self, fleet: &Fleet, machines: &[&Machine]) -> Result<Values, CommandError> {
        let sources = render::secret_sources(fleet);
        let mut wanted: BTreeSet<SecretId> = BTreeSet::new();
        for machine in machines {
            wanted.extend(holes(&render::bundle(fleet, machine)));
        }
        let mut values = Values::default();
        for id in wanted {
            if let Some(source) = sources.get(&id) {
                let secret = self.secret(source).await?;
                values.secrets.insert(id, secret);
            }
        }
        Ok(values)
    }

    /// Asks machines and plans each; one answer each, in the order given. Errors: a secret cannot be had.
    pub(crate) async fn plan_machines(
        &self,
        connector: &Connector,
        file: &FleetFile,
        machines: &[&Machine],
        terms: &Terms<'_>,
    ) -> Result<Vec<Planned>, CommandError> {
        let values = self.values(&file.fleet, machines).await?;
        let fleet = Arc::new(file.fleet.clone());
        let answers = self.probe(connector, &fleet, machines, |_, _| {}).await;
        let mut planned = Vec::new();
        for (machine, answer) in machines.iter().zip(answers) {
            planned.push(match answer {
                Ok(answered) => {
                    let observed = answered.observed;
                    let (values, plan) = self.plan_one(&fleet, machine, &observed, &values, terms).await;
                    Planned {
                        machine: (*machine).clone(),
                        plan,
                        remote: Some(answered.remote),
                        observed: Some(observed),
                        values,
                        silent: None,
                    }
                }
                Err(silent) => Planned {
                    machine: (*machine).clone(),
                    plan: self.plan_to_copy(no_answer(machine, &silent)),
                    remote: None,
                    observed: None,
                    values: values.clone(),
                    silent: Some(silent),
                },
            });
        }
        Ok(planned)
    }

    /// The plan of one machine that answered, with what fills its holes.
    pub(crate) async fn plan_one(
        &self,
        fleet: &Fleet,
        machine: &Machine,
        observed: &Observed,
        values: &Values,
        terms: &Terms<'_>,
    ) -> (Values, MachinePlan) {
        let applied =
            observed.record.as_ref().and_then(|record| record.get("revision")).and_then(|value| value.as_str());
        let lineage = lineage(terms.revision, applied).await;
        let mut values = values.clone();
        values.tailnet_ip = machine.tailnet_ip.or(observed.identity.tailnet_ip);
        let bundle = render::bundle(fleet, machine);
        let plan = plan_machine(&Input {
            fleet,
            machine,
            bundle: &bundle,
            observed,
            values: &values,
            now: self.clock.now(),
            lineage: &lineage,
            allow_older: terms.allow_older,
        });
        (values, self.plan_to_copy(plan))
    }

    /// Command lines in what a plan says, as they are to be copied.
    fn plan_to_copy(&self, mut plan: MachinePlan) -> MachinePlan {
        let commands = self.ui.commands();
        plan.detail.iter_mut().chain(&mut plan.notes).for_each(|text| commands.mend(text));
        plan
    }
}

fn holes(bundle: &Bundle) -> Vec<SecretId> {
    let mut ids = Vec::new();
    for entry in &bundle.entries {
        let text = match &entry.content {
            Content::Whole(text) => text,
            Content::Keys(document) => &document.fresh,
            Content::Link { .. } => continue,
        };
        ids.extend(text.holes().filter_map(|hole| match hole {
            Placeholder::Secret(id) => Some(id.clone()),
            Placeholder::TailnetIp | Placeholder::SecretKey => None,
        }));
    }
    ids
}

fn no_answer(machine: &Machine, silent: &Silent) -> MachinePlan {
    let mut detail = silent.to_string();
    for hint in silent.hints() {
        detail.push_str("; ");
        detail.push_str(&hint);
    }
    let state = match silent {
        Silent::Unreachable(_) | Silent::TimedOut { .. } => PlanState::Unreachable,
        Silent::Probe(_) | Silent::Bug { .. } => PlanState::Error,
    };
    MachinePlan {
        machine: machine.name.clone(),
        state,
        detail: Some(detail),
        changes: Vec::new(),
        obstacles: Vec::new(),
        kept: Vec::new(),
        notes: Vec::new(),
        transaction: None,
    }
}
