//! Machines reached and asked: what every verb that talks to them begins with.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Context, ask};
use crate::cli::OnUnreachable;
use crate::clock::Clock;
use crate::error::CommandError;
use crate::exit::MachineOutcome;
use crate::fleet::{Fleet, Machine};
use crate::observe::{self, Ask, Observed};
use crate::render::{self, Bundle};
use crate::transport::{
    ConnectError, ConnectOptions, Connector, Event, Fanned, HostKeys, Remote, RunError, Width, fan_out,
};

/// A machine that answered.
pub(crate) struct Answered {
    /// The connection, for what follows.
    pub(crate) remote: Remote,
    /// What it holds.
    pub(crate) observed: Observed,
}

/// Why a machine did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silent {
    /// It cannot be connected to.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// It is connected, and the probe failed.
    #[error(transparent)]
    Probe(#[from] RunError),
    /// It took longer than `--timeout`.
    #[error("{machine}: no answer within {seconds} s")]
    TimedOut {
        /// The machine.
        machine: crate::fleet::MachineName,
        /// `--timeout`, seconds.
        seconds: u64,
    },
    /// A bug of ours.
    #[error("{machine}: a bug in fleetctl: {said}")]
    Bug {
        /// The machine.
        machine: crate::fleet::MachineName,
        /// The panic.
        said: String,
    },
}

impl Silent {
    /// What to do next.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Unreachable(error) => error.hints(),
            Self::Probe(error) => error.hints(),
            Self::TimedOut { .. } => vec!["--timeout gives it longer".to_owned()],
            Self::Bug { .. } => Vec::new(),
        }
    }

    /// What it means for the exit code.
    pub(crate) fn outcome(&self, unreachable: OnUnreachable) -> MachineOutcome {
        match (self, unreachable) {
            (Self::Bug { .. }, _) => MachineOutcome::Bug,
            (Self::Unreachable(_) | Self::TimedOut { .. }, OnUnreachable::Skip) => MachineOutcome::Absent,
            _ => MachineOutcome::Failed,
        }
    }
}

impl Context {
    /// Connections as the options and the fleet file say. Errors: no place for the control sockets; a malformed `--timeout`.
    pub(crate) fn connector(&self, fleet: &Fleet) -> Result<Connector, CommandError> {
        let options = ConnectOptions {
            timeout: self.timeout()?,
            keep: fleet.keep_connection,
            host_keys: if self.global.accept_new { HostKeys::AcceptNew } else { HostKeys::Strict },
        };
        Connector::new(&self.env, options).map_err(|error| CommandError::failed("SSH cannot be used").because(error))
    }

    /// How wide work over machines is, each with a deadline.
    pub(crate) fn width(&self, deadline: Option<Duration>) -> Width {
        Width { parallel: usize::from(self.global.parallel), deadline }
    }

    /// Probes machines, all at once within `--parallel`; one answer each, in the order given. `watch` is told as each begins and ends.
    pub(crate) async fn probe(
        &self,
        connector: &Connector,
        fleet: &Arc<Fleet>,
        machines: &[&Machine],
        watch: impl FnMut(Event, Option<&Result<Answered, Silent>>),
    ) -> Vec<Result<Answered, Silent>> {
        self.probe_asking(connector, fleet, machines, |_, _| {}, watch).await
    }

    /// As [`Self::probe`], with a question that `adjust` may add to.
    pub(crate) async fn probe_asking(
        &self,
        connector: &Connector,
        fleet: &Arc<Fleet>,
        machines: &[&Machine],
        adjust: fn(&mut Ask, &Bundle),
        watch: impl FnMut(Event, Option<&Result<Answered, Silent>>),
    ) -> Vec<Result<Answered, Silent>> {
        let timeout = connector.options().timeout;
        let clock = self.clock;
        let work = |machine: Machine| {
            let (connector, fleet) = (connector.clone(), Arc::clone(fleet));
            async move { ask_one(&connector, &fleet, &machine, None, adjust, clock).await }
        };
        self.each_machine(machines, Some(limit(timeout)), work, watch).await
    }

    /// Does the same on machines, all at once within `--parallel`; one result each, in the order given. `watch` is told as each begins and ends.
    pub(crate) async fn each_machine<T, W, F>(
        &self,
        machines: &[&Machine],
        deadline: Option<Duration>,
        work: W,
        mut watch: impl FnMut(Event, Option<&Result<T, Silent>>),
    ) -> Vec<Result<T, Silent>>
    where
        T: Send + 'static,
        W: Fn(Machine) -> F,
        F: Future<Output = Result<T, Silent>> + Send + 'static,
    {
        let items: Vec<Machine> = machines.iter().map(|machine| (*machine).clone()).collect();
        let fanned = fan_out(items, self.width(deadline), work, |event, done| {
            // The answer itself is handed over at the end; watchers of a beginning or an end need no more than whether it is good.
            match done {
                Some(Fanned::Done(result)) => watch(event, Some(result)),
                _ => watch(event, None),
            }
        })
        .await;
        fanned.into_iter().zip(machines).map(|(fanned, machine)| settled(fanned, machine)).collect()
    }
}

/// Connects to a machine, unless a connection to it is there, and asks it; both within `--timeout`.
pub(crate) async fn ask_one(
    connector: &Connector,
    fleet: &Fleet,
    machine: &Machine,
    remote: Option<Remote>,
    adjust: fn(&mut Ask, &Bundle),
    clock: Clock,
) -> Result<Answered, Silent> {
    let began = Instant::now();
    let remote = match remote {
        Some(remote) => remote,
        None => connector.connect(machine).await?,
    };
    let within = observe::remaining(connector.options().timeout, began.elapsed());
    let bundle = render::bundle(fleet, machine);
    let mut ask = ask::ask(fleet, machine, &bundle, within);
    adjust(&mut ask, &bundle);
    let observed = observe::probe(&remote, &ask, clock).await?;
    Ok(Answered { remote, observed })
}

/// Connecting and probing keep their own time; this only catches what does not.
pub(crate) fn limit(timeout: Duration) -> Duration {
    timeout + Duration::from_secs(3)
}

/// What became of a machine's work, as an answer.
pub(crate) fn settled<T>(fanned: Fanned<Result<T, Silent>>, machine: &Machine) -> Result<T, Silent> {
    let machine = machine.name.clone();
    match fanned {
        Fanned::Done(result) => result,
        Fanned::TimedOut(limit) => Err(Silent::TimedOut { machine, seconds: limit.as_secs() }),
        Fanned::Panicked(said) => Err(Silent::Bug { machine, said }),
    }
}
