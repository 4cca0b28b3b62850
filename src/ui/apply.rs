//! What became of each machine, for people; and the generations that one keeps.

use super::wrap::indented;
use super::{Grid, Palette, Tone, plural, sanitize};
use crate::execute::{Generation, MachineReport, MachineResult, Report};

/// The report as text: a line a machine, and below it why, what else, and the daemon's last lines.
/// `columns`: of the terminal; the daemon's lines are not broken.
pub fn report_text(report: &Report, columns: u16, palette: Palette) -> String {
    let width = report.machines.iter().map(|machine| machine.machine.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for machine in &report.machines {
        text.push_str(&machine_text(machine, width, columns, palette));
    }
    text
}

fn machine_text(machine: &MachineReport, width: usize, columns: u16, palette: Palette) -> String {
    use MachineResult as R;
    let word = match machine.result {
        R::Unchanged => palette.dim("unchanged"),
        R::Applied => palette.good("applied"),
        R::Postponed | R::Refused => palette.warn(machine.result.as_str()),
        R::Reverted | R::RevertFailed | R::Unreachable | R::Failed => palette.bad(machine.result.as_str()),
    };
    let mut facts = Vec::new();
    facts.extend(machine.generation.map(|generation| format!("generation {generation}")));
    if machine.changes > 0 {
        facts.push(plural(machine.changes, "change"));
    }
    if !machine.took.is_zero() {
        facts.push(format!("{:.1} s", machine.took.as_secs_f64()));
    }
    let name = machine.machine.as_str();
    let mut text = format!("{name:width$}  {word}");
    if !facts.is_empty() {
        text.push_str("  ");
        text.push_str(&palette.dim(&facts.join(", ")));
    }
    text.push('\n');
    for line in machine.detail.iter().chain(&machine.notes).flat_map(|detail| detail.lines()) {
        // Its name stands above.
        let line = line.strip_prefix(&format!("{name}: ")).unwrap_or(line);
        text.push_str(&below(width, &indented(&sanitize(line), width + 2, columns)));
    }
    for line in &machine.log {
        text.push_str(&below(width, &palette.dim(&format!("| {}", sanitize(line)))));
    }
    text
}

/// A line under a machine's own.
fn below(width: usize, text: &str) -> String {
    format!("{:width$}  {text}\n", "")
}

/// The generations of a machine as a table, newest first.
pub fn history_text(machine: &str, generations: &[Generation], width: u16, palette: Palette) -> String {
    if generations.is_empty() {
        return format!("{machine}: no generation yet: nothing was applied here\n");
    }
    let mut grid = Grid::new(&[">GENERATION", "WHEN", "WHO", "WHAT"], width, palette.is_colored());
    for generation in generations.iter().rev() {
        let about = generation.about.as_ref();
        let mut what = match about {
            None => "as it was before fleetctl".to_owned(),
            Some(about) => {
                let count = format!("{}: {}", about.kind, plural(about.changes, "change"));
                let first = about.summary.iter().take(3).fold(String::new(), |text, line| text + "\n" + line);
                let more = about.summary.len().saturating_sub(3);
                let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
                format!("{count}{first}{more}")
            }
        };
        if generation.is_present {
            what.push_str("\n(present)");
        } else if !generation.is_kept {
            what.push_str("\n(not kept: cannot be gone back to)");
        }
        let tone = if generation.is_present { Tone::Good } else { Tone::Plain };
        grid.row([
            (generation.number.to_string(), Tone::Strong),
            (about.and_then(|about| about.at.clone()).unwrap_or_else(|| "-".to_owned()), Tone::Plain),
            (about.map_or_else(|| "-".to_owned(), |about| about.who.clone()), Tone::Plain),
            (what, tone),
        ]);
    }
    grid.render()
}
