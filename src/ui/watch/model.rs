//! What the live view knows, and how it is looked at.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::log::Log;
use crate::fleet::Fleet;
use crate::ui::Commands;
use crate::ui::json::{JobStatus, MachineStatus, SlotStatus, TransitionStatus};
use crate::ui::status::reading;

/// The live view's model.
pub struct Watch {
    pub(super) fleet: String,
    pub(super) zone: TimeZone,
    pub(super) rows: Vec<Row>,
    pub(super) slots: Vec<SlotStatus>,
    pub(super) jobs: Vec<JobStatus>,
    pub(super) transitions: Vec<TransitionStatus>,
    pub(super) view: View,
    /// The chosen machine, by its place in the fleet file: it stays chosen when the order changes.
    pub(super) chosen: usize,
    pub(super) sort: Sort,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    /// Lines that the opened machine is scrolled down by.
    pub(super) scroll: u16,
    pub(super) log: Log,
    /// How command lines to copy are written.
    pub(super) commands: Commands,
    pub(super) is_colored: bool,
}

/// What is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Fleet,
    Machine,
    Log,
    Help,
}

/// In which order machines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// As declared.
    File,
    /// The gravest alerts first.
    Trouble,
    /// The least room to load first.
    Room,
    /// The most requests first.
    Requests,
}

impl Sort {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::File => Self::Trouble,
            Self::Trouble => Self::Room,
            Self::Room => Self::Requests,
            Self::Requests => Self::File,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Trouble => "trouble",
            Self::Room => "room",
            Self::Requests => "requests",
        }
    }
}

/// A machine.
pub(super) struct Row {
    pub(super) name: String,
    /// `None` until its first answer, or the end of its first wait.
    pub(super) status: Option<MachineStatus>,
    /// When it last answered; a wait that ended without an answer leaves it.
    pub(super) seen: Option<Timestamp>,
    /// Tokens written per second between its last two answers.
    pub(super) tps: Option<f64>,
    tokens: Option<(u64, Timestamp)>,
}

impl Row {
    /// Takes an answer. The rate is known from the second one on; a counter that went back belongs to a new process.
    fn answer(&mut self, status: MachineStatus, at: Timestamp) {
        let tokens = status.work.completion_tokens.map(|tokens| (tokens, at));
        self.tps = self.tokens.zip(tokens).and_then(|((before, since), (now, at))| {
            let seconds = at.duration_since(since).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "display only")]
            let written = now.checked_sub(before)? as f64;
            (seconds > 0.0).then(|| written / seconds)
        });
        self.tokens = tokens;
        if status.reach.path.is_some() {
            self.seen = Some(at);
        }
        self.status = Some(status);
    }

    /// How long ago its last answer came, seconds; `None` when none ever did.
    pub(super) fn age(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(now.duration_since(self.seen?).as_secs().max(0)).ok()
    }
}

impl Watch {
    /// A view of these machines, in the order of declaration, before any has answered.
    pub fn new(fleet: &Fleet, machines: &[String], commands: Commands, is_colored: bool) -> Self {
        let row = |name: &String| Row { name: name.clone(), status: None, seen: None, tps: None, tokens: None };
        Self {
            fleet: fleet.name.clone(),
            zone: fleet.timezone.rules().clone(),
            rows: machines.iter().map(row).collect(),
            slots: Vec::new(),
            jobs: Vec::new(),
            transitions: Vec::new(),
            view: View::Fleet,
            chosen: 0,
            sort: Sort::File,
            filter: String::new(),
            is_typing: false,
            scroll: 0,
            log: Log::default(),
            commands,
            is_colored,
        }
    }

    /// A machine answered, or its wait ended.
    pub fn answer(&mut self, place: usize, status: MachineStatus, at: Timestamp) {
        if let Some(row) = self.rows.get_mut(place) {
            row.answer(status, at);
        }
    }

    /// What follows for the fleet as a whole.
    pub fn follow_fleet(&mut self, slots: Vec<SlotStatus>, jobs: Vec<JobStatus>, transitions: Vec<TransitionStatus>) {
        self.slots = slots;
        self.jobs = jobs;
        self.transitions = transitions;
    }

    /// A line of the log that is followed.
    pub fn log_line(&mut self, line: &str) {
        self.log.push(line);
    }

    /// The log that is followed goes on no more; says why.
    pub fn log_ended(&mut self, why: String) {
        self.log.ended = Some(why);
    }

    /// Machines that have been heard of.
    pub(super) fn known(&self) -> Vec<&MachineStatus> {
        self.rows.iter().filter_map(|row| row.status.as_ref()).collect()
    }

    /// Places of the machines that are shown, in their order.
    pub(super) fn shown(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.rows.len()).filter(|place| self.matches(*place)).collect();
        match self.sort {
            Sort::File => {}
            Sort::Trouble => places.sort_by_key(|place| self.status(*place).map(trouble)),
            Sort::Room => places.sort_by_key(|place| {
                self.status(*place).and_then(|status| status.memory.headroom.load_bytes).unwrap_or(i64::MAX)
            }),
            Sort::Requests => places.sort_by_key(|place| {
                let requests = |status: &MachineStatus| {
                    status.work.running.unwrap_or(0).saturating_add(status.work.waiting.unwrap_or(0))
                };
                std::cmp::Reverse(self.status(*place).map(requests))
            }),
        }
        places
    }

    fn status(&self, place: usize) -> Option<&MachineStatus> {
        self.rows.get(place)?.status.as_ref()
    }

    /// Whether a machine's name, tier, state or one of its names holds the filter.
    fn matches(&self, place: usize) -> bool {
        let Some(row) = self.rows.get(place) else { return false };
        let wanted = self.filter.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        let status_holds = |status: &MachineStatus| {
            status.tier.as_deref().is_some_and(holds)
                || holds(status.omlx.state)
                || holds(status.reach.state)
                || status.served.iter().any(|served| holds(&served.name))
        };
        wanted.is_empty() || holds(&row.name) || row.status.as_ref().is_some_and(status_holds)
    }

    /// The chosen machine, or the first that is shown when the filter hides it.
    pub(super) fn chosen_row(&self) -> Option<&Row> {
        let shown = self.shown();
        let place = if shown.contains(&self.chosen) { Some(&self.chosen) } else { shown.first() };
        self.rows.get(*place?)
    }

    /// Moves the choice among what is shown; it stops at the ends.
    pub(super) fn choose(&mut self, by: isize) {
        let shown = self.shown();
        let at = shown.iter().position(|place| *place == self.chosen).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(shown.len().saturating_sub(1));
        if let Some(place) = shown.get(to) {
            self.chosen = *place;
        }
    }
}

/// The gravest alert's rank; without one the last.
fn trouble(status: &MachineStatus) -> usize {
    reading::alerts([status]).first().map_or(usize::MAX, |shared| {
        ["error", "warning", "note"].iter().position(|known| *known == shared.alert.severity).unwrap_or(usize::MAX)
    })
}
