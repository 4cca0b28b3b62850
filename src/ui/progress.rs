//! Long work on many machines: on a terminal a line a machine, what it does and for how long; elsewhere a plain line at each step.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, plural, sanitize};
use crate::execute::{Event, MachineReport};

/// Shows events as they come. Nothing is shown with `--quiet`.
pub struct Progress<'a> {
    ui: &'a Ui,
    bars: Option<MultiProgress>,
    lines: BTreeMap<String, ProgressBar>,
    width: usize,
}

impl<'a> Progress<'a> {
    /// For machines whose longest name has `width` columns.
    pub fn new(ui: &'a Ui, width: usize) -> Self {
        let bars = ui.animates().then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { ui, bars, lines: BTreeMap::new(), width }
    }

    /// Takes one event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Wave(number, of, machines) => {
                self.say(&format!("wave {number} of {of}: {}", plural(*machines, "machine")));
            }
            Event::Started(machine) => self.step(machine.as_str(), "sending"),
            Event::Step(machine, what) => self.step(machine.as_str(), what),
            Event::Ended(report) => self.end(report),
        }
    }

    /// A line above the moving ones.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => drop(bars.println(line)),
            None => self.ui.status(line),
        }
    }

    fn step(&mut self, machine: &str, what: &str) {
        let what = sanitize(what);
        let Some(bars) = &self.bars else {
            self.ui.status(&format!("{machine:width$}  {what}", width = self.width));
            return;
        };
        let width = self.width;
        let line = self.lines.entry(machine.to_owned()).or_insert_with(|| {
            let line = bars.add(ProgressBar::new_spinner());
            // The template is ours and sound; were it not, the bar's own look would do.
            if let Ok(style) = ProgressStyle::with_template("{prefix}  {spinner} {elapsed:>4}  {wide_msg}") {
                line.set_style(style);
            }
            line.set_prefix(format!("{machine:width$}"));
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        line.set_message(what);
    }

    fn end(&mut self, report: &MachineReport) {
        let machine = report.machine.as_str();
        if let Some(line) = self.lines.remove(machine) {
            line.finish_and_clear();
        }
        let took = report.took.as_secs_f64();
        self.say(&format!("{machine:width$}  {} after {took:.1} s", report.result.as_str(), width = self.width));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        for line in self.lines.values() {
            line.finish_and_clear();
        }
    }
}
