//! Copies on their way: on a terminal a bar each with rate and time left, elsewhere a plain line at each beginning, interruption and end.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, sanitize};
use crate::fleet::Bytes;

/// What happens to one copy.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferStep {
    /// It begins, or begins anew: so many bytes in all.
    Begun(u64),
    /// So many bytes are there.
    Bytes(u64),
    /// It waits, is verified, was interrupted: in words.
    Says(String),
    /// It ended, in a word.
    Ended(&'static str),
}

/// The bars of all copies, by their place.
pub struct Transfers<'a> {
    ui: &'a Ui,
    all: Option<MultiProgress>,
    labels: Vec<String>,
    bars: Vec<Option<ProgressBar>>,
}

impl<'a> Transfers<'a> {
    /// For copies with these labels.
    pub fn new(ui: &'a Ui, labels: Vec<String>) -> Self {
        let all = ui.animates().then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let bars = labels.iter().map(|_| None).collect();
        Self { ui, all, labels, bars }
    }

    /// Takes note of a step.
    pub fn show(&mut self, place: usize, step: &TransferStep) {
        let Some(label) = self.labels.get(place).map(|label| sanitize(label)) else { return };
        let Some(all) = &self.all else {
            match step {
                TransferStep::Begun(bytes) => self.ui.status(&format!("{label}  copying {}", Bytes(*bytes))),
                TransferStep::Says(text) => self.ui.status(&format!("{label}  {}", sanitize(text))),
                TransferStep::Ended(how) => self.ui.status(&format!("{label}  {how}")),
                TransferStep::Bytes(_) => {}
            }
            return;
        };
        let width = self.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let Some(slot) = self.bars.get_mut(place) else { return };
        let bar = slot.get_or_insert_with(|| {
            let bar = all.add(ProgressBar::new(0));
            // The template is ours and sound; were it not, the bar's own look would do.
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix} {bar:20} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}",
            ) {
                bar.set_style(style);
            }
            bar.set_prefix(format!("{label:width$}"));
            bar
        });
        match step {
            TransferStep::Begun(bytes) => bar.set_length(*bytes),
            TransferStep::Bytes(bytes) => bar.set_position(*bytes),
            TransferStep::Says(text) => bar.set_message(sanitize(text)),
            TransferStep::Ended(how) => {
                bar.finish_and_clear();
                drop(all.println(format!("{label:width$}  {how}")));
            }
        }
    }
}

impl Drop for Transfers<'_> {
    fn drop(&mut self) {
        for bar in self.bars.iter().flatten() {
            bar.finish_and_clear();
        }
    }
}
