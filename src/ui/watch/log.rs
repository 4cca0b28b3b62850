//! A log that is followed: its last lines.

use std::collections::VecDeque;

use crate::ui::sanitize_log;

/// Lines that are kept; a terminal shows far fewer.
const KEPT: usize = 2_000;

#[derive(Default)]
pub(super) struct Log {
    pub(super) machine: String,
    pub(super) lines: VecDeque<String>,
    /// Lines up from the end; 0 follows it.
    pub(super) back: usize,
    pub(super) ended: Option<String>,
}

impl Log {
    pub(super) fn of(machine: &str) -> Self {
        Self { machine: machine.to_owned(), ..Self::default() }
    }

    /// A line; who has scrolled back goes on to see what they saw.
    pub(super) fn push(&mut self, line: &str) {
        self.lines.push_back(sanitize_log(line));
        if self.back > 0 {
            self.back += 1;
        }
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
        self.back = self.back.min(self.lines.len());
    }

    pub(super) fn scroll(&mut self, up: isize) {
        self.back = self.back.saturating_add_signed(up).min(self.lines.len().saturating_sub(1));
    }

    /// The lines that fit into `height`.
    pub(super) fn shown(&self, height: usize) -> impl Iterator<Item = &str> {
        let end = self.lines.len() - self.back.min(self.lines.len());
        let start = end.saturating_sub(height);
        self.lines.range(start..end).map(String::as_str)
    }
}
