//! `fleetctl logs`

use std::time::Duration;

use super::Context;
use super::by_hand::{machine, unit};
use super::runtime::block_on;
use crate::cli::LogsArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine, layout};
use crate::omlx::without_refused_key;
use crate::render::Values;
use crate::secret::{Redactor, SecretString};
use crate::transport::{As, Output, Remote, RunError, quote};
use crate::ui::sanitize_log;

/// How long `tail` may take to show what is there.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(cx: &Context, args: &LogsArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = machine(&file.fleet, &args.machine)?;
    let path = log_path(&file.fleet, machine, &args.unit)?;
    show_log(cx, &file.fleet, machine, &path, Tail { lines: args.tail.lines, follows: args.tail.follow })
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
            let cleaner = Cleaner::new(cx.values_at_hand(fleet).await, machine, &remote).await;
            show(cx, &remote, path, tail, &cleaner).await
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

/// What the following script says every two seconds: a write is the only way to find out that the reader has gone. U+001E is "record separator".
const BEAT: char = '\u{1e}';

/// A script that shows the last lines of a log and what comes. It ends once nobody reads it any more, or with the connection.
pub(crate) fn follow_script(path: &str, lines: u32) -> String {
    let log = quote(path);
    format!(
        "[ -r {log} ] || {{ printf '%s\\n' 'not there, or not readable' >&2; exit 1; }}\n\
         /usr/bin/tail -n {lines} -F {log} &\ntail=$!\ntrap 'kill $tail' EXIT\ntrap '' PIPE\n\
         while kill -0 $PPID 2>/dev/null && kill -0 $tail 2>/dev/null; do\n\
         sleep 2\nprintf '\\036\\n' 2>/dev/null || exit 0\ndone\n"
    )
}

/// A line of it without the beat; `None` where it is nothing else.
pub(crate) fn heard(line: &str) -> Option<&str> {
    match line.strip_suffix(BEAT) {
        Some("") => None,
        Some(rest) => Some(rest),
        None => Some(line),
    }
}

/// The path of a daemon's log on a machine.
pub(crate) fn log_path(fleet: &Fleet, machine: &Machine, name: &str) -> Result<String, CommandError> {
    if name == "server" {
        // oMLX's own log: daily files, the present one under this name (facts/omlx.md 1.6).
        return Ok(format!("{}/logs/server.log", machine.omlx.base));
    }
    Ok(unit(fleet, machine, name)?.log.0)
}

/// Takes out of a log what is secret: oMLX 0.3.8 writes keys there.
pub(crate) struct Cleaner(Redactor);

impl Cleaner {
    /// Of the secrets at hand, and of the keys that the machine's own settings.json holds.
    pub(crate) async fn new(values: Values, machine: &Machine, remote: &Remote) -> Self {
        let script = format!("exec /bin/cat {}", quote(&layout::settings_path(machine)));
        let said = remote.run(As::Login, &script, PATIENCE).await.map(|output| output.text()).unwrap_or_default();
        let settings: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let mut known: Vec<SecretString> = values.secrets.into_values().collect();
        known.extend(settings.get("auth").into_iter().flat_map(strings));
        Self(Redactor::new(known))
    }

    /// A line as it may be shown; control characters are still in it.
    pub(crate) fn clean(&self, line: &str) -> String {
        self.0.redact(&without_refused_key(line))
    }
}

/// Every string in a value.
fn strings(value: &serde_json::Value) -> Vec<SecretString> {
    match value {
        serde_json::Value::String(text) => vec![SecretString::from(text.as_str())],
        serde_json::Value::Array(items) => items.iter().flat_map(strings).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Shows the last lines; with `--follow` what comes until the other side ends.
async fn show(
    cx: &Context,
    remote: &Remote,
    path: &str,
    tail: Tail,
    cleaner: &Cleaner,
) -> Result<Option<Output>, RunError> {
    let mut broken = false;
    let mut line = |text: &str| {
        // A reader who has gone ends us at the next look.
        broken |= cx.ui.answer(&format!("{}\n", sanitize_log(&cleaner.clean(text)))).is_err();
    };
    let shown = if tail.follows {
        remote.follow(As::Login, &follow_script(path, tail.lines), |text| heard(text).map_or((), &mut line)).await
    } else {
        let script = format!("exec /usr/bin/tail -n {} {}", tail.lines, quote(path));
        remote.stream(As::Login, &script, PATIENCE, &mut line).await
    };
    shown.map(Some)
}
