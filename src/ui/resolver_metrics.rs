//! The resolver service's metrics, in Prometheus' text format (version 0.0.4).

use crate::fleet::{Fleet, SlotName};
use crate::slot::{Reach, SlotState, Snapshot};

/// What the service has counted for a slot since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounters {
    /// Answers with a candidate.
    pub answered: u64,
    /// Answers without one.
    pub without_candidate: u64,
}

/// All metrics. Label values are names of the fleet file, which need no escaping.
pub fn render_resolver_metrics(
    fleet: &Fleet,
    snapshot: &Snapshot,
    slots: &[(SlotName, SlotState, Option<usize>, SlotCounters)],
) -> String {
    let mut text = Metrics::default();
    text.family("fleetctl_machine_up", "gauge", "1 where the machine's oMLX answers, 0 where it does not");
    for machine in fleet.machines.iter() {
        let up = snapshot.of(&machine.name).is_some_and(|health| health.reach == Reach::Up);
        text.sample("fleetctl_machine_up", &[("machine", machine.name.as_str())], u64::from(up));
    }
    text.family("fleetctl_machine_authorized", "gauge", "0 where the machine's oMLX refuses the key");
    text.family("fleetctl_machine_breaker_open", "gauge", "1 while the machine's breaker is open");
    text.family("fleetctl_machine_requests", "gauge", "requests in work and in the queue, as oMLX counts them");
    for machine in fleet.machines.iter() {
        let Some(health) = snapshot.of(&machine.name) else { continue };
        let name = machine.name.as_str();
        text.sample("fleetctl_machine_authorized", &[("machine", name)], u64::from(health.authorized));
        text.sample("fleetctl_machine_breaker_open", &[("machine", name)], u64::from(health.breaker_open));
        for (state, count) in [("running", health.running), ("waiting", health.waiting)] {
            if let Some(count) = count.filter(|_| health.reach == Reach::Up) {
                text.sample("fleetctl_machine_requests", &[("machine", name), ("state", state)], u64::from(count));
            }
        }
    }
    text.family("fleetctl_slot_state", "gauge", "1 for the state that the slot is in");
    text.family("fleetctl_slot_rank", "gauge", "the rank that answers, from 0; absent without one");
    text.family("fleetctl_resolutions_total", "counter", "answers since the start");
    for (slot, state, rank, counters) in slots {
        for known in [SlotState::Ok, SlotState::Degraded, SlotState::Down] {
            let labels = [("slot", slot.as_str()), ("state", known.as_str())];
            text.sample("fleetctl_slot_state", &labels, u64::from(known == *state));
        }
        if let Some(rank) = rank {
            text.sample("fleetctl_slot_rank", &[("slot", slot.as_str())], *rank as u64);
        }
        for (result, count) in [("answered", counters.answered), ("no-candidate", counters.without_candidate)] {
            text.sample("fleetctl_resolutions_total", &[("slot", slot.as_str()), ("result", result)], count);
        }
    }
    text.render()
}

/// Families in order, each with its samples together, as the format demands.
#[derive(Default)]
struct Metrics(Vec<(&'static str, String)>);

impl Metrics {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.0.push((name, format!("# HELP {name} {help}\n# TYPE {name} {kind}\n")));
    }

    fn sample(&mut self, name: &'static str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        if let Some((_, text)) = self.0.iter_mut().find(|(family, _)| *family == name) {
            text.extend([format!("{name}{{{}}} {value}\n", labels.join(","))]);
        }
    }

    fn render(self) -> String {
        self.0.into_iter().map(|(_, text)| text).collect()
    }
}
