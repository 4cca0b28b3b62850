//! `fleetctl shadow run NAME --input FILE`

use std::sync::Arc;

use super::super::Context;
use super::super::runtime::block_on;
use super::super::slot_probe::{self, Keys};
use super::backlog::backlog;
use super::calibration;
use super::local::{Local, Ours};
use super::work::Work;
use crate::cli::ShadowRunArgs;
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::Machine;
use crate::fs;
use crate::shadow::{ANSWER_LIMIT, inputs};
use crate::transport::{JsonClient, PlainHttp};
use crate::ui::PairTally;

/// The longest file of inputs, bytes.
const INPUT_LIMIT: u64 = 1 << 30;

pub(crate) fn run(cx: &Context, args: &ShadowRunArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let shadow = calibration::find(fleet, &args.name)?;
    calibration::may_leave(&file, shadow)?;
    let named = args.input.display();
    let text = fs::read_text(&args.input, INPUT_LIMIT)
        .map_err(|error| CommandError::failed(format!("cannot read the inputs {named}")).because(error))?;
    let all = inputs(&text).map_err(|error| {
        CommandError::new(Kind::Refused, format!("cannot use {named}: nothing was sent")).because(error)
    })?;
    if all.is_empty() {
        return Err(CommandError::failed(format!("{named} holds no input")));
    }
    let mut store = calibration::open(cx, fleet, shadow)?;
    store.lock()?;
    let (jobs, kept) = backlog(cx, args, &store, fleet, shadow, all)?;
    if jobs.is_empty() {
        cx.ui.status(&format!("{}: all {kept} inputs have their pairs already", shadow.name));
        return Ok(Exit::Done);
    }
    let slot = fleet
        .slots
        .get(&shadow.slot)
        .ok_or_else(|| CommandError::new(Kind::Bug, format!("{} has no slot", shadow.name)))?;
    let machines: Vec<Machine> = cx.select(fleet)?.into_iter().cloned().collect();
    block_on(async {
        let key = match &shadow.reference.api_key {
            Some(source) => Some(cx.secret(source).await?),
            None => None,
        };
        let made = |error| CommandError::failed("cannot make an HTTP client").because(error);
        let local = Arc::new(Local {
            fleet: fleet.clone(),
            shadow: shadow.clone(),
            slot: slot.clone(),
            keys: Keys::fetch(cx, &machines.iter().collect::<Vec<_>>()).await,
            machines,
            probe: PlainHttp::new(slot_probe::PATIENCE).map_err(made)?,
            // An answer is text inside of JSON, which escapes at most six bytes for one.
            client: JsonClient::new(6 * ANSWER_LIMIT).map_err(made)?,
            clock: cx.clock,
            ours: Ours::default(),
        });
        let tally = PairTally::new(jobs.len(), kept);
        Work::new(cx, &store, shadow, local, key, tally).all(jobs, usize::from(args.concurrency)).await
    })
}
