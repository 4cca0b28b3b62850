//! What an operator does by hand on one machine: start, stop, restart a daemon; load, unload a name. One script under the one command as root, which drains,
//! takes the machine's lock as an apply does, and keeps `STATE/held.json`.

use std::time::Duration;

use crate::fleet::ServedName;
use crate::plan::{Owner, UnitKind};
use crate::transport::{As, Remote, RunError, nonce, quote};

const JSON: &str = include_str!("../../templates/json.sh");
const BASE: &str = include_str!("../../templates/apply/base.sh");
const LOCK: &str = include_str!("../../templates/lock.sh");
const LAUNCHD: &str = include_str!("../../templates/apply/launchd.sh");
const OMLX_API: &str = include_str!("../../templates/omlx-api.sh");
const ENGINE: &str = include_str!("../../templates/apply/engine.sh");
const HAND: &str = include_str!("../../templates/by-hand.sh");

/// What the script may take beside its drain and the wait for health: bootout of a daemon that does not want to end (`ExitTimeOut` 300 and what follows), a load.
const SLACK: Duration = Duration::from_mins(15);

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Ends a hold and starts the daemon.
    Start,
    /// Stops the daemon for good, over reboots and applies, and remembers that by hand.
    Stop,
    /// Stops and starts the daemon; ends a hold.
    Restart,
    /// Loads a name; ends its hold.
    Load(ServedName),
    /// Unloads a name.
    Unload {
        /// The name.
        name: ServedName,
        /// Whether it is resident now: then it is remembered as held.
        hold: bool,
    },
}

/// The daemon that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandUnit {
    /// Short name.
    pub name: String,
    /// launchd's label.
    pub label: String,
    /// Its plist.
    pub plist: String,
    /// Its log file and that file's owner.
    pub log: (String, Owner),
    /// What it is.
    pub kind: UnitKind,
}

/// Who does it, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandTerms {
    /// `user@host` of the laptop.
    pub who: String,
    /// oMLX's base path there.
    pub base: String,
    /// How long to wait until it is idle.
    pub drain: Duration,
    /// Whether requests are cut then.
    pub force: bool,
    /// How long oMLX may take to answer after a start.
    pub gate: Duration,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandResult {
    /// It was done.
    Done,
    /// It was so already.
    Unchanged,
    /// Somebody else holds the machine's lock; nothing was touched.
    Busy,
    /// Not idle in time; nothing was touched.
    Postponed,
    /// It failed.
    Failed,
}

impl HandResult {
    /// As the answer shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Busy => "refused",
            Self::Postponed => "postponed",
            Self::Failed => "failed",
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandReport {
    /// How it ended.
    pub result: HandResult,
    /// Why, where there is something to say.
    pub detail: Option<String>,
    /// What the operator must know besides.
    pub notes: Vec<String>,
}

/// Does it. `step` is told what the machine does as it does it. Errors: the script gave no answer.
pub async fn by_hand(
    remote: &Remote,
    deed: &Deed,
    unit: &HandUnit,
    terms: &HandTerms,
    mut step: impl FnMut(&str) + Send,
) -> Result<HandReport, RunError> {
    let mut report = HandReport { result: HandResult::Failed, detail: None, notes: Vec::new() };
    let mut is_told = false;
    let within = terms.drain + terms.gate + SLACK;
    let output = remote
        .stream(As::Root, &script(deed, unit, terms), within, |line| {
            if let Some(text) = line.strip_prefix("= ") {
                step(text);
            } else if let Some(text) = line.strip_prefix("! ") {
                report.notes.push(text.to_owned());
            } else if let Some(text) = line.strip_prefix("# ") {
                let (word, detail) = text.split_once(' ').unwrap_or((text, ""));
                is_told = true;
                report.result = match word {
                    "done" => HandResult::Done,
                    "unchanged" => HandResult::Unchanged,
                    "busy" => HandResult::Busy,
                    "postponed" => HandResult::Postponed,
                    _ => HandResult::Failed,
                };
                report.detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
            }
        })
        .await?;
    if !is_told {
        let said = output.stderr.lines().last().unwrap_or("it said nothing").to_owned();
        report.detail = Some(format!("the script ended with {}: {said}", output.code));
    }
    Ok(report)
}

/// The whole script. Values stand in it quoted; none is a secret: oMLX's key is read on the machine.
fn script(deed: &Deed, unit: &HandUnit, terms: &HandTerms) -> String {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let (verb, name, hold) = match deed {
        Deed::Start => ("do_start", "", false),
        Deed::Stop => ("do_stop", "", false),
        Deed::Restart => ("do_restart", "", false),
        Deed::Load(name) => ("do_load", name.as_str(), false),
        Deed::Unload { name, hold } => ("do_unload", name.as_str(), *hold),
    };
    let id = format!("by-hand-{}", nonce());
    let kind = match unit.kind {
        UnitKind::Omlx => "omlx",
        UnitKind::Resident => "resident",
        UnitKind::Timed => "timed",
    };
    let (drain, gate) = (terms.drain.as_secs().to_string(), terms.gate.as_secs().to_string());
    let values = [
        ("HAND_ID", id.as_str()),
        ("HAND_WHO", &terms.who),
        ("HAND_BASE", &terms.base),
        ("HAND_UNIT", &unit.name),
        ("HAND_LABEL", &unit.label),
        ("HAND_PLIST", &unit.plist),
        ("HAND_LOG", &unit.log.0),
        ("HAND_LOG_USER", &unit.log.1.user),
        ("HAND_LOG_GROUP", &unit.log.1.group),
        ("HAND_KIND", kind),
        ("HAND_NAME", name),
        ("HAND_HOLD", yes(hold)),
        ("HAND_DRAIN", &drain),
        ("HAND_FORCE", yes(terms.force)),
        ("HAND_GATE", &gate),
    ];
    let set: String =
        values.iter().flat_map(|(name, value)| [*name, "=", &quote(value), "\n"].map(str::to_owned)).collect();
    [JSON, BASE, LOCK, LAUNCHD, OMLX_API, ENGINE, &set, HAND, verb, "\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test asks real shells")]
    fn it_is_a_script_and_hostile_words_stay_words() {
        let unit = HandUnit {
            name: "omlx".to_owned(),
            label: "dev.fleetctl.omlx".to_owned(),
            plist: "/Library/LaunchDaemons/dev.fleetctl.omlx.plist".to_owned(),
            log: ("/Library/Logs/fleetctl/omlx.log".to_owned(), Owner::staff("ops")),
            kind: UnitKind::Omlx,
        };
        let terms = HandTerms {
            who: "o'ps $(touch /tmp/x)@`host`".to_owned(),
            base: "/Users/ops/.omlx".to_owned(),
            drain: Duration::from_mins(5),
            force: false,
            gate: Duration::from_mins(10),
        };
        for deed in [Deed::Start, Deed::Stop, Deed::Restart] {
            let text = script(&deed, &unit, &terms);
            assert!(text.contains("HAND_WHO='o'\\''ps $(touch /tmp/x)@`host`'\n"));
            for shell in ["/bin/sh", "/bin/bash", "/bin/dash"] {
                if !std::path::Path::new(shell).exists() {
                    continue;
                }
                let mut child = std::process::Command::new(shell)
                    .args(["-n", "-s"])
                    .stdin(std::process::Stdio::piped())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .expect("a shell");
                let mut stdin = child.stdin.take().expect("piped");
                std::io::Write::write_all(&mut stdin, text.as_bytes()).expect("written");
                drop(stdin);
                let output = child.wait_with_output().expect("ended");
                assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}
