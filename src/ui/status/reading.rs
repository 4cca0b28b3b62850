//! What the document of status means to a reader: words, tones, shares, and what to do first.

use crate::fleet::Bytes;
use crate::plan::JobState;
use crate::ui::json::{
    Alert, JobStatus, MachineStatus, MemoryStatus, OmlxStatus, ServedStatus, ServiceState, ServiceStatus, SlotStatus,
    Step,
};
use crate::ui::{Commands, Tone, plural};

/// How many steps are named at the top: more than these nobody takes in at once.
const STEPS: usize = 3;
/// So many machines are named in a step; more than these are "all of them".
const NAMED: usize = 4;

/// An alert, and every machine that raised it in the same words.
pub(in crate::ui) struct SharedAlert<'a> {
    pub(in crate::ui) alert: &'a Alert,
    pub(in crate::ui) machines: Vec<&'a str>,
}

/// The alerts of all machines, the gravest first; within one severity in the order of the machines.
pub(in crate::ui) fn alerts<'a>(machines: impl IntoIterator<Item = &'a MachineStatus>) -> Vec<SharedAlert<'a>> {
    let of_machine = |machine: &'a MachineStatus| machine.alerts.iter().map(|alert| (machine.name.as_str(), alert));
    shared(machines.into_iter().flat_map(of_machine))
}

/// Alerts with their machines, those in the same words together, the gravest first.
pub(in crate::ui) fn shared<'a>(alerts: impl IntoIterator<Item = (&'a str, &'a Alert)>) -> Vec<SharedAlert<'a>> {
    let mut all: Vec<SharedAlert<'a>> = Vec::new();
    for (machine, alert) in alerts {
        match all.iter_mut().find(|shared| shared.alert == alert) {
            Some(shared) => shared.machines.push(machine),
            None => all.push(SharedAlert { alert, machines: vec![machine] }),
        }
    }
    all.sort_by_key(|shared| rank(shared.alert.severity));
    all
}

fn rank(severity: &str) -> usize {
    ["error", "warning", "note"].iter().position(|known| *known == severity).unwrap_or(usize::MAX)
}

pub(in crate::ui) fn tone_of_severity(severity: &str) -> Tone {
    match severity {
        "error" => Tone::Bad,
        "warning" => Tone::Warn,
        _ => Tone::Dim,
    }
}

/// The first lines: how it stands, and what to do.
pub(in crate::ui) struct Headline {
    pub(in crate::ui) tone: Tone,
    /// `4 machines: 1 with errors, 3 well`, and `7 slots: 6 ok, 1 down` where there are any.
    pub(in crate::ui) lines: Vec<String>,
    /// Command lines, the most urgent first.
    pub(in crate::ui) next: Vec<String>,
}

pub(in crate::ui) fn headline(machines: &[&MachineStatus], slots: &[SlotStatus], commands: &Commands) -> Headline {
    let worst = |machine: &&&MachineStatus| machine.alerts.iter().map(|alert| rank(alert.severity)).min();
    let having = |wanted: usize| machines.iter().filter(|machine| worst(machine) == Some(wanted)).count();
    let (errors, warnings) = (having(0), having(1));
    let well = machines.len() - errors - warnings;
    let of_machines = counted(&[(errors, "with errors"), (warnings, "with warnings"), (well, "well")]);
    let in_state = |wanted: &str| slots.iter().filter(|slot| slot.state == wanted).count();
    let (ok, degraded, down) = (in_state("ok"), in_state("degraded"), in_state("down"));
    let mut lines = vec![format!("{}: {of_machines}", plural(machines.len(), "machine"))];
    if !slots.is_empty() {
        let of_slots = counted(&[(ok, "ok"), (degraded, "degraded"), (down, "down")]);
        lines.push(format!("{}: {of_slots}", plural(slots.len(), "slot")));
    }
    let tone = match (errors + down, warnings + degraded) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Warn,
        _ => Tone::Bad,
    };
    let next = steps(machines, slots).iter().map(|step| commands.in_text(step).into_owned()).collect();
    Headline { tone, lines, next }
}

fn counted(counts: &[(usize, &str)]) -> String {
    let parts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What to do first: a machine counts with its gravest alert that has a remedy, and machines with the same remedy share a line.
fn steps<'a>(machines: &[&'a MachineStatus], slots: &[SlotStatus]) -> Vec<String> {
    let mut steps: Vec<(usize, Step, Vec<&'a str>)> = Vec::new();
    let mut gravest_first = machines.to_vec();
    gravest_first.sort_by_key(|machine| machine.alerts.iter().map(|alert| rank(alert.severity)).min());
    for machine in gravest_first {
        let with_step = |alert: &Alert| Some((rank(alert.severity), alert.next?));
        let Some((rank, step)) = machine.alerts.iter().filter_map(with_step).min_by_key(|(rank, _)| *rank) else {
            continue;
        };
        match steps.iter_mut().find(|(_, known, _)| *known == step && step.is_shared()) {
            Some((gravest, _, named)) => {
                *gravest = rank.min(*gravest);
                named.push(&machine.name);
            }
            None => steps.push((rank, step, vec![&machine.name])),
        }
    }
    steps.sort_by_key(|(rank, ..)| *rank);
    let mut lines: Vec<String> = steps.iter().map(|(_, step, named)| line(*step, named)).collect();
    if lines.is_empty() {
        let troubled = slots.iter().find(|slot| slot.state != "ok");
        lines.extend(troubled.map(|slot| format!("fleetctl resolve {} --explain", slot.name)));
    }
    lines.truncate(STEPS);
    lines
}

fn line(step: Step, machines: &[&str]) -> String {
    let names = if machines.len() > NAMED { None } else { Some(machines.join(",")) };
    match (step, names) {
        (Step::Doctor, Some(names)) => format!("fleetctl doctor {names}"),
        (Step::Doctor, None) => "fleetctl doctor".to_owned(),
        (Step::Plan, Some(names)) => format!("fleetctl plan --on {names}"),
        (Step::Plan, None) => "fleetctl plan".to_owned(),
        (Step::Adopt, names) => format!("fleetctl adopt {}", names.unwrap_or_default()),
        (Step::Logs, names) => format!("fleetctl logs {}", names.unwrap_or_default()),
        (Step::ScheduleLogs, names) => format!("fleetctl logs {} schedule", names.unwrap_or_default()),
        (Step::Jobs, _) => "fleetctl jobs".to_owned(),
    }
}

/// `running 0.3.8`
pub(in crate::ui) fn omlx(omlx: &OmlxStatus) -> (String, Tone) {
    let tone = match omlx.state {
        "running" => Tone::Good,
        "starting" | "held" => Tone::Warn,
        "unknown" => Tone::Dim,
        _ => Tone::Bad,
    };
    let state = omlx.state.replace('-', " ");
    match &omlx.version {
        Some(version) => (format!("{state} {version}"), tone),
        None => (state, tone),
    }
}

/// `lan`, or why it was not reached.
pub(in crate::ui) fn reach(machine: &MachineStatus) -> (String, Tone) {
    match (machine.reach.state, machine.reach.path) {
        ("up", Some(path)) => (format!("by {path}"), Tone::Dim),
        ("up", None) => ("up".to_owned(), Tone::Dim),
        (state, _) => (state.replace('-', " "), Tone::Bad),
    }
}

/// What a declared name is doing: `yes`, `on demand`, `not listed`, …
pub(in crate::ui) fn name_state(served: &ServedStatus) -> (&'static str, Tone) {
    match (served.listed, served.loaded) {
        _ if served.is_held => ("held", Tone::Warn),
        (Some(false), _) => ("not listed", Tone::Bad),
        _ if served.is_loading => ("loading", Tone::Warn),
        (_, Some(true)) => ("loaded", Tone::Good),
        (_, Some(false)) if served.is_resident => ("not loaded, resident", Tone::Warn),
        (_, Some(false)) => ("on demand", Tone::Dim),
        (_, None) => ("?", Tone::Dim),
    }
}

/// Whether its size counts: it is in memory, or on its way there.
pub(in crate::ui) fn is_in_memory(served: &ServedStatus) -> bool {
    served.loaded == Some(true) || served.is_loading
}

/// What oMLX counts as used, of the limit that capacity reckons with. The limit alone where the use is not known.
pub(in crate::ui) fn models_memory(memory: &MemoryStatus) -> (Option<u64>, Option<u64>) {
    (memory.omlx_used_bytes, memory.omlx_limit_bytes.into_iter().chain(memory.budget_bytes).min())
}

/// One of the three headrooms.
#[derive(Clone, Copy)]
pub(in crate::ui) struct Room {
    pub(in crate::ui) word: &'static str,
    /// Below 0 is too much.
    pub(in crate::ui) free: Option<i64>,
    /// What it is a part of.
    pub(in crate::ui) whole: Option<u64>,
}

pub(in crate::ui) fn rooms(memory: &MemoryStatus) -> [Room; 3] {
    let headroom = &memory.headroom;
    [
        Room { word: "to load", free: headroom.load_bytes, whole: memory.budget_bytes },
        Room { word: "context", free: headroom.context_bytes, whole: memory.budget_bytes },
        Room { word: "system", free: headroom.system_bytes, whole: memory.total_bytes },
    ]
}

impl Room {
    /// What is free, of the whole, from 0 to 1.
    pub(in crate::ui) fn share(self) -> Option<f64> {
        let free = u64::try_from(self.free?.max(0)).ok()?;
        let whole = self.whole.filter(|whole| *whole > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "display only")]
        Some((free as f64 / whole as f64).min(1.0))
    }

    pub(in crate::ui) fn tone(self) -> Tone {
        match self.free {
            None => Tone::Dim,
            Some(free) if free < 0 => Tone::Bad,
            Some(_) if self.share().is_some_and(|share| share < 0.1) => Tone::Warn,
            Some(_) => Tone::Good,
        }
    }
}

/// `██████░░`: a cell is filled once half of it is used; anything above nothing fills one.
pub(in crate::ui) fn bar(used: u64, limit: u64, cells: usize) -> String {
    let whole = u128::try_from(cells).unwrap_or(0);
    let filled = (u128::from(used) * whole * 2 / u128::from(limit.max(1))).div_ceil(2).min(whole);
    let filled = usize::try_from(filled).unwrap_or(cells).max(usize::from(used > 0));
    format!("{}{}", "█".repeat(filled), "░".repeat(cells - filled.min(cells)))
}

/// `36.9/79.2 GiB`: one unit for both, that of the limit.
pub(in crate::ui) fn share(used: u64, limit: u64) -> String {
    let (unit, name) = if limit >= 1 << 30 { (1u64 << 30, "GiB") } else { (1 << 20, "MiB") };
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    let shown = |bytes: u64| bytes as f64 / unit as f64;
    format!("{:.1}/{:.1} {name}", shown(used), shown(limit))
}

pub(in crate::ui) fn signed(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{}", Bytes(bytes.unsigned_abs()))
}

/// `42.0G`, `-5.0G`, `-42G`: five columns at most, for the live view.
pub(in crate::ui) fn narrow_size(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    let size = Bytes(bytes.unsigned_abs()).to_string();
    let (number, unit) = size.split_once(' ').unwrap_or((&size, ""));
    let number = if sign.len() + number.len() > 4 { number.split('.').next().unwrap_or(number) } else { number };
    format!("{sign}{number}{}", unit.get(..1).unwrap_or_default())
}

/// `2 h 5 min`
pub(in crate::ui) fn long_time(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// `5s`, `12m`, `3h`, `9d`
pub(in crate::ui) fn short_time(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, _) => format!("{hours}h"),
        (days, ..) => format!("{days}d"),
    }
}

/// How long ago a name was last asked for, seconds.
pub(in crate::ui) fn idle_seconds(served: &ServedStatus, now: jiff::Timestamp) -> Option<u64> {
    u64::try_from(now.as_second().saturating_sub(served.last_use?).max(0)).ok()
}

/// A service's state in a word.
pub(in crate::ui) fn service_state(service: &ServiceStatus) -> (&'static str, Tone) {
    match service.state {
        ServiceState::Running => ("running", Tone::Good),
        ServiceState::Held => ("held", Tone::Warn),
        ServiceState::Stopped(_) => ("stopped", Tone::Bad),
        ServiceState::Unknown => ("?", Tone::Dim),
    }
}

/// How a job's last run went: `never`, a time, a time and an exit code.
pub(in crate::ui) fn last_run(job: &JobStatus, face: impl Fn(&str) -> Option<String>) -> (String, Tone) {
    match &job.last {
        None if job.state.is_none() => ("?".to_owned(), Tone::Dim),
        None => ("never".to_owned(), Tone::Dim),
        Some(run) => {
            let at = run.started_at.as_deref().and_then(face).unwrap_or_else(|| "?".to_owned());
            match run.exit {
                Some(0) => (at, Tone::Plain),
                Some(exit) => (format!("{at}, exit {exit}"), Tone::Bad),
                None if job.state == Some(JobState::Cut) => (format!("{at}, cut short"), Tone::Bad),
                None => (format!("{at}, runs"), Tone::Plain),
            }
        }
    }
}
