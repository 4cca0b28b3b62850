//! What is said when fleetctl itself panics: words for an operator instead of the language's own.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

use super::sanitize;

/// From now on a panic is told on standard error as a bug of ours. The live view puts its own hook in front, which gives the terminal back first.
pub fn announce_bugs() {
    std::panic::set_hook(Box::new(|info| {
        // A closed standard error is nobody's problem.
        drop(std::io::stderr().write_all(words(info).as_bytes()));
    }));
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload_as_str().unwrap_or("it panicked without a word");
    let place = info.location().map_or(String::new(), |at| format!(" ({at})"));
    let mut text = format!("error: a bug in fleetctl {}: {}{place}\n", env!("CARGO_PKG_VERSION"), sanitize(said));
    text.push_str("help: a machine at work goes on to its end by itself: `fleetctl status` says what is true there\n");
    text.push_str(
        "help: please report the line above with what was typed; RUST_BACKTRACE=1 tells where it came from\n",
    );
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text.push_str(&trace.to_string());
    }
    text
}
