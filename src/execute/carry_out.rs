//! One machine's transaction, from the laptop's side: upload, watch, come back after a cut connection.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::payload::payload;
use super::report::{MachineReport, MachineResult};
use super::result::{Line, ResultDocument, State};
use super::terms::Terms;
use super::{Cancel, gateway, script};
use crate::fleet::{Machine, MachineName};
use crate::plan::{Drain, Transaction, Values};
use crate::secret::{ExposeSecret as _, SecretString};
use crate::transport::{As, Connector, Remote, RunError};

/// What is to be done on one machine.
#[derive(Clone)]
pub struct Job {
    /// The machine.
    pub machine: Machine,
    /// The connection that the plan was made over, if there is one.
    pub remote: Option<Remote>,
    /// What is done.
    pub transaction: Transaction,
    /// What fills its holes.
    pub values: Values,
    /// What the operator decided.
    pub terms: Terms,
    /// The machines of the gateway, which leaves this one out while it is drained.
    pub gateways: Vec<Machine>,
}

/// What happens while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A machine's turn has come.
    Started(MachineName),
    /// What it does now.
    Step(MachineName, String),
    /// It has ended.
    Ended(Box<MachineReport>),
    /// A wave begins: its number from 1, of how many, and how many machines it has.
    Wave(usize, usize, usize),
}

/// Where events go. Nobody listening is no error.
pub type Events = mpsc::UnboundedSender<Event>;

/// Tells whoever listens; nobody is no error.
pub(super) fn tell(events: &Events, event: Event) {
    drop(events.send(event));
}

/// What a machine may take beside its drain and its gates: bootout of a daemon that does not want to end (`ExitTimeOut` 300 and what follows), twice.
const SLACK: Duration = Duration::from_mins(15);

/// How the conversation with a machine stands.
#[derive(Default)]
struct Talk {
    document: Option<ResultDocument>,
    refusal: Option<Line>,
}

impl Talk {
    fn take(&mut self, line: &str, id: &str, machine: &MachineName, events: &Events) {
        match Line::read(line) {
            Some(Line::Result(document)) if document.id == id => {
                if self.document.as_ref().is_none_or(|before| before.step != document.step) {
                    tell(events, Event::Step(machine.clone(), document.step.clone()));
                }
                self.document = Some(*document);
            }
            Some(Line::Result(_)) | None => {}
            Some(other) => self.refusal = Some(other),
        }
    }

    fn is_final(&self) -> bool {
        self.refusal.is_some() || self.document.as_ref().is_some_and(|document| document.state.is_final())
    }
}

/// Carries a job out. Never fails: what goes wrong is in the report.
pub async fn carry_out(connector: &Connector, job: &Job, cancel: &Cancel, events: &Events) -> MachineReport {
    let began = Instant::now();
    let machine = &job.machine.name;
    tell(events, Event::Started(machine.clone()));
    let mut report = match payload(&job.transaction, &job.values, &job.terms) {
        Ok(payload) => {
            let limit = job.terms.drain + job.transaction.gate.within * 3 + SLACK;
            let first = Begin { remote: job.remote.clone(), script: script::upload(&payload) };
            let gateways = if job.transaction.drain == Drain::Engine { job.gateways.as_slice() } else { &[] };
            if !gateways.is_empty() {
                tell(events, Event::Step(machine.clone(), "the gateway leaves it out".to_owned()));
            }
            let mut notes = gateway::leave_out(connector, gateways, machine, limit).await;
            let mut report = talk(connector, &job.machine, &job.terms.id, Some(first), limit, cancel, events).await;
            if !report.is_interrupted {
                // Else it is still at work; the note at the gateway runs out.
                notes.extend(gateway::let_in(connector, gateways, machine).await);
            }
            report.notes.extend(notes);
            report
        }
        Err(error) => MachineReport::new(machine, MachineResult::Failed).because(chain(&error)),
    };
    report.took = began.elapsed();
    report.changes = job.terms.changes;
    tell(events, Event::Ended(Box::new(report.clone())));
    report
}

/// Watches a transaction that was begun earlier to its end.
pub async fn attach(
    connector: &Connector,
    machine: &Machine,
    id: &str,
    within: Duration,
    cancel: &Cancel,
    events: &Events,
) -> MachineReport {
    let began = Instant::now();
    tell(events, Event::Started(machine.name.clone()));
    let mut report = talk(connector, machine, id, None, within * 3 + SLACK, cancel, events).await;
    report.took = began.elapsed();
    tell(events, Event::Ended(Box::new(report.clone())));
    report
}

/// What is sent first.
struct Begin {
    remote: Option<Remote>,
    script: SecretString,
}

async fn talk(
    connector: &Connector,
    machine: &Machine,
    id: &str,
    begin: Option<Begin>,
    limit: Duration,
    cancel: &Cancel,
    events: &Events,
) -> MachineReport {
    let name = &machine.name;
    let deadline = Instant::now() + limit;
    let uploads = begin.is_some();
    let mut talk = Talk::default();
    let mut trouble = None;
    let conversation = async {
        let mut pause = Duration::from_secs(1);
        let mut first = begin;
        let again = SecretString::from(script::attach(id));
        loop {
            let begin = first.take();
            let text = begin.as_ref().map_or(&again, |begin| &begin.script);
            let remote = match begin.as_ref().and_then(|begin| begin.remote.clone()) {
                Some(remote) => Ok(remote),
                None => connector.connect(machine).await.map_err(RunError::from),
            };
            let ended = match remote {
                Ok(remote) => {
                    let listen = |line: &str| talk.take(line, id, name, events);
                    remote.stream(As::Root, text.expose_secret(), limit, listen).await
                }
                Err(error) => Err(error),
            };
            if talk.is_final() {
                return;
            }
            let is_cut = matches!(
                ended,
                Err(RunError::Cut { .. } | RunError::Channel { .. } | RunError::Connect(_) | RunError::Deadline { .. })
            );
            // Before the first word of the machine, an answer that is no cut is the whole story; so is no connection at all.
            let never_reached = begin.is_some() && matches!(ended, Err(RunError::Connect(_)));
            trouble = match ended {
                Ok(output) if talk.document.is_none() => Some(Trouble::Script(output.stderr)),
                Ok(_) => None,
                Err(error) => Some(Trouble::Run(error)),
            };
            if never_reached || (!is_cut && talk.document.is_none()) {
                return;
            }
            tell(
                events,
                Event::Step(
                    name.clone(),
                    "the connection is lost; the machine goes on by itself; connecting again".to_owned(),
                ),
            );
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
    };
    let is_interrupted = tokio::select! {
        result = timeout_at(deadline, conversation) => { drop(result); false }
        () = cancel.cut() => true,
    };
    conclude(name, uploads, is_interrupted, talk, trouble)
}

/// Why there is no result.
enum Trouble {
    Run(RunError),
    Script(String),
}

fn conclude(
    name: &MachineName,
    uploads: bool,
    is_interrupted: bool,
    talk: Talk,
    trouble: Option<Trouble>,
) -> MachineReport {
    if let Some(document) = talk.document.as_ref().filter(|document| document.state.is_final()) {
        return of_document(name, document);
    }
    match talk.refusal {
        Some(Line::Busy { who, .. }) => {
            return MachineReport::new(name, MachineResult::Refused).because(format!(
                "another apply has not ended: it is {who}'s; `fleetctl status --on {name}` shows how far it is"
            ));
        }
        Some(Line::Failed(why)) => {
            return MachineReport::new(name, MachineResult::Failed).because(format!("{why}; nothing was touched"));
        }
        Some(Line::Lost(_)) if talk.document.is_none() && uploads => {
            return MachineReport::new(name, MachineResult::Failed)
                .because(format!("the connection was lost while the payload was on its way, and the machine knows nothing of it; `fleetctl status --on {name}` says what is true"));
        }
        Some(Line::Lost(why)) => {
            return MachineReport::new(name, MachineResult::Failed)
                .because(format!("{why}; `fleetctl status --on {name}` says what is true"));
        }
        Some(Line::Result(_)) | None => {}
    }
    let mut report = match trouble {
        Some(Trouble::Run(RunError::Connect(error))) if talk.document.is_none() => {
            MachineReport::new(name, MachineResult::Unreachable).because(chain(&error))
        }
        Some(Trouble::Run(error)) => {
            let hints = error.hints().join("; ");
            let separator = if hints.is_empty() { "" } else { "; " };
            MachineReport::new(name, MachineResult::Failed).because(format!("{}{separator}{hints}", chain(&error)))
        }
        Some(Trouble::Script(said)) if !said.is_empty() => {
            MachineReport::new(name, MachineResult::Failed).because(format!("the machine said: {said}"))
        }
        _ => MachineReport::new(name, MachineResult::Failed).because("no word from the machine in time"),
    };
    if let Some(document) = talk.document {
        report.detail = Some(format!(
            "last seen at: {}; it finishes or reverts by itself, and `fleetctl status --on {name}` or the next apply says which",
            document.step
        ));
    } else if is_interrupted {
        report.detail =
            Some(format!("cut while the upload was on its way; `fleetctl status --on {name}` says whether it began"));
    }
    report.is_interrupted = is_interrupted;
    report
}

pub(super) fn of_document(name: &MachineName, document: &ResultDocument) -> MachineReport {
    let result = match document.state {
        State::Committed => MachineResult::Applied,
        State::Reverted => MachineResult::Reverted,
        State::RevertFailed => MachineResult::RevertFailed,
        State::Refused => MachineResult::Refused,
        State::Postponed => MachineResult::Postponed,
        State::Failed | State::Running => MachineResult::Failed,
    };
    let mut report = MachineReport::new(name, result);
    report.generation = document.generation;
    report.previous = document.previous;
    report.detail.clone_from(&document.reason);
    report.notes.clone_from(&document.notes);
    report.log.clone_from(&document.log);
    report
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = source.source();
    }
    text
}
