//! `fleetctl logs`

use std::time::Duration;

use super::Context;
use super::by_hand::{machine, unit};
use super::dispatch::block_on;
use crate::cli::LogsArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::transport::{As, Output, Remote, RunError, quote};
use crate::ui::sanitize;

/// How long `tail` may take to show what is there.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(cx: &Context, args: &LogsArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = machine(&file.fleet, &args.machine)?;
    let path = if args.unit == "server" {
        // oMLX's own log: daily files, the present one under this name (facts/omlx.md 1.6).
        format!("{}/logs/server.log", machine.omlx.base)
    } else {
        unit(&file.fleet, machine, &args.unit)?.log.0
    };
    show_log(cx, &file.fleet, machine, &path, Tail { lines: args.lines, follows: args.follow })
}

/// How much of a log is shown.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    /// So many of its last lines.
    pub(super) lines: u32,
    /// And what comes, until Ctrl-C.
    pub(super) follows: bool,
}

/// Shows a daemon's log. Errors: the machine cannot be reached; the log is not there.
pub(super) fn show_log(
    cx: &Context,
    fleet: &Fleet,
    machine: &Machine,
    path: &str,
    tail: Tail,
) -> Result<Exit, CommandError> {
    block_on(async {
        let connector = cx.connector(fleet)?;
        let done = async {
            let remote = connector.connect(machine).await.map_err(RunError::from)?;
            show(cx, &remote, path, tail).await
        };
        let done = tokio::select! {
            done = done => done,
            _ = tokio::signal::ctrl_c(), if tail.follows => Ok(None),
        };
        connector.close().await;
        match done {
            Ok(None) => Ok(Exit::Interrupted),
            Ok(Some(output)) if output.code == 0 => Ok(Exit::Done),
            Ok(Some(output)) => {
                let said = output.stderr.lines().last().unwrap_or("it said nothing").to_owned();
                Err(CommandError::failed(format!("{}: the log {path} cannot be read: {said}", machine.name))
                    .hint(format!("has the daemon ever run there? fleetctl status --on {}", machine.name)))
            }
            Err(error) => {
                let hints = error.hints();
                let failed = CommandError::failed(error.to_string());
                Err(hints.into_iter().fold(failed, CommandError::hint))
            }
        }
    })
}

/// Shows the last lines; with `--follow` what comes until the other side ends.
async fn show(cx: &Context, remote: &Remote, path: &str, tail: Tail) -> Result<Option<Output>, RunError> {
    let (log, lines) = (quote(path), tail.lines);
    let mut broken = false;
    let mut line = |text: &str| {
        // A reader who has gone ends us at the next look.
        broken |= cx.ui.answer(&format!("{}\n", sanitize(text))).is_err();
    };
    let shown = if tail.follows {
        // tail notices a gone reader only when it writes: it ends with the connection instead.
        let script = format!(
            "[ -r {log} ] || {{ printf '%s\\n' 'not there, or not readable' >&2; exit 1; }}\n\
             /usr/bin/tail -n {lines} -F {log} &\ntail=$!\ntrap 'kill $tail' EXIT\n\
             while kill -0 $PPID 2>/dev/null && kill -0 $tail 2>/dev/null; do sleep 2; done\n"
        );
        remote.follow(As::Login, &script, line).await
    } else {
        let script = format!("exec /usr/bin/tail -n {lines} {log}");
        remote.stream(As::Login, &script, PATIENCE, &mut line).await
    };
    shown.map(Some)
}
