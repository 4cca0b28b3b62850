//! The screen as a function of the model and the time.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::model::{View, Watch};
use super::paint::{Paint, cut, glyph};
use crate::ui::Tone;
use crate::ui::status::reading;

const HELP: &str = "\
↑ ↓ k j        choose a machine, or scroll
enter          open it: alerts, names, memory, slots, jobs
l              follow the log of its oMLX
s              sort: file, trouble, room, requests
/              filter by machine, tier, state or served name
r              ask all machines now
esc            back; in the list, forget the filter
q              leave

AGE            since the machine's last answer
LOAD           room for another model; CONTEXT for the residents'
               contexts; SYSTEM for macOS. The bar is what is free
TOK/S          tokens written between the last two answers

✖ error  ▲ warning  · note";

impl Watch {
    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame<'_>, now: Timestamp) {
        let [body, footer] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
        match self.view {
            View::Fleet | View::Help => self.draw_fleet(frame, body, now),
            View::Machine => self.draw_machine(frame, body, now),
            View::Log => self.draw_log(frame, body),
        }
        frame.render_widget(Line::from(self.footer()).style(Style::new().add_modifier(Modifier::DIM)), footer);
        if self.view == View::Help {
            draw_help(frame, body);
        }
    }

    pub(super) fn paint(&self) -> Paint {
        Paint { is_colored: self.is_colored }
    }

    fn footer(&self) -> String {
        match self.view {
            View::Fleet if self.is_typing => format!("/{}▏  enter keep  esc forget", self.filter),
            View::Fleet => {
                let filter =
                    if self.filter.is_empty() { "/ filter".to_owned() } else { format!("/ filter: {}", self.filter) };
                format!("enter open  l log  s sort: {}  {filter}  r ask now  ? help  q quit", self.sort.word())
            }
            View::Machine => "↑↓ scroll  l log  r ask now  esc back".to_owned(),
            View::Log => "↑↓ scroll  G end  esc back".to_owned(),
            View::Help => "esc back".to_owned(),
        }
    }

    fn draw_fleet(&self, frame: &mut Frame<'_>, area: Rect, now: Timestamp) {
        let width = usize::from(area.width);
        let top = self.top(width, usize::from(area.height), now);
        // A quarter of the screen, and what the machines leave.
        let machines = 1 + 2 * self.shown().len();
        let left = usize::from(area.height).saturating_sub(top.len() + machines + 2);
        let slots = self.slot_lines(width, left.max(usize::from(area.height) / 4));
        let heights = [Constraint::Length(height(&top)), Constraint::Min(3), Constraint::Length(height(&slots))];
        let [above, middle, below] = Layout::vertical(heights).areas(area);
        frame.render_widget(Text::from(top), above);
        self.draw_machines(frame, middle, now);
        frame.render_widget(Text::from(slots), below);
    }

    /// The title, how it stands, and the gravest alerts.
    fn top(&self, width: usize, height: usize, now: Timestamp) -> Vec<Line<'static>> {
        let paint = self.paint();
        let face = now.to_zoned(self.zone.clone()).strftime("%a %d %b %H:%M:%S").to_string();
        let mut lines = vec![Line::from(vec![
            paint.span(self.fleet.clone(), Tone::Strong),
            paint.span(format!("  {face}"), Tone::Dim),
        ])];
        let known = self.known();
        let waited_for = self.rows.len() - known.len();
        let headline = reading::headline(&known, &self.slots, &self.commands);
        if waited_for > 0 {
            lines.push(Line::from(
                paint.span(format!("asking {waited_for} of {} machines", self.rows.len()), Tone::Dim),
            ));
        } else {
            let whole = headline.lines.join("; ");
            let of_headline = if cut(&whole, width) == whole { vec![whole] } else { headline.lines };
            lines.extend(of_headline.into_iter().map(|line| Line::from(paint.span(line, headline.tone))));
            let step = headline.next.first();
            lines.extend(step.map(|step| Line::from(paint.cell(&format!("next: {step}"), width, Tone::Plain))));
        }
        let alerts = reading::alerts(known);
        let room = (height / 6).max(3);
        let shown = if alerts.len() > room { room - 1 } else { alerts.len() };
        for shared in alerts.iter().take(shown) {
            let alert = shared.alert;
            let who = shared.machines.join(", ");
            let text = format!("{} {who}: {} ({})", glyph(alert.severity), alert.message, alert.code);
            lines.push(Line::from(paint.cell(&text, width, reading::tone_of_severity(alert.severity))));
        }
        if alerts.len() > shown {
            let more = format!("… and {} more alerts: sort by trouble, open a machine", alerts.len() - shown);
            lines.push(Line::from(paint.cell(&more, width, Tone::Dim)));
        }
        lines.push(Line::default());
        lines
    }
}

fn height(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let (wide, high) = (68.min(area.width), 17.min(area.height));
    let place = Rect { x: (area.width - wide) / 2, y: (area.height - high) / 2, width: wide, height: high };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(HELP).block(Block::bordered().title(" keys ")), place);
}
