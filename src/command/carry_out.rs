//! What `apply`, `rollback` and `remove` have in common: who asks, under which terms, with which receipt, and how it is shown and stopped.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::revision::Revision;
use super::{Context, FleetFile};
use crate::cli::CarryOutArgs;
use crate::error::CommandError;
use crate::execute::{self, Cancel, Job, MachineReport, Occasion, Order, Purpose, Receipt, Report, Terms};
use crate::exit::Exit;
use crate::fleet::parse_duration;
use crate::transport::{Connector, nonce, output_of};
use crate::ui::json::ApplyDocument;
use crate::ui::{Palette, Progress, report_text};

/// One run of a verb that changes machines.
pub(crate) struct Run {
    /// The verb.
    pub(crate) verb: &'static str,
    /// Its own word.
    pub(crate) id: String,
    /// `user@host`
    pub(crate) who: String,
    /// `[fleet].name`
    pub(crate) fleet: String,
    /// The fleet file, as named.
    pub(crate) file: String,
    /// Its revision.
    pub(crate) revision: Option<Revision>,
    /// SHA-256 over what was planned.
    pub(crate) plan: Option<String>,
}

impl Context {
    /// Begins a run. `fleet`: the name that the machines must belong to.
    pub(crate) async fn begin_run(&self, verb: &'static str, fleet: &str, revision: Option<Revision>) -> Run {
        let at = self.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        Run {
            verb,
            id: format!("{at}-{}", nonce()),
            who: self.who().await,
            fleet: fleet.to_owned(),
            file: self.global.file.display().to_string(),
            revision,
            plan: None,
        }
    }

    /// `user@host` of the laptop, as the lock and the record show it.
    pub(crate) async fn who(&self) -> String {
        let user = self.env.get("USER").or(self.env.get("LOGNAME")).unwrap_or("unknown");
        let argv = ["uname", "-n"].map(str::to_owned);
        let host = output_of(&argv, Duration::from_secs(2)).await.ok().and_then(|said| String::from_utf8(said).ok());
        let host = host.as_deref().map_or("unknown", str::trim).to_owned();
        format!("{user}@{host}").chars().filter(|c| !c.is_control()).collect()
    }

    /// The terms of one machine's transaction. Errors: a malformed `--drain`.
    pub(crate) fn terms(
        &self,
        run: &Run,
        args: &CarryOutArgs,
        purpose: Purpose,
        machine: &str,
        summary: &[String],
    ) -> Result<Terms, CommandError> {
        let drain = parse_duration(&args.drain)
            .map_err(|error| CommandError::usage(format!("--drain {:?} is {error}", args.drain)))?;
        let mut record = Map::new();
        record.insert("schema".to_owned(), "fleetctl.record/1".into());
        record.insert("at".to_owned(), self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
        record.insert("file".to_owned(), run.file.as_str().into());
        let revision = run.revision.as_ref();
        record.insert("revision".to_owned(), revision.map_or(Value::Null, |revision| revision.commit.as_str().into()));
        record.insert("dirty".to_owned(), revision.map_or(Value::Null, |revision| revision.is_dirty.into()));
        record.insert("plan".to_owned(), run.plan.as_deref().map_or(Value::Null, Value::from));
        record.insert("summary".to_owned(), summary.into());
        Ok(Terms {
            id: format!("{}-{machine}", run.id),
            purpose,
            fleet: run.fleet.clone(),
            who: run.who.clone(),
            drain,
            force: args.force,
            no_gate: args.no_gate,
            changes: summary.len(),
            record,
        })
    }

    /// Asks before anything is touched. Errors: nobody can be asked and `--yes` was not given (2); declined (1).
    pub(crate) fn agree(&self, args: &CarryOutArgs, question: &str) -> Result<(), CommandError> {
        if args.yes {
            return Ok(());
        }
        match self.ui.confirm(question) {
            Some(true) => Ok(()),
            Some(false) => Err(CommandError::failed("declined: nothing was touched")),
            None => {
                Err(CommandError::usage("there is no terminal to ask on").hint("--yes carries it out without asking"))
            }
        }
    }

    /// Carries jobs out with progress, Ctrl-C and a receipt. `others`: machines whose result is known already.
    pub(crate) async fn carry_out(
        &self,
        connector: &Connector,
        run: &Run,
        jobs: Vec<Job>,
        order: &Order,
        others: Vec<MachineReport>,
        all: &[&str],
    ) -> Report {
        let mut receipt = self.begin_receipt(run, &jobs);
        let cancel = Cancel::default();
        let watch = tokio::spawn(press_on_signals(cancel.clone()));
        let (events, mut seen) = mpsc::unbounded_channel();
        let width = all.iter().map(|name| name.len()).max().unwrap_or_default();
        let mut progress = Progress::new(&self.ui, width);
        let reports = {
            let keep = |report: &MachineReport| {
                if let Some(receipt) = &mut receipt
                    && let Err(error) = receipt.add(report)
                {
                    self.ui.warn(&format!("the receipt cannot be written: {error}"));
                }
            };
            let work = execute::run(connector, jobs, order, &cancel, &events, keep);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    reports = &mut work => break reports,
                    Some(event) = seen.recv() => progress.show(&event),
                }
            }
        };
        while let Ok(event) = seen.try_recv() {
            progress.show(&event);
        }
        drop(progress);
        watch.abort();
        let mut machines: Vec<MachineReport> = others.into_iter().chain(reports).collect();
        machines.sort_by_key(|report| all.iter().position(|name| *name == report.machine.as_str()));
        let report = Report { machines, is_interrupted: cancel.is_stopped() };
        if let Some(receipt) = &mut receipt {
            if let Err(error) = receipt.end(&report, self.clock.now()) {
                self.ui.warn(&format!("the receipt cannot be written: {error}"));
            } else if self.ui.is_verbose() {
                self.ui.status(&format!("receipt: {}", receipt.path().display()));
            }
        }
        report
    }

    fn begin_receipt(&self, run: &Run, jobs: &[Job]) -> Option<Receipt> {
        if jobs.is_empty() {
            return None;
        }
        let occasion = Occasion {
            id: run.id.clone(),
            verb: run.verb.to_owned(),
            who: run.who.clone(),
            fleet: run.fleet.clone(),
            file: run.file.clone(),
            revision: run.revision.as_ref().map(|revision| revision.commit.clone()),
            plan: run.plan.clone(),
            started: self.clock.now().to_string(),
            machines_planned: jobs.iter().map(|job| job.machine.name.to_string()).collect(),
        };
        let begun = match self.env.state_directory() {
            Some(state) => Receipt::begin(&state, occasion),
            None => Err(std::io::Error::other("neither HOME nor XDG_STATE_HOME is set")),
        };
        begun.inspect_err(|error| self.ui.warn(&format!("no receipt is kept: {error}"))).ok()
    }

    /// Prints the report and gives the exit code.
    pub(crate) fn answer_report(&self, verb: &str, mut report: Report) -> Result<Exit, CommandError> {
        for machine in &mut report.machines {
            machine.detail.iter_mut().chain(&mut machine.notes).for_each(|text| self.ui.commands().mend(text));
        }
        if self.global.json {
            self.ui.answer_json(&ApplyDocument::of(verb, &report))?;
        } else {
            self.ui.answer(&report_text(&report, self.ui.width(), Palette::new(self.ui.colors_answer())))?;
        }
        Ok(report.exit())
    }

    /// The revision of the fleet file at hand.
    pub(crate) async fn revision_of(&self, file: &FleetFile) -> Option<Revision> {
        super::revision::revision(&file.path).await
    }
}

/// Ctrl-C is one rung; a closed terminal and a polite kill are both at once, because nobody reads on.
pub(super) async fn press_on_signals(cancel: Cancel) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut hangup), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::hangup()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => cancel.press(),
            _ = hangup.recv() => { cancel.press(); cancel.press(); }
            _ = terminate.recv() => { cancel.press(); cancel.press(); }
        }
    }
}
