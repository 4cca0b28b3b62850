//! One machine, opened; and its log.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Wrap};

use super::model::{Row, Watch};
use super::paint::{Paint, folded, glyph};
use crate::fleet::Bytes;
use crate::ui::Tone;
use crate::ui::clock_face::short_face;
use crate::ui::json::MachineStatus;
use crate::ui::status::reading;

/// Cells of a headroom's bar.
const BAR: usize = 20;

impl Watch {
    pub(super) fn draw_machine(&self, frame: &mut Frame<'_>, area: Rect, now: Timestamp) {
        let Some(row) = self.chosen_row() else { return };
        let paint = self.paint();
        let mut lines = vec![title(paint, row, now)];
        if let Some(status) = &row.status {
            facts(paint, status, &mut lines);
            alerts(paint, status, &mut lines);
            names(paint, status, now, &mut lines);
            memory(paint, status, &mut lines);
            self.elsewhere(paint, status, &mut lines);
        }
        let last = lines.len().saturating_sub(1);
        let scroll = self.scroll.min(u16::try_from(last).unwrap_or(u16::MAX));
        frame.render_widget(Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false }).scroll((scroll, 0)), area);
    }

    pub(super) fn draw_log(&self, frame: &mut Frame<'_>, area: Rect) {
        let paint = self.paint();
        let width = usize::from(area.width);
        let mut lines = vec![Line::from(paint.span(format!("{}  log of oMLX", self.log.machine), Tone::Strong))];
        let end = match &self.log.ended {
            Some(why) => Some((why.as_str(), Tone::Warn)),
            None if self.log.lines.is_empty() => Some(("asking", Tone::Dim)),
            None => None,
        };
        let height = usize::from(area.height).saturating_sub(1 + usize::from(end.is_some()));
        let shown: Vec<String> = self.log.shown(height).flat_map(|line| folded(line, width)).collect();
        let fitting = shown.iter().skip(shown.len().saturating_sub(height));
        lines.extend(fitting.map(|line| Line::from(paint.cell(line, width, Tone::Plain))));
        lines.extend(end.map(|(text, tone)| Line::from(paint.cell(text, width, tone))));
        frame.render_widget(Text::from(lines), area);
    }

    /// What leads to the machine, and what happens on it.
    fn elsewhere(&self, paint: Paint, status: &MachineStatus, lines: &mut Vec<Line<'static>>) {
        let here = |target: &Option<crate::ui::json::TargetEntry>| {
            target.as_ref().is_some_and(|target| target.machine() == status.name)
        };
        let slots: Vec<&str> =
            self.slots.iter().filter(|slot| here(&slot.target)).map(|slot| slot.name.as_str()).collect();
        if !slots.is_empty() {
            section(paint, "slots", lines);
            lines.push(Line::from(paint.span(format!("  {}", slots.join(", ")), Tone::Plain)));
        }
        let face = |at: &str| at.parse().ok().map(|at| short_face(at, &self.zone));
        let jobs: Vec<_> = self.jobs.iter().filter(|job| job.machine == status.name).collect();
        if !jobs.is_empty() {
            section(paint, "jobs", lines);
        }
        for job in jobs {
            let (last, tone) = reading::last_run(job, face);
            let next = job.next_at.as_deref().and_then(face).unwrap_or_else(|| "-".to_owned());
            lines.push(Line::from(vec![
                paint.cell(&format!("  {}", job.name), 26, Tone::Plain),
                paint.span(format!("last {last}"), tone),
                paint.span(format!("  next {next}"), Tone::Dim),
            ]));
        }
        let coming: Vec<_> = self.transitions.iter().filter(|one| one.machine == status.name).collect();
        if !coming.is_empty() {
            section(paint, "next", lines);
        }
        for one in coming {
            let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let text = format!(
                "  {}  loads {}; unloads {}",
                face(&one.at).unwrap_or_default(),
                list(&one.load),
                list(&one.unload)
            );
            lines.push(Line::from(paint.span(text, Tone::Plain)));
        }
    }
}

fn title(paint: Paint, row: &Row, now: Timestamp) -> Line<'static> {
    let never = if row.status.is_some() { "has not answered yet" } else { "asking" };
    let age = row.age(now).map_or(never.to_owned(), |age| format!("seen {} ago", reading::short_time(age)));
    Line::from(vec![paint.span(row.name.clone(), Tone::Strong), paint.span(format!("  {age}"), Tone::Dim)])
}

fn section(paint: Paint, word: &str, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::default());
    lines.push(Line::from(paint.span(word.to_uppercase(), Tone::Dim)));
}

fn facts(paint: Paint, status: &MachineStatus, lines: &mut Vec<Line<'static>>) {
    let (omlx, tone) = reading::omlx(&status.omlx);
    let (reach, reach_tone) = reading::reach(status);
    let mut rest: Vec<String> = Vec::new();
    rest.extend(status.omlx.uptime_seconds.map(|seconds| format!("up {}", reading::long_time(seconds))));
    rest.extend(status.omlx.restarts.filter(|restarts| *restarts > 0).map(|restarts| format!("{restarts} restarts")));
    rest.extend(status.macos.as_ref().map(|macos| format!("macOS {macos}")));
    rest.extend(status.tier.as_ref().map(|tier| format!("tier {tier}")));
    rest.extend(status.transaction.generation.map(|generation| format!("generation {generation}")));
    rest.extend(status.drift.changes.map(|changes| match changes {
        0 => "in sync".to_owned(),
        changes => format!("drift: {changes}"),
    }));
    lines.push(Line::from(vec![
        paint.span(format!("oMLX {omlx}"), tone),
        paint.span(", ", Tone::Dim),
        paint.span(reach, reach_tone),
        paint.span(if rest.is_empty() { String::new() } else { format!(", {}", rest.join(", ")) }, Tone::Dim),
    ]));
    let work = &status.work;
    if let (Some(running), Some(waiting)) = (work.running, work.waiting) {
        let average = work.average_tps.filter(|tps| *tps > 0.0);
        let average = average.map_or(String::new(), |tps| format!(", {tps:.0} tok/s on average since its start"));
        lines.push(Line::from(paint.span(format!("{running} running, {waiting} waiting{average}"), Tone::Plain)));
    }
}

fn alerts(paint: Paint, status: &MachineStatus, lines: &mut Vec<Line<'static>>) {
    if !status.alerts.is_empty() {
        section(paint, "alerts", lines);
    }
    for alert in &status.alerts {
        let text = format!("{} {} ({})", glyph(alert.severity), alert.message, alert.code);
        lines.push(Line::from(paint.span(text, reading::tone_of_severity(alert.severity))));
        lines.extend(alert.hints.iter().map(|hint| Line::from(paint.span(format!("  help: {hint}"), Tone::Plain))));
    }
}

fn names(paint: Paint, status: &MachineStatus, now: Timestamp, lines: &mut Vec<Line<'static>>) {
    section(paint, "names", lines);
    let wide = status.served.iter().map(|served| served.name.chars().count()).max().unwrap_or(0).clamp(4, 30);
    for served in &status.served {
        let (state, tone) = reading::name_state(served);
        let size = served.size_bytes.filter(|_| reading::is_in_memory(served)).map(|bytes| Bytes(bytes).to_string());
        let idle = reading::idle_seconds(served, now).map(|idle| format!("used {} ago", reading::short_time(idle)));
        lines.push(Line::from(vec![
            paint.cell(&format!("  {}", served.name), wide + 4, Tone::Plain),
            paint.cell(state, 12, tone),
            paint.right(&size.unwrap_or_default(), 10, Tone::Plain),
            paint.cell("", 2, Tone::Plain),
            paint.cell(&idle.unwrap_or_default(), 14, Tone::Dim),
            paint.span(format!("{}, {}", served.model, served.profile), Tone::Dim),
        ]));
    }
    for name in &status.undeclared {
        lines.push(Line::from(vec![
            paint.cell(&format!("  {name}"), wide + 4, Tone::Plain),
            paint.span("undeclared", Tone::Warn),
        ]));
    }
}

fn free_or_missing(free: i64) -> String {
    let word = if free < 0 { "missing" } else { "free" };
    format!("{} {word}", Bytes(free.unsigned_abs()))
}

fn memory(paint: Paint, status: &MachineStatus, lines: &mut Vec<Line<'static>>) {
    let memory = &status.memory;
    if memory.total_bytes.is_none() && memory.budget_bytes.is_none() {
        return;
    }
    section(paint, "memory", lines);
    if let (Some(used), Some(limit)) = reading::models_memory(memory) {
        let tone = if used > limit { Tone::Bad } else { Tone::Plain };
        let text = format!("{} {} used", reading::bar(used, limit, BAR), reading::share(used, limit));
        lines.push(Line::from(vec![paint.cell("  models", 12, Tone::Dim), paint.span(text, tone)]));
    }
    for room in reading::rooms(memory) {
        let (Some(free), Some(whole)) = (room.free, room.whole) else { continue };
        let bar = reading::bar(u64::try_from(free).unwrap_or(0), whole, BAR);
        lines.push(Line::from(vec![
            paint.cell(&format!("  {}", room.word), 12, Tone::Dim),
            paint.span(bar, room.tone()),
            paint.span(format!(" {}", free_or_missing(free)), room.tone()),
        ]));
    }
    let mut rest: Vec<String> = Vec::new();
    rest.extend(memory.total_bytes.map(|bytes| format!("{} in the machine", Bytes(bytes))));
    rest.extend(
        memory
            .gpu_limit_bytes
            .map(|bytes| format!("GPU limit {} ({})", Bytes(bytes), memory.gpu_limit_source.unwrap_or("unknown"))),
    );
    rest.extend(memory.swap_used_bytes.map(|bytes| format!("swap {}", Bytes(bytes))));
    rest.extend(memory.pressure.map(|pressure| format!("pressure {pressure}")));
    lines.push(Line::from(paint.span(format!("  {}", rest.join(", ")), Tone::Dim)));
}
