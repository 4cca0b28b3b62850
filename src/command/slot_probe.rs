//! The health of machines as their own oMLX tells it, asked in parallel over plain HTTP.

use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::Context;
use crate::error::CommandError;
use crate::fleet::{Machine, SecretSource};
use crate::secret::SecretString;
use crate::slot::{self, Answer, LEASE, MODELS_STATUS, MachineHealth, ProbeOutcome, STATUS, Snapshot};
use crate::transport::{Got, PlainHttp};

/// How long one machine may take to answer a one-shot question.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1_500);

/// The keys of machines, each source asked once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Vec<(SecretSource, Option<SecretString>)>);

impl Keys {
    /// Fetches the keys of these machines. One that cannot be had is warned of, and its machines are asked without.
    pub(crate) async fn fetch(cx: &Context, machines: &[&Machine]) -> Self {
        let mut keys = Self::default();
        for source in machines.iter().filter_map(|machine| machine.omlx.api_key.as_ref()) {
            if keys.0.iter().any(|(known, _)| known == source) {
                continue;
            }
            let key = match cx.secret(source).await {
                Ok(key) => Some(key),
                Err(error) => {
                    cx.ui.warn(&format!("{error}: machines are asked without a key"));
                    None
                }
            };
            keys.0.push((source.clone(), key));
        }
        keys
    }

    /// The key of a machine.
    pub(crate) fn of(&self, machine: &Machine) -> Option<&SecretString> {
        let source = machine.omlx.api_key.as_ref()?;
        self.0.iter().find(|(known, _)| known == source).and_then(|(_, key)| key.as_ref())
    }
}

/// One machine's answer.
pub(crate) async fn probe(
    http: &PlainHttp,
    machine: &Machine,
    key: Option<&SecretString>,
) -> (MachineHealth, ProbeOutcome) {
    let base = slot::base_url(machine);
    let root = base.strip_suffix("/v1").unwrap_or(&base);
    let (models_url, status_url) = (format!("{root}{MODELS_STATUS}"), format!("{root}{STATUS}"));
    let (models, status) = tokio::join!(http.get(&models_url, key), http.get(&status_url, key));
    slot::observed(answer(models), answer(status))
}

/// What these machines say now, all asked at once.
pub(crate) async fn snapshot(cx: &Context, machines: &[&Machine], at: Timestamp) -> Result<Snapshot, CommandError> {
    let http =
        PlainHttp::new(PATIENCE).map_err(|error| CommandError::failed("cannot ask the machines").because(error))?;
    let keys = Keys::fetch(cx, machines).await;
    let mut probes = JoinSet::new();
    for machine in machines {
        let (http, machine, key) = (http.clone(), (*machine).clone(), keys.of(machine).cloned());
        probes.spawn(async move {
            let (health, _) = probe(&http, &machine, key.as_ref()).await;
            (machine.name, health)
        });
    }
    let machines = probes.join_all().await.into_iter().collect();
    Ok(Snapshot { taken_at: at, lease: Some(LEASE), machines })
}

fn answer(got: Got) -> Answer {
    match got {
        Got::Answer { status, body } => Answer::Got { status, body },
        Got::NoConnection(said) => Answer::NoConnection(said),
        Got::NoAnswer(said) => Answer::NoAnswer(said),
    }
}
