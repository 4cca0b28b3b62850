//! Below the machines: where the slots go, and what changes next.

use jiff::Timestamp;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr as _;

use super::model::Watch;
use crate::ui::Tone;
use crate::ui::clock_face::short_face;
use crate::ui::json::SlotStatus;

impl Watch {
    /// In as many columns as fit, those that are not well first; at most `height` lines of them.
    pub(super) fn slot_lines(&self, width: usize, height: usize) -> Vec<Line<'static>> {
        let paint = self.paint();
        let mut lines = vec![Line::default()];
        let mut slots: Vec<&SlotStatus> = self.slots.iter().collect();
        slots.sort_by_key(|slot| ["down", "degraded"].iter().position(|state| *state == slot.state).unwrap_or(2));
        let name = slots.iter().map(|slot| slot.name.width()).max().unwrap_or(0);
        let texts: Vec<(String, Tone)> = slots.iter().map(|slot| of_slot(slot, name)).collect();
        let widest = texts.iter().map(|(text, _)| text.width() + 3).max().unwrap_or(1);
        let columns = (width / widest).clamp(1, 3);
        let each = width / columns;
        let rows = texts.len().div_ceil(columns);
        let shown = if rows > height { height.saturating_sub(1) } else { rows };
        for row in 0..shown {
            // Down the first column, then down the next.
            let cells = (0..columns).filter_map(|column| texts.get(column * rows + row));
            lines.push(Line::from(cells.map(|(text, tone)| paint.cell(text, each, *tone)).collect::<Vec<_>>()));
        }
        if shown < rows {
            let hidden =
                (0..columns).map(|column| texts.len().saturating_sub(column * rows).min(rows).saturating_sub(shown));
            lines.push(Line::from(paint.cell(
                &format!("… and {} more slots", hidden.sum::<usize>()),
                width,
                Tone::Dim,
            )));
        }
        if let Some(next) = self.next_transition() {
            lines.push(Line::from(paint.cell(&next, width, Tone::Plain)));
        }
        lines
    }

    fn next_transition(&self) -> Option<String> {
        let first = self.transitions.first()?;
        let at: Timestamp = first.at.parse().ok()?;
        let mut parts = vec![format!("coming: {} {}", short_face(at, &self.zone), first.machine)];
        for (verb, names) in [("loads", &first.load), ("unloads", &first.unload)] {
            if !names.is_empty() {
                parts.push(format!("{verb} {}", names.join(", ")));
            }
        }
        Some(parts.join(" · "))
    }
}

fn of_slot(slot: &SlotStatus, name: usize) -> (String, Tone) {
    let (glyph, tone) = match slot.state {
        "ok" => ("✓", Tone::Plain),
        "degraded" => ("▲", Tone::Warn),
        _ => ("✖", Tone::Bad),
    };
    let target = slot.goes_to.clone().unwrap_or_else(|| "nowhere".to_owned());
    (format!("{glyph} {:name$}  {target}", slot.name), tone)
}
