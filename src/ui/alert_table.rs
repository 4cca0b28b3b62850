//! Alerts as a table, the gravest first.

use super::json::Alert;
use super::{Grid, Tone, sanitize};

/// A row an alert with its machine; nothing without any.
pub(super) fn alert_table(all: &[(&str, &Alert)], width: u16, is_colored: bool) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["ALERT", "MACHINE", "WHAT"], width, is_colored);
    for severity in ["error", "warning", "note"] {
        for (machine, alert) in all.iter().filter(|(_, alert)| alert.severity == severity) {
            let tone = match severity {
                "error" => Tone::Bad,
                "warning" => Tone::Warn,
                _ => Tone::Dim,
            };
            let mut what = format!("{} ({})", sanitize(&alert.message), alert.code);
            for hint in &alert.hints {
                what.push_str("\nhelp: ");
                what.push_str(&sanitize(hint));
            }
            grid.row([(severity.to_owned(), tone), ((*machine).to_owned(), Tone::Strong), (what, Tone::Plain)]);
        }
    }
    grid.render()
}
