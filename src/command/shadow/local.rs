//! The local side: the slot, through the resolver, when its machine has nothing else to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::slot_probe::{self, Keys};
use super::reference::{chat_answer, judged};
use crate::clock::Clock;
use crate::fleet::{Fleet, Machine, MachineName, Shadow, Slot};
use crate::schedule;
use crate::shadow::{Arm, Failure, Input};
use crate::slot::{self, Cursor, LEASE, Snapshot};
use crate::transport::{JsonClient, KeyHeader, PlainHttp, Post};

/// How long a busy machine is waited for before an item is left for another run.
const BUSY_PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at a busy machine.
const BUSY_INTERVAL: Duration = Duration::from_secs(1);
/// An answer of a slot without a timeout.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What asking the slot needs.
pub(super) struct Local {
    pub(super) fleet: Fleet,
    pub(super) shadow: Shadow,
    pub(super) slot: Slot,
    pub(super) machines: Vec<Machine>,
    pub(super) probe: PlainHttp,
    pub(super) client: JsonClient,
    pub(super) keys: Keys,
    pub(super) clock: Clock,
    pub(super) ours: Ours,
}

/// The requests of this run at each machine: they do not make it busy.
#[derive(Debug, Default)]
pub(super) struct Ours(Mutex<BTreeMap<MachineName, u32>>);

impl Ours {
    fn at(&self, machine: &MachineName) -> u32 {
        self.counts().get(machine).copied().unwrap_or_default()
    }

    fn begin(&self, machine: &MachineName) {
        *self.counts().entry(machine.clone()).or_default() += 1;
    }

    fn end(&self, machine: &MachineName) {
        if let Some(count) = self.counts().get_mut(machine) {
            *count = count.saturating_sub(1);
        }
    }

    /// A panic elsewhere leaves the numbers as they are.
    fn counts(&self) -> MutexGuard<'_, BTreeMap<MachineName, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of an item.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// An answer, or a failure that counts.
    Answered {
        /// Judged, and timed.
        arm: Arm,
        /// Its text.
        text: Option<String>,
        /// Where it came from.
        conditions: String,
    },
    /// The machine was busy for too long: not asked.
    Busy,
    /// Nobody answers the slot: not asked.
    Nobody(String),
}

/// What a look at the machine comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has nothing else to do.
    Ask,
    /// It works for others: look again in a moment.
    Wait,
    /// It has worked for others for too long.
    PutOff,
}

/// Others come first: with more requests in flight than `ours` the machine is busy.
fn turn(in_flight: u32, ours: u32, waited: Duration) -> Turn {
    if in_flight <= ours {
        Turn::Ask
    } else if waited <= BUSY_PATIENCE {
        Turn::Wait
    } else {
        Turn::PutOff
    }
}

/// Asks the slot for one input.
pub(super) async fn ask(local: Arc<Local>, input: Input) -> Outcome {
    let began = Instant::now();
    loop {
        let snapshot = snapshot(&local).await;
        let resolution = slot::resolve(&local.fleet, &local.slot, &snapshot, local.clock.now(), &Cursor::default());
        let Some(choice) = &resolution.choice else { return Outcome::Nobody(resolution.reason.clone()) };
        let in_flight = snapshot.of(&choice.machine.name).map_or(0, slot::MachineHealth::in_flight);
        match turn(in_flight, local.ours.at(&choice.machine.name), began.elapsed()) {
            Turn::Ask => {}
            Turn::Wait => {
                tokio::time::sleep(BUSY_INTERVAL).await;
                continue;
            }
            Turn::PutOff => return Outcome::Busy,
        }
        let mut body = input.fields.clone();
        // What an input asks for by itself wins over the profile's defaults.
        for (name, value) in choice.overlay.clone() {
            body.entry(name).or_insert(value);
        }
        body.insert("model".to_owned(), json!(choice.served.name.as_str()));
        body.insert("messages".to_owned(), Value::from(input.messages.clone()));
        let url = format!("{}/chat/completions", choice.base_url);
        let key = local.keys.of(choice.machine).map(|key| (key, KeyHeader::Bearer));
        let conditions = json!({
            "machine": choice.machine.name.as_str(), "served": choice.served.name.as_str(), "model": choice.served.model.as_str(),
            "profile": choice.served.profile.as_str(), "rank": choice.rank, "in_flight": in_flight, "loads": choice.loads.len(),
        });
        local.ours.begin(&choice.machine.name);
        let posted = local.client.post(&url, key, &Value::Object(body), local.slot.timeout.unwrap_or(TIMEOUT)).await;
        local.ours.end(&choice.machine.name);
        let (said, text) = match posted.got {
            Post::Answer { status: 200, body, .. } => {
                let value: Value = serde_json::from_slice(&body).unwrap_or_default();
                let (text, _, cut) = chat_answer(&value);
                (judged(&text, cut, &local.shadow), Some(text))
            }
            Post::Answer { .. } => (Err(Failure::Refused), None),
            Post::TooLong => (Err(Failure::TooLong), None),
            Post::Timeout => (Err(Failure::Timeout), None),
            Post::Failed(_) => (Err(Failure::Unreachable), None),
        };
        let arm = Arm { said, seconds: Some(posted.seconds) };
        return Outcome::Answered { arm, text, conditions: conditions.to_string() };
    }
}

async fn snapshot(local: &Arc<Local>) -> Snapshot {
    let at = local.clock.now();
    let bound = schedule::bound_route(&local.fleet, &local.slot, at);
    let asked =
        local.machines.iter().filter(|machine| bound.route.iter().any(|rank| rank.machines.contains(&machine.name)));
    let mut probes = JoinSet::new();
    for machine in asked {
        let (http, machine, key) = (local.probe.clone(), machine.clone(), local.keys.of(machine).cloned());
        probes.spawn(async move {
            let (health, _) = slot_probe::probe(&http, &machine, key.as_ref()).await;
            (machine.name, health)
        });
    }
    Snapshot { taken_at: at, lease: Some(LEASE), machines: probes.join_all().await.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_come_first() {
        let (short, long) = (Duration::from_secs(119), Duration::from_secs(121));
        for (in_flight, ours, waited, wanted) in [
            (0, 0, short, Turn::Ask),
            // What this run has there itself makes nobody wait.
            (2, 2, short, Turn::Ask),
            (1, 2, short, Turn::Ask),
            (1, 0, short, Turn::Wait),
            (3, 2, short, Turn::Wait),
            (3, 2, long, Turn::PutOff),
            (0, 0, long, Turn::Ask),
        ] {
            assert_eq!(turn(in_flight, ours, waited), wanted, "{in_flight} in flight, {ours} ours, {waited:?}");
        }
    }
}
