//! What is said when fleetctl itself panics: words for an operator instead of the language's own.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

use super::{Commands, sanitize};

/// From now on a panic is told on standard error as a bug of ours, with command lines written so. The live view puts its own hook in front, which gives the
/// terminal back first.
pub fn announce_bugs(commands: Commands) {
    std::panic::set_hook(Box::new(move |info| {
        // A closed standard error is nobody's problem.
        drop(std::io::stderr().write_all(told(info, &commands).as_bytes()));
    }));
}

fn told(info: &PanicHookInfo<'_>, commands: &Commands) -> String {
    let said = info.payload_as_str().unwrap_or("it panicked without a word");
    let place = info.location().map_or(String::new(), |at| format!(" ({at})"));
    let mut text = words(said, &place, commands);
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text.push_str(&trace.to_string());
    }
    text
}

fn words(said: &str, place: &str, commands: &Commands) -> String {
    let status = commands.in_text("`fleetctl status`");
    format!(
        "error: a bug in fleetctl {}: {}{place}\n\
         help: a machine at work goes on to its end by itself: {status} says what is true there\n\
         help: please report the line above with what was typed; RUST_BACKTRACE=1 tells where it came from\n",
        env!("CARGO_PKG_VERSION"),
        sanitize(said),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_copy_asks_the_same_fleet() {
        let commands = Commands::with_file("other.toml".to_owned(), vec!["status".to_owned()]);
        let told = words("two and two\u{1b}[2J is five", " (src/x.rs:1:2)", &commands);
        assert_eq!(
            told.lines().skip(1).collect::<Vec<_>>(),
            [
                "help: a machine at work goes on to its end by itself: `fleetctl -f other.toml status` says what is true there",
                "help: please report the line above with what was typed; RUST_BACKTRACE=1 tells where it came from",
            ]
        );
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}
