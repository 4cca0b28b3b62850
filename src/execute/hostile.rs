//! What a machine may say to this room, whatever it says. Built for tests and fuzzing only.

use std::time::Duration;

use super::{history, removal, result};
use crate::fleet::MachineName;

/// Every reader of this room on the same text.
pub(crate) fn read_anything(machine: &MachineName, text: &str) {
    drop((result::Line::read(text), history::read(text)));
    let removal = removal::plan(machine, text, Duration::ZERO);
    let removes = removal.transaction.map(|transaction| transaction.removes).unwrap_or_default();
    assert!(removes.iter().all(|path| path.starts_with('/') && !path.contains("/../")), "{removes:?}");
}
