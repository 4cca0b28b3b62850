//! Keeps the snapshot warm: one task a machine, which probes, believes, publishes and waits.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::service::Service;
use crate::command::slot_probe::{Keys, probe};
use crate::fleet::Machine;
use crate::secret::SecretString;
use crate::slot::{MachineHealth, Reach, Tracker};
use crate::transport::{HttpError, PlainHttp};

/// How long one probe may take (facts of slots: 1.5 to 2 s).
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts a task for each machine. Each tells, in a line, what it newly believes.
pub(super) fn start(
    service: &Arc<Service>,
    keys: &Keys,
    told: &UnboundedSender<String>,
    stop: &CancellationToken,
) -> Result<JoinSet<()>, HttpError> {
    let http = PlainHttp::new(PATIENCE)?;
    let mut tasks = JoinSet::new();
    for machine in service.fleet().machines.iter() {
        let prober = Prober {
            service: Arc::clone(service),
            http: http.clone(),
            machine: machine.clone(),
            key: keys.of(machine).cloned(),
            told: told.clone(),
        };
        let stop = stop.clone();
        tasks.spawn(async move {
            // What is cut off is one GET.
            stop.run_until_cancelled(prober.run()).await;
        });
    }
    Ok(tasks)
}

struct Prober {
    service: Arc<Service>,
    http: PlainHttp,
    machine: Machine,
    key: Option<SecretString>,
    told: UnboundedSender<String>,
}

impl Prober {
    async fn run(self) {
        let mut tracker = Tracker::default();
        let chances = RandomState::new();
        let mut round = 0_u64;
        loop {
            let (health, outcome) = probe(&self.http, &self.machine, self.key.as_ref()).await;
            let changed = tracker.observe(health, outcome, self.service.clock().now());
            if let Some(health) = tracker.health() {
                if changed {
                    // Nobody listens any more only when the service is being stopped.
                    drop(self.told.send(format!("{}: {}", self.machine.name, belief(&health))));
                }
                self.service.publish(&self.machine.name, health);
            }
            round += 1;
            let pause = tracker.delay(chance(&chances, round));
            tokio::time::sleep(pause.try_into().unwrap_or(PATIENCE)).await;
        }
    }
}

/// A number from 0 to 1 that differs from machine to machine and from round to round: enough for a jitter.
fn chance(seed: &RandomState, round: u64) -> f64 {
    let mut hasher = seed.build_hasher();
    hasher.write_u64(round);
    #[expect(clippy::cast_possible_truncation, reason = "32 of the 64 bits are enough")]
    let bits = hasher.finish() as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

fn belief(health: &MachineHealth) -> String {
    match &health.reach {
        Reach::Unreachable(said) => format!("unreachable: {said}"),
        Reach::Unresponsive(said) => format!("unresponsive: {said}"),
        Reach::Up if health.breaker_open => "answers again; its breaker is still open".to_owned(),
        Reach::Up if !health.authorized => {
            "it refuses the key: requests for it will fail until that is mended".to_owned()
        }
        Reach::Up => "up".to_owned(),
    }
}
