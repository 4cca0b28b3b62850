//! A run at work: so many inputs at once, each asked of the reference, once more where that was wanted, then of the local side; every answer is kept as it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::super::Context;
use super::backlog::Job;
use super::calibration;
use super::local::{self, Local, Outcome};
use super::reference::{self, Answer};
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::Shadow;
use crate::secret::SecretString;
use crate::shadow::store::{Row, Store};
use crate::shadow::{Arm, Input};
use crate::transport::{Stop, asked_to_stop};
use crate::ui::{PairProgress, PairTally};

/// So many items in a row that nobody could answer end the run.
const NOBODY_LIMIT: usize = 3;

/// What a task brings back.
enum Done {
    Reference(Box<Job>, Answer),
    Again(Box<Job>, Answer),
    Local(Box<Job>, Outcome),
}

/// One run.
pub(super) struct Work<'a> {
    cx: &'a Context,
    store: &'a Store,
    shadow: &'a Shadow,
    local: Arc<Local>,
    key: Option<SecretString>,
    tally: PairTally,
    tasks: JoinSet<Done>,
    /// Items in a row that nobody could answer.
    nobody: usize,
    /// Why nothing new starts: the reference or the fleet gives no answer any more.
    ended: Option<CommandError>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        cx: &'a Context,
        store: &'a Store,
        shadow: &'a Shadow,
        local: Arc<Local>,
        key: Option<SecretString>,
        tally: PairTally,
    ) -> Self {
        Self { cx, store, shadow, local, key, tally, tasks: JoinSet::new(), nobody: 0, ended: None }
    }

    /// All of it, `width` inputs at once. Errors: an answer that cannot be kept; neither side answers any more.
    pub(super) async fn all(mut self, mut jobs: VecDeque<Job>, width: usize) -> Result<Exit, CommandError> {
        let mut progress = PairProgress::new(&self.cx.ui, self.shadow.name.as_str());
        let mut stopped = None;
        let stop = asked_to_stop();
        tokio::pin!(stop);
        loop {
            while self.tasks.len() < width && self.ended.is_none() && stopped.is_none() {
                let Some(job) = jobs.pop_front() else { break };
                if job.needs_reference {
                    self.ask_reference(Box::new(job), false);
                } else {
                    self.go_on(Box::new(job));
                }
            }
            if self.tasks.is_empty() {
                break;
            }
            progress.show(&self.tally);
            let done = tokio::select! {
                done = self.tasks.join_next() => done,
                signal = &mut stop, if stopped.is_none() => {
                    stopped = Some(signal);
                    progress.say("nothing new starts; the answers in flight are waited for");
                    continue;
                }
            };
            match done {
                Some(Ok(Done::Reference(job, answer))) => self.reference_answered(job, answer)?,
                Some(Ok(Done::Again(job, answer))) => self.reference_answered_again(job, &answer)?,
                Some(Ok(Done::Local(job, outcome))) => self.local_ended(&job, outcome)?,
                _ => return Err(CommandError::new(Kind::Bug, "a request ended in a panic")),
            }
        }
        progress.end(&self.tally);
        match (self.ended, stopped) {
            (Some(error), _) => Err(error.hint("what was answered is kept; the same command goes on from there")),
            (None, Some(Stop::Interrupted | Stop::Terminated)) => Ok(Exit::Interrupted),
            (None, None) => {
                self.cx.ui.status(&format!("fleetctl shadow report {} says what they mean", self.shadow.name));
                Ok(Exit::Done)
            }
        }
    }

    fn reference_answered(&mut self, job: Box<Job>, answer: Answer) -> Result<(), CommandError> {
        self.count_money(&answer);
        if let Some(why) = answer.hopeless {
            let what = format!("the reference of {} does not answer", self.shadow.name);
            self.ended.get_or_insert(CommandError::failed(what).because(why));
            return Ok(());
        }
        if answer.paid {
            let input = self.kept_input(&job.input);
            let row = Row {
                tokens: answer.tokens,
                input: input.as_deref(),
                reference_text: answer.text.as_deref().filter(|_| self.shadow.keep_text),
                ..self.row(&job)
            };
            self.store.put_reference(job.experiment, &row, &answer.arm)?;
            if answer.arm.said.is_ok() {
                self.go_on(job);
                return Ok(());
            }
        }
        self.tally.void += 1;
        self.tally.done += 1;
        Ok(())
    }

    fn reference_answered_again(&mut self, job: Box<Job>, answer: &Answer) -> Result<(), CommandError> {
        self.count_money(answer);
        if answer.paid {
            let row = Row { tokens: answer.tokens, ..self.row(&job) };
            self.store.put_repeat(job.experiment, &row, &answer.arm)?;
        }
        self.go_on(Box::new(Job { repeats: false, ..*job }));
        Ok(())
    }

    fn local_ended(&mut self, job: &Job, outcome: Outcome) -> Result<(), CommandError> {
        match outcome {
            Outcome::Answered { arm, text, conditions } => {
                self.nobody = 0;
                let row = Row {
                    conditions: Some(&conditions),
                    local_text: text.as_deref().filter(|_| self.shadow.keep_text),
                    ..self.row(job)
                };
                self.store.put_local(job.experiment, &row, &arm)?;
                return self.tally_local(job, &arm);
            }
            Outcome::Busy => {}
            Outcome::Nobody(why) => {
                self.nobody += 1;
                if self.nobody >= NOBODY_LIMIT {
                    let slot = &self.shadow.slot;
                    let error = CommandError::failed(format!("nobody answers the slot {slot}")).because(why);
                    self.ended.get_or_insert(error.hint(format!("fleetctl resolve {slot} --explain")));
                }
            }
        }
        self.tally.busy += 1;
        self.tally.done += 1;
        Ok(())
    }

    /// What every row of an input says.
    fn row<'r>(&self, job: &'r Job) -> Row<'r> {
        Row { item: &job.input.id, content: &job.content, at: self.cx.clock.now().as_second(), ..Row::default() }
    }

    fn ask_reference(&mut self, job: Box<Job>, again: bool) {
        let (local, key) = (Arc::clone(&self.local), self.key.clone());
        self.tasks.spawn(async move {
            let answer = reference::ask(&local.client, &local.shadow, key.as_ref(), &job.input).await;
            if again { Done::Again(job, answer) } else { Done::Reference(job, answer) }
        });
    }

    /// The reference has answered: once more where that was asked for, else the local side, unless it has.
    fn go_on(&mut self, job: Box<Job>) {
        if job.repeats {
            return self.ask_reference(job, true);
        }
        if !job.needs_local {
            self.tally.done += 1;
            return;
        }
        let local = Arc::clone(&self.local);
        self.tasks.spawn(async move {
            let outcome = local::ask(local, job.input.clone()).await;
            Done::Local(job, outcome)
        });
    }

    fn count_money(&mut self, answer: &Answer) {
        if let Some((tokens_in, tokens_out)) = answer.tokens {
            let cost = calibration::cost(self.shadow, f64::from(tokens_in), f64::from(tokens_out));
            self.tally.money = cost.map(|cost| cost + self.tally.money.unwrap_or(0.0)).or(self.tally.money);
        }
    }

    /// The running agreement counts what this run completed.
    fn tally_local(&mut self, job: &Job, arm: &Arm) -> Result<(), CommandError> {
        self.tally.done += 1;
        self.tally.failed += usize::from(arm.said.is_err());
        self.tally.pairs += 1;
        let pair = self.store.pair(job.experiment, &job.input.id)?;
        self.tally.agreeing += usize::from(pair.is_some_and(|pair| pair.agrees()));
        Ok(())
    }

    fn kept_input(&self, input: &Input) -> Option<String> {
        self.shadow.keep_text.then(|| serde_json::Value::from(input.messages.clone()).to_string())
    }
}
