//! How a calibration's run goes: on a terminal one bar, elsewhere a plain line now and then.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Ui;
use super::shadow::percent;

/// Off a terminal a line after so many items.
const EVERY: usize = 25;

/// What is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct PairTally {
    /// What this run has to do.
    pub all: usize,
    /// What had its pair already.
    pub kept: usize,
    /// What is done, one way or another.
    pub done: usize,
    /// Pairs completed.
    pub pairs: usize,
    /// Of these, agreeing.
    pub agreeing: usize,
    /// Of these, without a local answer.
    pub failed: usize,
    /// Without a reference.
    pub void: usize,
    /// Put off: the machine was busy, or nobody answered.
    pub busy: usize,
    /// Spent, where a price is declared.
    pub money: Option<f64>,
}

impl PairTally {
    /// Nothing done yet.
    pub const fn new(all: usize, kept: usize) -> Self {
        Self { all, kept, done: 0, pairs: 0, agreeing: 0, failed: 0, void: 0, busy: 0, money: None }
    }

    /// In one line.
    pub fn line(&self) -> String {
        let mut line = format!("{} pairs", self.pairs);
        if self.pairs > 0 {
            line.push_str(&format!(", {} agree", percent(self.agreeing, self.pairs)));
        }
        for (count, what) in
            [(self.failed, "failed"), (self.void, "void"), (self.busy, "put off"), (self.kept, "from before")]
        {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(money) = self.money {
            line.push_str(&format!(", {money:.4} spent"));
        }
        line
    }
}

/// Shows a tally as it grows.
pub struct PairProgress<'a> {
    ui: &'a Ui,
    name: &'a str,
    bar: Option<ProgressBar>,
    began: Instant,
    told: usize,
}

impl<'a> PairProgress<'a> {
    /// For the calibration of this name.
    pub fn new(ui: &'a Ui, name: &'a str) -> Self {
        let bar = ui.animates().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            // The template is ours and sound; were it not, the bar's own look would do.
            if let Ok(style) =
                ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len}  {per_sec}  {eta} left  {wide_msg}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        Self { ui, name, bar, began: Instant::now(), told: 0 }
    }

    /// Takes the numbers.
    pub fn show(&mut self, tally: &PairTally) {
        if let Some(bar) = &self.bar {
            bar.set_length(tally.all as u64);
            bar.set_position(tally.done as u64);
            bar.set_message(tally.line());
        } else if tally.done >= self.told + EVERY && tally.done < tally.all {
            self.told = tally.done;
            let rate = count(tally.done) / self.began.elapsed().as_secs_f64().max(0.001);
            let left = count(tally.all.saturating_sub(tally.done)) / rate;
            self.ui.status(&format!(
                "{}: {} of {}: {}; {rate:.1}/s, {left:.0} s left",
                self.name,
                tally.done,
                tally.all,
                tally.line()
            ));
        }
    }

    /// A line above the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => self.ui.status(line),
        }
    }

    /// The last numbers, which stay.
    pub fn end(self, tally: &PairTally) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let took = self.began.elapsed().as_secs_f64();
        self.ui.status(&format!(
            "{}: {} of {} inputs in {took:.1} s: {}",
            self.name,
            tally.done,
            tally.all,
            tally.line()
        ));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]
fn count(count: usize) -> f64 {
    count as f64
}
