//! `status` for people: a block of rows a machine, then alerts, slots, jobs and transitions. Made of the JSON document's own value.

use jiff::Timestamp;

use super::alert_table::alert_table;
use super::clock_face::{clock_face, short_face};
use super::json::{MachineStatus, MemoryStatus, ServedStatus, StatusDocument};
use super::{Grid, Palette, Tone, sanitize};
use crate::fleet::{Bytes, Fleet};
use crate::plan::JobState;

/// From this width on the bars are long and the columns stand further apart.
const WIDE: u16 = 120;

/// The whole text, at most `width` columns.
pub fn render_status(document: &StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    let palette = Palette::new(is_colored);
    let taken = document.taken_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut text = format!("{}  {}\n\n", palette.heading(&document.fleet), palette.dim(&clock_face(taken, fleet)));
    text.push_str(&machines(document, width, is_colored));
    for part in [
        alerts(document, width, is_colored),
        slots(document, width, is_colored),
        jobs(document, fleet, width, is_colored),
        transitions(document, fleet, width, is_colored),
    ] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    text
}

/// A line of a cell; `None` is an empty one.
type Line = Option<(String, Tone)>;

fn machines(document: &StatusDocument, width: u16, is_colored: bool) -> String {
    let mut grid = Grid::new(&["MACHINE", "OMLX", "NAME", "LOADED", "MEMORY FOR MODELS"], width, is_colored);
    for machine in &document.machines {
        let columns = [about(machine), omlx(machine), names(machine), loaded(machine), memory(&machine.memory, width)];
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows {
            let cell = |column: &Vec<Line>| column.get(row).cloned().flatten().unwrap_or_default();
            grid.row(columns.iter().map(cell));
        }
    }
    grid.render()
}

#[expect(clippy::unnecessary_wraps, reason = "it makes what columns are made of")]
fn line(text: impl Into<String>, tone: Tone) -> Line {
    Some((text.into(), tone))
}

fn about(machine: &MachineStatus) -> Vec<Line> {
    let mut lines = vec![line(&machine.name, Tone::Strong)];
    match machine.reach.state {
        "up" => lines.extend(machine.reach.path.map(|path| line(format!("by {path}"), Tone::Dim))),
        state => lines.push(line(state.replace('-', " "), Tone::Bad)),
    }
    lines.extend(machine.macos.as_ref().map(|macos| line(format!("macOS {macos}"), Tone::Dim)));
    lines
}

fn omlx(machine: &MachineStatus) -> Vec<Line> {
    let omlx = &machine.omlx;
    let tone = match omlx.state {
        "running" => Tone::Good,
        "starting" | "held" => Tone::Warn,
        "unknown" => Tone::Dim,
        _ => Tone::Bad,
    };
    let state = omlx.state.replace('-', " ");
    let mut lines = vec![match &omlx.version {
        Some(version) => line(format!("{state} {version}"), tone),
        None => line(state, tone),
    }];
    lines.extend(omlx.uptime_seconds.map(|seconds| line(format!("up {}", long_time(seconds)), Tone::Dim)));
    lines.extend(omlx.restarts.filter(|restarts| *restarts > 0).map(|restarts| {
        line(if restarts == 1 { "1 restart".to_owned() } else { format!("{restarts} restarts") }, Tone::Warn)
    }));
    lines.push(match machine.drift.changes {
        Some(0) => line("in sync", Tone::Dim),
        Some(changes) => line(format!("drift: {changes}"), Tone::Warn),
        None => None,
    });
    lines
}

fn names(machine: &MachineStatus) -> Vec<Line> {
    let mut lines: Vec<Line> = machine.served.iter().map(|served| line(&served.name, Tone::Plain)).collect();
    lines.extend(machine.undeclared.iter().map(|name| line(sanitize(name), Tone::Warn)));
    lines
}

fn loaded(machine: &MachineStatus) -> Vec<Line> {
    let mut lines: Vec<Line> = machine.served.iter().map(of_name).collect();
    lines.extend(machine.undeclared.iter().map(|_| line("undeclared", Tone::Warn)));
    lines
}

fn of_name(served: &ServedStatus) -> Line {
    let size = served.size_bytes.map_or(String::new(), |bytes| format!(" {}", Bytes(bytes)));
    match (served.listed, served.loaded) {
        _ if served.is_held => line("held", Tone::Warn),
        (Some(false), _) => line("not listed", Tone::Bad),
        _ if served.is_loading => line(format!("loading{size}"), Tone::Warn),
        (_, Some(true)) => line(format!("yes{size}"), Tone::Good),
        (_, Some(false)) if served.is_resident => line("no, resident", Tone::Warn),
        (_, Some(false)) => line("on demand", Tone::Dim),
        (_, None) => line("?", Tone::Dim),
    }
}

/// The bar: what oMLX counts as used, of the limit that capacity reckons with. Below it the three headrooms.
fn memory(memory: &MemoryStatus, width: u16) -> Vec<Line> {
    let cells = if width >= WIDE { 24 } else { 6 };
    let limit = memory.omlx_limit_bytes.into_iter().chain(memory.budget_bytes).min();
    let mut lines = Vec::new();
    match (memory.omlx_used_bytes, limit) {
        (Some(used), Some(limit)) => {
            let tone = if used > limit { Tone::Bad } else { Tone::Plain };
            lines.push(line(format!("{} {}", bar(used, limit, cells), share(used, limit)), tone));
        }
        (None, Some(limit)) => lines.push(line(format!("? of {}", Bytes(limit)), Tone::Dim)),
        (_, None) => lines.push(line("?", Tone::Dim)),
    }
    let headroom = &memory.headroom;
    let mut room = |name: &str, bytes: Option<i64>| {
        lines.extend(bytes.map(|bytes| {
            let tone = if bytes < 0 { Tone::Warn } else { Tone::Dim };
            line(format!("{name} {}", signed(bytes)), tone)
        }));
    };
    room("to load", headroom.load_bytes);
    room("context", headroom.context_bytes);
    room("system", headroom.system_bytes);
    match memory.pressure {
        Some("warn") => lines.push(line("pressure", Tone::Warn)),
        Some("critical") => lines.push(line("critical pressure", Tone::Bad)),
        _ => {}
    }
    lines
}

/// `██████░░`: a cell is filled once half of it is used; anything above nothing fills one.
fn bar(used: u64, limit: u64, cells: usize) -> String {
    let whole = u128::try_from(cells).unwrap_or(0);
    let filled = (u128::from(used) * whole * 2 / u128::from(limit.max(1))).div_ceil(2).min(whole);
    let filled = usize::try_from(filled).unwrap_or(cells).max(usize::from(used > 0));
    format!("{}{}", "█".repeat(filled), "░".repeat(cells - filled.min(cells)))
}

/// `36.9/79.2 GiB`: one unit for both, that of the limit.
fn share(used: u64, limit: u64) -> String {
    let (unit, name) = if limit >= 1 << 30 { (1u64 << 30, "GiB") } else { (1 << 20, "MiB") };
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    let shown = |bytes: u64| bytes as f64 / unit as f64;
    format!("{:.1}/{:.1} {name}", shown(used), shown(limit))
}

fn signed(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{}", Bytes(bytes.unsigned_abs()))
}

fn long_time(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

fn alerts(document: &StatusDocument, width: u16, is_colored: bool) -> String {
    let machines = document.machines.iter();
    let all = machines.flat_map(|machine| machine.alerts.iter().map(|alert| (machine.name.as_str(), alert)));
    alert_table(&all.collect::<Vec<_>>(), width, is_colored)
}

fn slots(document: &StatusDocument, width: u16, is_colored: bool) -> String {
    if document.slots.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["SLOT", "STATE", "GOES TO", "WHY"], width, is_colored);
    for slot in &document.slots {
        let (tone, why) = match slot.state {
            "ok" => (Tone::Good, String::new()),
            "degraded" => (Tone::Warn, slot.reason.clone()),
            _ => (Tone::Bad, slot.reason.clone()),
        };
        let target = slot.goes_to.clone().unwrap_or_else(|| "nowhere".to_owned());
        grid.row([
            (slot.name.clone(), Tone::Strong),
            (slot.state.to_owned(), tone),
            (target, Tone::Plain),
            (why, Tone::Dim),
        ]);
    }
    grid.render()
}

fn face(at: Option<&str>, fleet: &Fleet) -> Option<String> {
    let at: Timestamp = at?.parse().ok()?;
    Some(short_face(at, fleet.timezone.rules()))
}

fn jobs(document: &StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    if document.jobs.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["JOB", "MACHINE", "LAST", "NEXT"], width, is_colored);
    for job in &document.jobs {
        let (last, tone) = match &job.last {
            None => ("never".to_owned(), Tone::Dim),
            Some(run) => {
                let at = face(run.started_at.as_deref(), fleet).unwrap_or_else(|| "?".to_owned());
                match run.exit {
                    Some(0) => (at, Tone::Plain),
                    Some(exit) => (format!("{at}, exit {exit}"), Tone::Bad),
                    None if job.state == Some(JobState::Cut) => (format!("{at}, cut short"), Tone::Bad),
                    None => (format!("{at}, runs"), Tone::Plain),
                }
            }
        };
        let next = face(job.next_at.as_deref(), fleet).unwrap_or_else(|| "-".to_owned());
        grid.row([
            (job.name.clone(), Tone::Strong),
            (job.machine.clone(), Tone::Plain),
            (last, tone),
            (next, Tone::Plain),
        ]);
    }
    grid.render()
}

fn transitions(document: &StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    if document.transitions.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["NEXT", "MACHINE", "LOADS", "UNLOADS"], width, is_colored);
    let list = |names: &[String]| if names.is_empty() { "-".to_owned() } else { names.join("\n") };
    for transition in &document.transitions {
        grid.row([
            (face(Some(&transition.at), fleet).unwrap_or_default(), Tone::Strong),
            (transition.machine.clone(), Tone::Plain),
            (list(&transition.load), Tone::Plain),
            (list(&transition.unload), Tone::Plain),
        ]);
    }
    grid.render()
}
