//! What the operator sees while machines are asked: on a terminal a line each that is not done, elsewhere nothing.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sanitize;
use crate::transport::Event;

/// Machines that answer at once need no line: it would only flicker.
const PATIENCE: Duration = Duration::from_millis(400);

/// Lines on standard error, gone when everything is there.
pub struct Waiting {
    names: Vec<String>,
    bars: Vec<Option<ProgressBar>>,
    all: MultiProgress,
    began: Instant,
}

impl Waiting {
    /// Lines for these names; drawn only where standard error is animated.
    pub fn new(names: Vec<String>, is_animated: bool) -> Self {
        let target = if is_animated { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = names.iter().map(|_| None).collect();
        Self { names, bars, all: MultiProgress::with_draw_target(target), began: Instant::now() }
    }

    /// An answer in the words of [`Self::tell`].
    pub fn said<T, E: std::fmt::Display>(answer: &Result<T, E>) -> Result<String, String> {
        match answer {
            Ok(_) => Ok("answered".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes note of a beginning or an end. An error is shown as it comes; the answers follow in the table.
    pub fn tell(&mut self, event: &Event, end: Option<Result<String, String>>) {
        if self.all.is_hidden() {
            return;
        }
        match event {
            Event::Started(place) => {
                let Some(name) = self.names.get(*place) else { return };
                let width = self.names.iter().map(String::len).max().unwrap_or(0);
                let style = ProgressStyle::with_template("{prefix} {spinner} {msg} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
                let bar = self.all.add(ProgressBar::new_spinner().with_style(style));
                bar.set_prefix(format!("{:width$}", sanitize(name)));
                bar.set_message("asking");
                bar.enable_steady_tick(Duration::from_millis(120));
                if let Some(slot) = self.bars.get_mut(*place) {
                    *slot = Some(bar);
                }
            }
            Event::Finished(place, took) => {
                if let Some(bar) = self.bars.get_mut(*place).and_then(Option::take) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
                let name = self.names.get(*place).map(String::as_str).unwrap_or_default();
                let line = match end {
                    Some(Err(error)) => Some(sanitize(&error)),
                    Some(Ok(said)) if self.began.elapsed() > PATIENCE && self.bars.iter().any(Option::is_some) => {
                        Some(format!("{}: {} after {:.1} s", sanitize(name), sanitize(&said), took.as_secs_f64()))
                    }
                    _ => None,
                };
                if let Some(line) = line {
                    // Nobody looks any more: nothing to tell.
                    drop(self.all.println(line));
                }
            }
        }
    }

    /// Takes the lines away.
    pub fn finish(self) {
        drop(self.all.clear());
    }
}
