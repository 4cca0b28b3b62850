//! `fleetctl shadow run NAME --input FILE`

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::super::Context;
use super::super::runtime::block_on;
use super::super::slot_probe::{self, Keys};
use super::calibration;
use super::local::{self, Local, Ours, Outcome};
use super::reference::{self, Answer};
use crate::cli::ShadowRunArgs;
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::{Machine, Shadow};
use crate::fs;
use crate::secret::SecretString;
use crate::shadow::store::{Row, Store};
use crate::shadow::{ANSWER_LIMIT, Arm, Fingerprint, Input, inputs};
use crate::transport::{JsonClient, PlainHttp, Stop, asked_to_stop};
use crate::ui::{PairProgress, PairTally};

/// The longest file of inputs.
const INPUT_LIMIT: u64 = 1 << 30;
/// So many items in a row that nobody could answer end the run.
const NOBODY_LIMIT: usize = 3;

/// What is to be done for one input.
struct Job {
    input: Input,
    content: String,
    experiment: i64,
    needs_reference: bool,
    needs_local: bool,
    repeats: bool,
}

/// What a task brings back.
enum Done {
    Reference(Box<Job>, Answer),
    Again(Box<Job>, Answer),
    Local(Box<Job>, Outcome),
}

pub(crate) fn run(cx: &Context, args: &ShadowRunArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let shadow = calibration::find(fleet, &args.name)?;
    calibration::may_leave(&file, shadow)?;
    let named = args.input.display();
    let text = fs::read_text(&args.input, INPUT_LIMIT)
        .map_err(|error| CommandError::failed(format!("cannot read the inputs {named}")).because(error))?;
    let all = inputs(&text).map_err(|error| {
        CommandError::new(Kind::Refused, format!("cannot use {named}: nothing was sent")).because(error)
    })?;
    if all.is_empty() {
        return Err(CommandError::failed(format!("{named} holds no input")));
    }
    let mut store = calibration::open(cx, fleet, shadow)?;
    store.lock()?;
    let (jobs, kept) = jobs(cx, args, &store, fleet, shadow, all)?;
    if jobs.is_empty() {
        cx.ui.status(&format!("{}: all {kept} inputs have their pairs already", shadow.name));
        return Ok(Exit::Done);
    }
    let slot = fleet
        .slots
        .get(&shadow.slot)
        .ok_or_else(|| CommandError::new(Kind::Bug, format!("{} has no slot", shadow.name)))?;
    let machines: Vec<Machine> = cx.select(fleet)?.into_iter().cloned().collect();
    block_on(async {
        let key = match &shadow.reference.api_key {
            Some(source) => Some(cx.secret(source).await?),
            None => None,
        };
        let made = |error| CommandError::failed("cannot make an HTTP client").because(error);
        let local = Arc::new(Local {
            fleet: fleet.clone(),
            shadow: shadow.clone(),
            slot: slot.clone(),
            keys: Keys::fetch(cx, &machines.iter().collect::<Vec<_>>()).await,
            machines,
            probe: PlainHttp::new(slot_probe::PATIENCE).map_err(made)?,
            // An answer is text inside of JSON, which escapes at most six bytes for one.
            client: JsonClient::new(6 * ANSWER_LIMIT).map_err(made)?,
            clock: cx.clock,
            ours: Ours::default(),
        });
        let mut work = Work { cx, store: &store, shadow, local, key, tally: PairTally::new(jobs.len(), kept) };
        work.all(jobs, usize::from(args.concurrency)).await
    })
}

/// What is left to do, in the order of the file; and how many inputs have their pairs.
fn jobs(
    cx: &Context,
    args: &ShadowRunArgs,
    store: &Store,
    fleet: &crate::fleet::Fleet,
    shadow: &Shadow,
    all: Vec<Input>,
) -> Result<(VecDeque<Job>, usize), CommandError> {
    let now = cx.clock.now().as_second();
    let mut experiments: Vec<(String, i64)> = Vec::new();
    let mut jobs = VecDeque::new();
    let mut kept = 0;
    let mut repeats = 0;
    for input in all {
        let prompt = input.prompt();
        let experiment = if let Some((_, id)) = experiments.iter().find(|(known, _)| *known == prompt) {
            *id
        } else {
            let id = store.experiment(&Fingerprint::new(fleet, shadow, &prompt), now)?;
            experiments.push((prompt, id));
            id
        };
        let content = input.content();
        let known = store.known(experiment, &input.id)?;
        if let Some(known) = &known
            && known.content != content
        {
            return Err(CommandError::new(
                Kind::Refused,
                format!("line {}: the id {:?} was used before, with different content", input.line, input.id),
            )
            .hint("give it another id: a pair is kept for ever; nothing was sent"));
        }
        let wants_repeat = repeats < args.repeat;
        repeats += usize::from(wants_repeat);
        let repeats = wants_repeat && !store.is_repeated(experiment, &input.id)?;
        let is_done = known.as_ref().is_some_and(|known| known.local_done || !known.reference_ok);
        if is_done && !repeats {
            kept += 1;
            continue;
        }
        if args.limit.is_some_and(|limit| jobs.len() >= limit) {
            continue;
        }
        jobs.push_back(Job {
            input,
            content,
            experiment,
            needs_reference: known.is_none(),
            needs_local: !is_done,
            repeats,
        });
    }
    if experiments.len() > 1 {
        cx.ui.warn(&format!(
            "the inputs have {} prompts (system messages, request fields): each is an experiment of its own",
            experiments.len()
        ));
    }
    Ok((jobs, kept))
}

struct Work<'a> {
    cx: &'a Context,
    store: &'a Store,
    shadow: &'a Shadow,
    local: Arc<Local>,
    key: Option<SecretString>,
    tally: PairTally,
}

impl Work<'_> {
    async fn all(&mut self, mut jobs: VecDeque<Job>, width: usize) -> Result<Exit, CommandError> {
        let mut progress = PairProgress::new(&self.cx.ui, self.shadow.name.as_str());
        let mut tasks: JoinSet<Done> = JoinSet::new();
        let mut nobody = 0;
        let mut ended: Option<CommandError> = None;
        let mut stopped = None;
        let stop = asked_to_stop();
        tokio::pin!(stop);
        loop {
            while tasks.len() < width && ended.is_none() && stopped.is_none() {
                let Some(job) = jobs.pop_front() else { break };
                if job.needs_reference {
                    self.ask_reference(&mut tasks, Box::new(job), false);
                } else {
                    self.go_on(&mut tasks, Box::new(job));
                }
            }
            if tasks.is_empty() {
                break;
            }
            progress.show(&self.tally);
            let done = tokio::select! {
                done = tasks.join_next() => done,
                signal = &mut stop, if stopped.is_none() => {
                    stopped = Some(signal);
                    progress.say("nothing new starts; the answers in flight are waited for");
                    continue;
                }
            };
            let Some(Ok(done)) = done else {
                return Err(CommandError::new(Kind::Bug, "a request ended in a panic"));
            };
            let at = self.cx.clock.now().as_second();
            match done {
                Done::Reference(job, answer) => {
                    self.count_money(&answer);
                    if let Some(why) = answer.hopeless {
                        ended.get_or_insert(
                            CommandError::failed(format!("the reference of {} does not answer", self.shadow.name))
                                .because(why),
                        );
                        continue;
                    }
                    if !answer.paid {
                        self.tally.void += 1;
                        self.tally.done += 1;
                        continue;
                    }
                    let input = self.kept_input(&job.input);
                    let row = Row {
                        item: &job.input.id,
                        content: &job.content,
                        at,
                        tokens: answer.tokens,
                        input: input.as_deref(),
                        reference_text: answer.text.as_deref().filter(|_| self.shadow.keep_text),
                        ..Row::default()
                    };
                    self.store.put_reference(job.experiment, &row, &answer.arm)?;
                    if answer.arm.said.is_err() {
                        self.tally.void += 1;
                        self.tally.done += 1;
                        continue;
                    }
                    self.go_on(&mut tasks, job);
                }
                Done::Again(job, answer) => {
                    self.count_money(&answer);
                    if answer.paid {
                        let row = Row {
                            item: &job.input.id,
                            content: &job.content,
                            at,
                            tokens: answer.tokens,
                            ..Row::default()
                        };
                        self.store.put_repeat(job.experiment, &row, &answer.arm)?;
                    }
                    self.go_on(&mut tasks, Box::new(Job { repeats: false, ..*job }));
                }
                Done::Local(job, Outcome::Answered { arm, text, conditions }) => {
                    nobody = 0;
                    let row = Row {
                        item: &job.input.id,
                        content: &job.content,
                        at,
                        conditions: Some(&conditions),
                        local_text: text.as_deref().filter(|_| self.shadow.keep_text),
                        ..Row::default()
                    };
                    self.store.put_local(job.experiment, &row, &arm)?;
                    self.tally_local(&job, &arm)?;
                }
                Done::Local(_, Outcome::Busy) => {
                    self.tally.busy += 1;
                    self.tally.done += 1;
                }
                Done::Local(_, Outcome::Nobody(why)) => {
                    nobody += 1;
                    self.tally.busy += 1;
                    self.tally.done += 1;
                    if nobody >= NOBODY_LIMIT {
                        let error =
                            CommandError::failed(format!("nobody answers the slot {}", self.shadow.slot)).because(why);
                        ended.get_or_insert(error.hint(format!("fleetctl resolve {} --explain", self.shadow.slot)));
                    }
                }
            }
        }
        progress.end(&self.tally);
        match (ended, stopped) {
            (Some(error), _) => Err(error.hint("what was answered is kept; the same command goes on from there")),
            (None, Some(Stop::Interrupted | Stop::Terminated)) => Ok(Exit::Interrupted),
            (None, None) => {
                self.cx.ui.status(&format!("fleetctl shadow report {} says what they mean", self.shadow.name));
                Ok(Exit::Done)
            }
        }
    }

    fn ask_reference(&self, tasks: &mut JoinSet<Done>, job: Box<Job>, again: bool) {
        let (local, key) = (Arc::clone(&self.local), self.key.clone());
        tasks.spawn(async move {
            let answer = reference::ask(&local.client, &local.shadow, key.as_ref(), &job.input).await;
            if again { Done::Again(job, answer) } else { Done::Reference(job, answer) }
        });
    }

    /// The reference has answered: once more where that was asked for, else the local side, unless it has.
    fn go_on(&mut self, tasks: &mut JoinSet<Done>, job: Box<Job>) {
        if job.repeats {
            return self.ask_reference(tasks, job, true);
        }
        if !job.needs_local {
            self.tally.done += 1;
            return;
        }
        let local = Arc::clone(&self.local);
        tasks.spawn(async move {
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
