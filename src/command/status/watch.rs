//! `status --watch` on a terminal: every machine is asked by a task of its own, and one loop turns what they say, keys and time into screens.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::declared::Declared;
use super::fleet;
use super::machine;
use crate::clock::Clock;
use crate::command::Context;
use crate::command::logs::{Cleaner, follow_script, heard, log_path};
use crate::command::machines::{Answered, Silent, ask_one, limit, settled};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::render::Values;
use crate::schedule::Moment;
use crate::transport::{self, As, Connector, Remote, Stop, Width, fan_out};
use crate::ui::{Commands, Input, Screen, Watch, Wish};

/// Lines of a log that are there at once.
const LOG_LINES: u32 = 200;
/// Ages are shown in seconds.
const TICK: Duration = Duration::from_secs(1);

/// What the tasks tell.
enum Told {
    /// By the machine's place.
    Answer(usize, Box<Result<Answered, Silent>>),
    Line(String),
    LogEnded(String),
}

pub(super) async fn watch(
    cx: &Context,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
    every: Duration,
) -> Result<Exit, CommandError> {
    let names: Vec<String> = machines.iter().map(|machine| machine.name.to_string()).collect();
    let values = cx.values_at_hand(fleet).await;
    let (told, mut hears) = mpsc::unbounded_channel();
    let ask_now = Arc::new(Notify::new());
    let turns = Arc::new(Semaphore::new(usize::from(cx.global.parallel)));
    let mut asking = JoinSet::new();
    for (place, machine) in machines.iter().enumerate() {
        let asker = Asker {
            connector: connector.clone(),
            fleet: Arc::clone(fleet),
            machine: machine.clone(),
            clock: cx.clock,
            turns: Arc::clone(&turns),
            ask_now: Arc::clone(&ask_now),
        };
        let told = told.clone();
        asking.spawn(asker.run(place, every, told));
    }
    let mut seen = Seen {
        fleet,
        machines,
        clock: cx.clock,
        values: &values,
        commands: cx.ui.commands(),
        answers: machines.iter().map(|_| None).collect(),
    };
    let mut view = Watch::new(fleet, &names, cx.ui.commands().clone(), cx.ui.colors_answer());
    let mut following = JoinSet::new();
    let lost = |error: std::io::Error| CommandError::failed("the terminal cannot be drawn on").because(error);
    let mut screen = Screen::enter().map_err(lost)?;
    let mut tick = tokio::time::interval(TICK);
    let stop = transport::asked_to_stop();
    tokio::pin!(stop);
    let exit = loop {
        let now = cx.clock.now();
        screen.draw(|frame| view.draw(frame, now)).map_err(lost)?;
        tokio::select! {
            input = screen.input() => match input {
                Input::Closed => break Exit::Interrupted,
                Input::Resized => {}
                Input::Key(key) => match view.press(key) {
                    Wish::Nothing => {}
                    Wish::Leave => break Exit::Done,
                    Wish::Interrupt => break Exit::Interrupted,
                    Wish::AskNow => ask_now.notify_waiters(),
                    Wish::Unfollow => following.abort_all(),
                    Wish::Follow(name) => {
                        following.abort_all();
                        if let Some((machine, remote)) = seen.machine(&name) {
                            let follower = Follower {
                                connector: connector.clone(),
                                fleet: Arc::clone(fleet),
                                machine,
                                values: values.clone(),
                            };
                            following.spawn(follower.run(remote, told.clone()));
                        }
                    }
                },
            },
            Some(first) = hears.recv() => {
                // What has come by now is one screen.
                let mut next = Some(first);
                while let Some(one) = next {
                    seen.take(one, &mut view);
                    next = hears.try_recv().ok();
                }
            }
            _ = tick.tick() => {}
            Some(_) = following.join_next() => {}
            stop = &mut stop => break match stop {
                Stop::Interrupted => Exit::Interrupted,
                Stop::Terminated => Exit::Done,
            },
        }
    };
    drop(screen);
    asking.shutdown().await;
    following.shutdown().await;
    Ok(exit)
}

/// Asks one machine again and again.
struct Asker {
    connector: Connector,
    fleet: Arc<Fleet>,
    machine: Machine,
    clock: Clock,
    turns: Arc<Semaphore>,
    ask_now: Arc<Notify>,
}

impl Asker {
    /// Ends when nobody listens any more. The connection is kept from round to round. `--parallel` bounds machines that answer: one that does not waits for itself
    /// only, and must not keep the others waiting.
    async fn run(self, place: usize, every: Duration, told: mpsc::UnboundedSender<Told>) {
        let mut remote: Option<Remote> = None;
        let mut has_failed = false;
        loop {
            // The semaphore is never closed.
            let turn = if has_failed { None } else { self.turns.acquire().await.ok() };
            let answer = self.ask(remote.take()).await;
            drop(turn);
            has_failed = answer.is_err();
            remote = answer.as_ref().ok().map(|answered| answered.remote.clone());
            if told.send(Told::Answer(place, Box::new(answer))).is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = self.ask_now.notified() => {}
            }
        }
    }

    async fn ask(&self, remote: Option<Remote>) -> Result<Answered, Silent> {
        let work = |machine: Machine| {
            let (connector, fleet, clock, remote) =
                (self.connector.clone(), Arc::clone(&self.fleet), self.clock, remote.clone());
            async move { ask_one(&connector, &fleet, &machine, remote, |_, _| {}, clock).await }
        };
        let width = Width { parallel: 1, deadline: Some(limit(self.connector.options().timeout)) };
        let done = fan_out(vec![self.machine.clone()], width, work, |_, _| {}).await.pop();
        let lost = || Err(Silent::Bug { machine: self.machine.name.clone(), said: "no result".to_owned() });
        done.map_or_else(lost, |fanned| settled(fanned, &self.machine))
    }
}

/// Follows the log of a machine's oMLX.
struct Follower {
    connector: Connector,
    fleet: Arc<Fleet>,
    machine: Machine,
    values: Values,
}

impl Follower {
    /// Ends with the log, or when it is aborted.
    async fn run(self, remote: Option<Remote>, told: mpsc::UnboundedSender<Told>) {
        let why = self.follow(remote, &told).await;
        drop(told.send(Told::LogEnded(why)));
    }

    /// Why it ended.
    async fn follow(self, remote: Option<Remote>, told: &mpsc::UnboundedSender<Told>) -> String {
        let path = match log_path(&self.fleet, &self.machine, "omlx") {
            Ok(path) => path,
            Err(error) => return error.to_string(),
        };
        let remote = match remote {
            Some(remote) => remote,
            None => match self.connector.connect(&self.machine).await {
                Ok(remote) => remote,
                Err(error) => return error.to_string(),
            },
        };
        let cleaner = Cleaner::new(self.values, &self.machine, &remote).await;
        let line = |line: &str| heard(line).map_or((), |line| drop(told.send(Told::Line(cleaner.clean(line)))));
        match remote.follow(As::Login, &follow_script(&path, LOG_LINES), line).await {
            Ok(output) if output.code == 0 => "the log ended".to_owned(),
            Ok(output) => format!("{path}: {}", output.stderr.lines().last().unwrap_or("it said nothing")),
            Err(error) => error.to_string(),
        }
    }
}

/// The last answer of every machine.
struct Seen<'a> {
    fleet: &'a Fleet,
    machines: &'a [Machine],
    clock: Clock,
    values: &'a Values,
    commands: &'a Commands,
    answers: Vec<Option<Result<Answered, Silent>>>,
}

impl Seen<'_> {
    /// A machine by its name, and its connection where one stands.
    fn machine(&self, name: &str) -> Option<(Machine, Option<Remote>)> {
        let place = self.machines.iter().position(|machine| machine.name == *name)?;
        let answer = self.answers.get(place)?.as_ref();
        let remote = answer.and_then(|answer| answer.as_ref().ok()).map(|answered| answered.remote.clone());
        Some((self.machines.get(place)?.clone(), remote))
    }

    fn take(&mut self, told: Told, view: &mut Watch) {
        match told {
            Told::Line(line) => view.log_line(&line),
            Told::LogEnded(why) => view.log_ended(why),
            Told::Answer(place, answer) => {
                let Some(machine) = self.machines.get(place) else { return };
                let now = self.clock.now();
                let moment = Moment::new(self.fleet, now);
                let declared = Declared { fleet: self.fleet, machine, moment: &moment, now, values: self.values };
                let mut status = machine::status(&declared, &answer);
                super::to_copy(&mut status, self.commands);
                view.answer(place, status, now);
                if let Some(slot) = self.answers.get_mut(place) {
                    *slot = Some(*answer);
                }
                let known: Vec<(&Machine, &Result<Answered, Silent>)> = self
                    .machines
                    .iter()
                    .zip(&self.answers)
                    .filter_map(|(machine, answer)| Some((machine, answer.as_ref()?)))
                    .collect();
                let all: Vec<&Machine> = self.machines.iter().collect();
                view.follow_fleet(
                    fleet::slots(self.fleet, &known, now),
                    fleet::jobs(self.fleet, &known, now),
                    fleet::transitions(self.fleet, &all, now),
                );
            }
        }
    }
}
