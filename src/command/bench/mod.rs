//! `fleetctl bench [SLOT|NAME…]`: times over the streaming API, never the server's own bench (0.3.8's unloads everything and uploads results).

mod history;
mod judge;
mod measure;
mod request;
mod site;
mod target;

use super::Context;
use super::runtime::block_on;
use super::slot_probe::Keys;
use crate::cli::BenchArgs;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::Fleet;
use crate::fleet::MachineName;
use crate::fs;
use crate::transport::{JsonClient, PlainHttp};
use crate::ui::json::{BenchDocument, BenchEntry};
use crate::ui::{bench_page, bench_text, history_plot};

/// A stream of the longest answer that can be asked for is far below this.
const LONGEST: usize = 64 << 20;

pub(crate) fn run(cx: &Context, args: &BenchArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let machines = cx.select(fleet)?;
    let targets = target::targets(fleet, &args.names, &machines, cx.clock.now())?;
    let history = history::open(cx, fleet)?;
    if args.history {
        let wanted = |entry: &BenchEntry| {
            targets.iter().any(|target| target.served.name == *entry.served && target.machine.name == *entry.machine)
        };
        let known: Vec<BenchEntry> = history.all()?.into_iter().filter(wanted).collect();
        write_page(cx, args, fleet, &known)?;
        if cx.global.json {
            let taken_at = cx.clock.now().to_string();
            cx.ui.answer_json(&BenchDocument { schema: "fleetctl.bench/1", taken_at, results: known })?;
        } else {
            cx.ui.answer(&history_plot(&known, cx.ui.width(), cx.ui.colors_answer()))?;
        }
        return Ok(Exit::Done);
    }
    if targets.is_empty() {
        return Err(CommandError::usage("nothing to measure: the fleet declares no [slots] there")
            .hint("name a slot or a served name, or select other machines with --on"));
    }
    let taken_at = cx.clock.now();
    let mut results = block_on(async {
        let client =
            JsonClient::new(LONGEST).map_err(|error| CommandError::failed("cannot ask the machines").because(error))?;
        let probe = PlainHttp::new(super::slot_probe::PATIENCE)
            .map_err(|error| CommandError::failed("cannot ask the machines").because(error))?;
        let keys = Keys::fetch(cx, &machines).await;
        let connector = cx.connector(fleet)?;
        let sites = site::Sites::ask(cx, &connector, fleet, &targets).await;
        let results = measure::all(cx, args, fleet, &targets, &measure::Doors { client, probe, keys, sites }).await;
        connector.close().await;
        results
    })?;
    for entry in &mut results {
        judge::judge(fleet, entry, &history.earlier(entry)?, taken_at);
    }
    for entry in results.iter().filter(|entry| entry.verdict != "failed") {
        history.keep(entry)?;
    }
    write_page(cx, args, fleet, &history.all()?)?;
    let document = BenchDocument { schema: "fleetctl.bench/1", taken_at: taken_at.to_string(), results };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&bench_text(&document, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(over_machines(document.results.iter().map(|entry| match entry.verdict.as_str() {
        "failed" => MachineOutcome::Failed,
        "ok" => MachineOutcome::Succeeded,
        _ if args.check => MachineOutcome::Differs,
        _ => MachineOutcome::Succeeded,
    })))
}

/// The expectations that a machine broke when it was measured last, within a week; for status.
pub(super) fn broken_expectations(cx: &Context, fleet: &Fleet, now: jiff::Timestamp) -> Vec<(MachineName, String)> {
    let expects = |slot: &crate::fleet::Slot| {
        slot.expect.decode_tps.is_some() || slot.expect.prefill_tps.is_some() || slot.expect.ttft.is_some()
    };
    if !fleet.slots.iter().any(expects) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for entry in history::latest(cx, fleet, now) {
        let Some(machine) = fleet.machines.get(&entry.machine) else { continue };
        let missed = judge::missed(fleet, &entry, now).into_iter();
        broken.extend(missed.map(|what| (machine.name.clone(), format!("{what} on {}", entry.at))));
    }
    broken
}

fn write_page(cx: &Context, args: &BenchArgs, fleet: &Fleet, known: &[BenchEntry]) -> Result<(), CommandError> {
    let Some(path) = &args.html else { return Ok(()) };
    let page = bench_page(&fleet.name, known, cx.clock.now());
    fs::write_atomic(path, page.as_bytes(), 0o644)
        .map_err(|error| CommandError::failed(format!("cannot write the page {}", path.display())).because(error))?;
    cx.ui.status(&format!("{} is written", path.display()));
    Ok(())
}
