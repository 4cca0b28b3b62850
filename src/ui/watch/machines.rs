//! The list of machines: a line each with its headrooms and requests, and one below it with what is loaded.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};

use super::model::{Row, Watch};
use super::paint::Paint;
use crate::fleet::Bytes;
use crate::ui::Tone;
use crate::ui::json::MachineStatus;
use crate::ui::status::reading::{self, Room};

/// From this width on the release stands beside oMLX's state.
const WIDE: u16 = 110;
/// `unresponsive 0.3.8`
const RELEASE: usize = 20;
/// `42.0G`, `-5.0G`
const SIZE: usize = 5;

/// How wide the columns are.
struct Columns {
    name: usize,
    omlx: usize,
    bar: usize,
}

impl Columns {
    /// The bars take what the others leave.
    fn new(width: u16, rows: &[&Row]) -> Self {
        let name = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).clamp(7, 20);
        let omlx = if width >= WIDE { RELEASE } else { 9 };
        let fixed = 3 + name + 1 + 3 + 1 + omlx + 1 + 4 + 5 + 6;
        let bar = (usize::from(width).saturating_sub(fixed) / 3).saturating_sub(SIZE + 2).min(16);
        Self { name, omlx, bar }
    }

    fn room(&self) -> usize {
        self.bar + 1 + SIZE
    }
}

impl Watch {
    pub(super) fn draw_machines(&self, frame: &mut Frame<'_>, area: Rect, now: Timestamp) {
        let paint = self.paint();
        let rows: Vec<&Row> = self.shown().into_iter().filter_map(|place| self.rows.get(place)).collect();
        let columns = Columns::new(area.width, &rows);
        let mut lines = vec![heading(paint, &columns)];
        let chosen = self.chosen_row().map(|row| row.name.as_str());
        let mut chosen_at = 0..0;
        let mut body: Vec<Line<'static>> = Vec::new();
        for row in rows {
            let begin = body.len();
            let is_chosen = chosen == Some(row.name.as_str());
            body.push(first_line(paint, &columns, row, is_chosen, now));
            body.extend(second_line(paint, area.width, row, now));
            if is_chosen {
                chosen_at = begin..body.len();
            }
        }
        if body.is_empty() {
            body.push(Line::from(paint.span(format!("  no machine matches {:?}", self.filter), Tone::Dim)));
        }
        let height = usize::from(area.height).saturating_sub(1);
        // Down to the chosen one at least.
        let skip = chosen_at.end.saturating_sub(height);
        let hidden = body.len().saturating_sub(skip + height);
        let mut visible: Vec<Line<'static>> = body.into_iter().skip(skip).take(height).collect();
        if hidden > 0 && chosen_at.end < skip + height {
            visible.pop();
            visible.push(Line::from(paint.span("  … more below", Tone::Dim)));
        }
        lines.extend(visible);
        frame.render_widget(Text::from(lines), area);
    }
}

fn heading(paint: Paint, columns: &Columns) -> Line<'static> {
    let room = |word: &str| paint.cell(word, columns.room() + 1, Tone::Dim);
    Line::from(vec![
        paint.cell("", 3, Tone::Dim),
        paint.cell("MACHINE", columns.name + 1, Tone::Dim),
        paint.right("AGE", 3, Tone::Dim),
        paint.cell("", 1, Tone::Dim),
        paint.cell("OMLX", columns.omlx + 1, Tone::Dim),
        room("LOAD"),
        room("CONTEXT"),
        room("SYSTEM"),
        paint.right("RUN", 4, Tone::Dim),
        paint.right("WAIT", 5, Tone::Dim),
        paint.right("TOK/S", 6, Tone::Dim),
    ])
}

fn first_line(paint: Paint, columns: &Columns, row: &Row, is_chosen: bool, now: Timestamp) -> Line<'static> {
    let age = row.age(now).map_or("-".to_owned(), reading::short_time);
    let (state, tone) = match &row.status {
        None => ("asking".to_owned(), Tone::Dim),
        Some(status) if status.reach.state != "up" => reading::reach(status),
        Some(status) => {
            let (words, tone) = reading::omlx(&status.omlx);
            // Without room for the release the state stands alone.
            (if columns.omlx < RELEASE { status.omlx.state.replace('-', " ") } else { words }, tone)
        }
    };
    let mark =
        row.status.as_ref().and_then(|status| reading::alerts([status]).first().map(|shared| shared.alert.severity));
    let mut spans = vec![
        paint.cell(if is_chosen { "▸" } else { " " }, 1, Tone::Strong),
        paint.cell(
            mark.filter(|severity| *severity != "note").map_or(" ", super::paint::glyph),
            1,
            mark.map_or(Tone::Plain, reading::tone_of_severity),
        ),
        paint.cell("", 1, Tone::Plain),
        paint.cell(&row.name, columns.name + 1, Tone::Strong),
        paint.right(&age, 3, Tone::Dim),
        paint.cell("", 1, Tone::Plain),
    ];
    match row.status.as_ref().filter(|status| status.reach.state == "up") {
        None => spans.push(paint.cell(&state, columns.omlx + 1 + 3 * (columns.room() + 1), tone)),
        Some(status) => {
            spans.push(paint.cell(&state, columns.omlx, tone));
            spans.push(paint.cell("", 1, Tone::Plain));
            for room in reading::rooms(&status.memory) {
                spans.extend(of_room(paint, columns, room));
            }
        }
    }
    let count = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let work = row.status.as_ref().map(|status| &status.work);
    let busy = |value: Option<u64>| if value.is_some_and(|value| value > 0) { Tone::Strong } else { Tone::Plain };
    let (running, waiting) = (work.and_then(|work| work.running), work.and_then(|work| work.waiting));
    spans.push(paint.right(&count(running), 4, busy(running)));
    spans.push(paint.right(&count(waiting), 5, busy(waiting)));
    spans.push(paint.right(&row.tps.map_or("-".to_owned(), |tps| format!("{tps:.0}")), 6, Tone::Plain));
    let style = if is_chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    Line::from(spans).style(style)
}

/// `███░ 42.0G`: the bar is what is free.
fn of_room(paint: Paint, columns: &Columns, room: Room) -> [ratatui::text::Span<'static>; 3] {
    let size = room.free.map_or("?".to_owned(), reading::narrow_size);
    let bar = match (room.free, room.whole) {
        (Some(free), Some(whole)) => reading::bar(u64::try_from(free).unwrap_or(0), whole, columns.bar),
        _ => String::new(),
    };
    [
        paint.cell(&bar, columns.bar, room.tone()),
        paint.right(&size, SIZE + 1, if room.tone() == Tone::Good { Tone::Plain } else { room.tone() }),
        paint.cell("", 1, Tone::Plain),
    ]
}

/// What is loaded and since when nobody asked for it; or why nothing is known.
fn second_line(paint: Paint, width: u16, row: &Row, now: Timestamp) -> Option<Line<'static>> {
    let status = row.status.as_ref()?;
    let text = match &status.reach.detail {
        Some(detail) => detail.clone(),
        None => in_memory(status, now),
    };
    let width = usize::from(width).saturating_sub(4);
    (!text.is_empty()).then(|| Line::from(vec![paint.cell("", 4, Tone::Plain), paint.cell(&text, width, Tone::Dim)]))
}

fn in_memory(status: &MachineStatus, now: Timestamp) -> String {
    let names = status.served.iter().filter(|served| reading::is_in_memory(served)).map(|served| {
        let size = served.size_bytes.map_or(String::new(), |bytes| format!(" {}", Bytes(bytes)));
        let use_ = match reading::idle_seconds(served, now) {
            _ if served.is_loading => " loading".to_owned(),
            Some(idle) => format!(" used {} ago", reading::short_time(idle)),
            None => String::new(),
        };
        format!("{}{size}{use_}", served.name)
    });
    let names: Vec<String> = names.collect();
    let missing = status.served.iter().filter(|served| served.is_resident && served.loaded == Some(false));
    let missing: Vec<String> = missing.map(|served| format!("{} not loaded", served.name)).collect();
    [names, missing].concat().join(" · ")
}
