//! One copy: begun anew for as long as it gets on, verified against the source, and only then given its name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::listing;
use super::script::{self, Owner, Target};
use super::source::{HubSide, Source, sums};
use crate::execute::Cancel;
use crate::fleet::{Bytes, Machine, Weights};
use crate::observe::{FileStamp, WeightsListing};
use crate::transport::{As, Connector, Remote};
use crate::ui::TransferStep;
use crate::ui::json::TransferEntry;

/// Where copies wait, beside the weights: oMLX passes over names that begin with a dot.
const WAITING: &str = ".fleetctl-partial";
/// Attempts in a row that bring nothing; then it is given up.
const FRUITLESS: u32 = 5;
/// How often a source may change while it is copied.
const ROUNDS: u32 = 3;
/// Without a byte for so long an attempt is ended: a dead mount, a black hole.
const STALL: Duration = Duration::from_mins(2);
/// A disk or a network that takes longer for one copy is no use.
const LONGEST: Duration = Duration::from_hours(24);
/// templates/models/alone.sh: somebody else's copy.
const SOMEBODY_ELSE: i32 = 76;
/// For small questions.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a copy needs.
pub(super) struct Transfer {
    pub(super) machine: Machine,
    pub(super) weights: Weights,
    pub(super) hub: Arc<HubSide>,
    pub(super) connector: Connector,
    /// What lies at the last place now.
    pub(super) here: Option<WeightsListing>,
    /// Bytes free there.
    pub(super) free: Option<u64>,
    /// Bytes that must stay free.
    pub(super) margin: u64,
    /// Whether every file's SHA-256 is compared.
    pub(super) checksum: bool,
    /// Whether it is all there, so that there is nothing to do but to compare.
    pub(super) is_whole: bool,
    /// Whose copy it is.
    pub(super) owner: Owner,
}

/// Why a copy did not come about.
enum Failure {
    Refused(String),
    Failed(String),
    Interrupted,
}
use Failure::{Failed, Interrupted, Refused};

/// Steps for whoever watches.
pub(super) type Tell<'a> = &'a (dyn Fn(TransferStep) + Send + Sync);

/// Carries one copy out.
pub(super) async fn run(transfer: &Transfer, remote: Remote, cancel: &Cancel, tell: Tell<'_>) -> TransferEntry {
    let began = Instant::now();
    let mut course = Course { remote, source: None, bytes: None, interruptions: 0 };
    let ended = if transfer.is_whole {
        tokio::select! {
            compared = compare(transfer, &mut course, tell) => compared.map(|detail| ("present", Some(detail))),
            () = cancel.stopped() => Err(Interrupted),
        }
    } else {
        carry_out(transfer, &mut course, cancel, tell).await.map(|()| ("copied", None))
    };
    let (result, detail) = match ended {
        Ok(done) => done,
        Err(Refused(why)) => ("refused", Some(why)),
        Err(Failed(why)) => ("failed", Some(why)),
        Err(Interrupted) if transfer.is_whole => ("interrupted", Some("it was not compared to the end".to_owned())),
        Err(Interrupted) => ("interrupted", Some("what was copied stays; the next sync goes on there".to_owned())),
    };
    tell(TransferStep::Ended(result));
    TransferEntry {
        machine: transfer.machine.name.to_string(),
        name: transfer.weights.name.to_string(),
        result,
        source: course.source,
        bytes: course.bytes,
        seconds: Some(began.elapsed().as_secs_f64()),
        interruptions: course.interruptions,
        detail,
    }
}

/// What is known of a copy on its way.
struct Course {
    remote: Remote,
    source: Option<&'static str>,
    bytes: Option<u64>,
    interruptions: u32,
}

/// Compares what is there already with the source: sizes, then every SHA-256. Says so when all is the same.
async fn compare(transfer: &Transfer, course: &mut Course, tell: Tell<'_>) -> Result<String, Failure> {
    let target = target(&transfer.machine, &transfer.weights);
    let source = transfer.hub.source(&transfer.machine, &course.remote, &transfer.weights).await.map_err(Failed)?;
    course.source = Some(source.kind);
    let here = transfer.here.clone().unwrap_or_default();
    course.bytes = Some(here.bytes());
    if source.hub.is_none() && source.from == target.last {
        return Ok("this is the hub's own copy: there is nothing to compare it with".to_owned());
    }
    tell(TransferStep::Says("comparing every file with the source".to_owned()));
    let wanted = source.listing(&course.remote).await.map_err(Failed)?;
    let differing = match here.differing(&wanted).first() {
        Some(first) => Some(((*first).to_owned(), "size")),
        None => other_sum(&source, &course.remote, &target.last).await?.map(|first| (first, "SHA-256")),
    };
    match differing {
        None => Ok("every file has the SHA-256 of the source".to_owned()),
        Some((file, what)) => Err(Failed(format!(
            "{file} has another {what} than at the source: remove {}/{file}, and the next sync copies it again",
            target.last
        ))),
    }
}

/// The first file that has another SHA-256 than at the source, or is not there.
async fn other_sum(source: &Source, remote: &Remote, directory: &str) -> Result<Option<String>, Failure> {
    let (theirs, ours) = tokio::join!(source.sums(remote, LONGEST), sums(remote, directory, LONGEST));
    let (theirs, ours) = (theirs.map_err(Failed)?, ours.map_err(Failed)?);
    let other = theirs.iter().find(|line| !ours.contains(line));
    Ok(other.map(|line| {
        let file = line.split_once("  ").map_or(line.as_str(), |(_, file)| file);
        file.strip_prefix("./").unwrap_or(file).to_owned()
    }))
}

async fn carry_out(transfer: &Transfer, course: &mut Course, cancel: &Cancel, tell: Tell<'_>) -> Result<(), Failure> {
    let target = target(&transfer.machine, &transfer.weights);
    if transfer.here.as_ref().is_some_and(|here| here.is_broken) {
        return Err(Refused(format!(
            "{} is a link that leads nowhere, or may not be read: remove it first",
            target.last
        )));
    }
    let source = transfer.hub.source(&transfer.machine, &course.remote, &transfer.weights).await.map_err(Failed)?;
    course.source = Some(source.kind);
    let mut wanted = source.listing(&course.remote).await.map_err(Failed)?;
    for _ in 0..ROUNDS {
        course.bytes = Some(wanted.bytes());
        tell(TransferStep::Begun(wanted.bytes()));
        let waiting = listed(&course.remote, &target.partial).await?;
        has_room(transfer, &wanted, waiting.as_ref())?;
        copy(transfer, &source, &target, course, cancel, tell).await?;
        tell(TransferStep::Says("verifying".to_owned()));
        let now = source.listing(&course.remote).await.map_err(Failed)?;
        if now.files != wanted.files {
            tell(TransferStep::Says("the source changed meanwhile: once more".to_owned()));
            wanted = now;
            continue;
        }
        verify(transfer, &source, &target, &wanted, course).await?;
        let placed = course.remote.run(As::Login, &script::place(&target, &transfer.owner), PATIENCE).await;
        let placed = placed.map_err(|error| Failed(error.to_string()))?;
        return match placed.code {
            0 => Ok(()),
            SOMEBODY_ELSE => Err(somebody_else(&placed.stderr)),
            _ => Err(Failed(placed.stderr)),
        };
    }
    Err(Failed("the source changes while it is copied: somebody writes there".to_owned()))
}

/// The last place, and the one beside it.
fn target(machine: &Machine, weights: &Weights) -> Target {
    let root = &machine.omlx.weights;
    Target {
        last: format!("{root}/{}", weights.directory),
        // A slash in a directory's name cannot stand in one file name; no other directory has this one (a slug has no "~").
        partial: format!("{root}/{WAITING}/{}", weights.directory.replace('/', "~")),
    }
}

/// What lies at a path.
async fn listed(remote: &Remote, path: &str) -> Result<Option<WeightsListing>, Failure> {
    let (root, name) = path.rsplit_once('/').unwrap_or(("/", path));
    let inventory = listing::list(remote, root, None, Some(&[name]), PATIENCE).await;
    let mut inventory = inventory.map_err(|error| Failed(error.to_string()))?;
    Ok(inventory.directories.remove(name))
}

/// Refuses a copy that would leave less than the margin. What is there already, in either place, is not copied again.
fn has_room(transfer: &Transfer, wanted: &WeightsListing, waiting: Option<&WeightsListing>) -> Result<(), Failure> {
    let Some(free) = transfer.free else { return Ok(()) };
    let there = waiting.or(transfer.here.as_ref());
    let present = there.map_or(0, |there| present(&wanted.files, &there.files));
    let needed = wanted.bytes().saturating_sub(present);
    if needed.saturating_add(transfer.margin) <= free {
        return Ok(());
    }
    Err(Refused(format!(
        "{} are to be copied and {} must stay free (--keep-free), but only {} are free",
        Bytes(needed),
        Bytes(transfer.margin),
        Bytes(free)
    )))
}

fn present(wanted: &BTreeMap<String, FileStamp>, there: &BTreeMap<String, FileStamp>) -> u64 {
    let of = |(path, stamp): (&String, &FileStamp)| there.get(path).map_or(0, |there| there.size.min(stamp.size));
    wanted.iter().map(of).fold(0, u64::saturating_add)
}

/// How one attempt ended.
enum Attempt {
    Whole,
    Died(String),
}

/// Attempts for as long as each brings something.
async fn copy(
    transfer: &Transfer,
    source: &Source,
    target: &Target,
    course: &mut Course,
    cancel: &Cancel,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let (mut most, mut fruitless) = (0, 0);
    loop {
        let bytes = AtomicU64::new(0);
        let attempt = tokio::select! {
            attempt = attempt(transfer, source, target, &course.remote, &bytes, tell) => attempt?,
            () = cancel.stopped() => return Err(Interrupted),
        };
        let Attempt::Died(why) = attempt else { return Ok(()) };
        course.interruptions += 1;
        let reached = bytes.load(Ordering::Relaxed);
        fruitless = if reached > most { 0 } else { fruitless + 1 };
        most = most.max(reached);
        if fruitless >= FRUITLESS {
            return Err(Failed(format!("given up after {FRUITLESS} attempts in a row that brought nothing: {why}")));
        }
        tell(TransferStep::Says(format!("interrupted, goes on: {why}")));
        let pause = Duration::from_secs(1 << fruitless.min(3));
        tokio::select! {
            () = sleep(pause) => {}
            () = cancel.stopped() => return Err(Interrupted),
        }
        // The connection may be gone with it. One that cannot be made yet is another attempt that brings nothing.
        if let Ok(remote) = transfer.connector.connect(&transfer.machine).await {
            course.remote = remote;
        }
    }
}

/// One attempt. Errors: what no further attempt can mend.
async fn attempt(
    transfer: &Transfer,
    source: &Source,
    target: &Target,
    remote: &Remote,
    bytes: &AtomicU64,
    tell: Tell<'_>,
) -> Result<Attempt, Failure> {
    let text = script::copy(&script::Copy {
        target,
        from: &source.from,
        hub: source.hub.as_ref(),
        margin: transfer.margin,
        owner: &transfer.owner,
    });
    let line = |line: &str| {
        if let Some(now) = line.strip_prefix("bytes ").and_then(|now| now.parse().ok()) {
            bytes.store(now, Ordering::Relaxed);
            tell(TransferStep::Bytes(now));
        }
    };
    let said = tokio::select! {
        said = remote.stream(As::Login, &text, LONGEST, line) => said,
        () = stalled(bytes) => {
            return Ok(Attempt::Died(format!("not a byte for {} s", STALL.as_secs())));
        }
    };
    let said = match said {
        Ok(said) => said,
        Err(error) => return Ok(Attempt::Died(error.to_string())),
    };
    let last = said.stderr.lines().last().unwrap_or_default().to_owned();
    match said.code {
        0 => Ok(Attempt::Whole),
        // templates/models/copy.sh: below the margin.
        75 => Err(Failed(format!(
            "stopped, because the disk filled up: less than {} were left free; what was copied stays",
            Bytes(transfer.margin)
        ))),
        SOMEBODY_ELSE => Err(somebody_else(&said.stderr)),
        _ if said.stderr.contains("No space left") => {
            Err(Failed("the disk is full; what was copied stays, and the next sync goes on there".to_owned()))
        }
        126 | 127 => Err(Failed(format!("rsync cannot be started there: {last}"))),
        code => Ok(Attempt::Died(if last.is_empty() { format!("rsync ended with {code}") } else { last })),
    }
}

/// Another sync has it; its words are whose and which process.
fn somebody_else(words: &str) -> Failure {
    Refused(format!("another sync copies it there at this moment ({})", words.lines().last().unwrap_or_default()))
}

/// Until nothing has come for too long.
async fn stalled(bytes: &AtomicU64) {
    let mut last = (bytes.load(Ordering::Relaxed), Instant::now());
    loop {
        sleep(Duration::from_secs(5)).await;
        let now = bytes.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        } else if last.1.elapsed() > STALL {
            return;
        }
    }
}

/// Compares the copy with the source: every file and its size, every shard that the index names, and where asked for every SHA-256.
async fn verify(
    transfer: &Transfer,
    source: &Source,
    target: &Target,
    wanted: &WeightsListing,
    course: &Course,
) -> Result<(), Failure> {
    let copy = listed(&course.remote, &target.partial).await?.unwrap_or_default();
    if let Some(first) = copy.differing(wanted).first() {
        return Err(Failed(format!("the copy differs from the source in {first}; the next sync mends it")));
    }
    if let Some(first) = copy.missing().first() {
        return Err(Failed(format!("the copy lacks {first}, which its index names")));
    }
    if transfer.checksum
        && let Some(file) = other_sum(source, &course.remote, &target.partial).await?
    {
        return Err(Failed(format!(
            "{file} has another SHA-256 than at the source: remove {} and sync again",
            target.partial
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn what_is_there_already_is_not_counted_twice() {
        let stamp = |size| FileStamp { size, modified: 1 };
        let wanted = [("a".to_owned(), stamp(10)), ("b".to_owned(), stamp(20))].into();
        let there = [("a".to_owned(), stamp(10)), ("b".to_owned(), stamp(5)), ("c".to_owned(), stamp(99))].into();
        assert_eq!(present(&wanted, &there), 15);
    }

    #[test]
    fn where_a_copy_waits() {
        let fleet = testing::example();
        let machine = fleet.machines.get("mac-mini1").expect("declared");
        let weights =
            Weights { directory: "org/model".to_owned(), ..fleet.weights.get("arctic").expect("declared").clone() };
        let target = target(machine, &weights);
        assert_eq!(target.last, "/Users/ops/models/org/model");
        assert_eq!(target.partial, "/Users/ops/models/.fleetctl-partial/org~model");
    }
}
