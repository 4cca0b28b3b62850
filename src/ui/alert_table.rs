//! Alerts as a table, the gravest first.

use super::json::Alert;
use super::status::reading;
use super::{Grid, Tone, sanitize};

/// A row an alert with its machines; nothing without any.
pub(super) fn alert_table<'a>(
    all: impl IntoIterator<Item = (&'a str, &'a Alert)>,
    width: u16,
    is_colored: bool,
) -> String {
    let all = reading::shared(all);
    if all.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["ALERT", "MACHINE", "WHAT"], width, is_colored);
    for shared in all {
        let alert = shared.alert;
        let mut what = format!("{} ({})", sanitize(&alert.message), alert.code);
        for hint in &alert.hints {
            what.push_str("\nhelp: ");
            what.push_str(&sanitize(hint));
        }
        grid.row([
            (alert.severity.to_owned(), reading::tone_of_severity(alert.severity)),
            (shared.machines.join("\n"), Tone::Strong),
            (what, Tone::Plain),
        ]);
    }
    grid.render()
}
