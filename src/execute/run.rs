//! The machines of a plan, wave by wave.

use super::carry_out::{Event, Events, Job, carry_out, tell};
use super::report::{MachineReport, MachineResult};
use super::terms::{Purpose, Terms};
use super::{Cancel, Waves};
use crate::fleet::MachineName;
use crate::plan::Transaction;
use crate::transport::{Connector, Fanned, Width, fan_out, nonce};

/// How the machines are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// How many before the next ones.
    pub waves: Waves,
    /// At once, within a wave.
    pub parallel: usize,
    /// Whether a failed wave takes back what the finished ones did.
    pub all_or_nothing: bool,
}

/// Carries all jobs out; one report a job, in their order. `keep` is told each report as it is made, for the receipt.
pub async fn run(
    connector: &Connector,
    jobs: Vec<Job>,
    order: &Order,
    cancel: &Cancel,
    events: &Events,
    mut keep: impl FnMut(&MachineReport),
) -> Vec<MachineReport> {
    let waves = order.waves.cut(jobs.len());
    let mut rest = jobs.into_iter();
    let mut done: Vec<(Job, MachineReport)> = Vec::new();
    for (at, length) in waves.iter().enumerate() {
        let wave: Vec<Job> = rest.by_ref().take(*length).collect();
        let failed = done.iter().find(|(_, report)| !report.result.is_success()).map(|(_, report)| report.clone());
        if failed.is_some() || cancel.is_stopped() {
            for job in wave {
                let report = not_begun(&job.machine.name, failed.as_ref(), job.terms.changes);
                keep(&report);
                done.push((job, report));
            }
            continue;
        }
        if waves.len() > 1 {
            tell(events, Event::Wave(at + 1, waves.len(), wave.len()));
        }
        let reports = side_by_side(connector, wave.clone(), order.parallel, cancel, events, &mut keep).await;
        done.extend(wave.into_iter().zip(reports));
    }
    if order.all_or_nothing && done.iter().any(|(_, report)| !report.result.is_success()) {
        if cancel.is_stopped() {
            // Nothing new starts, going back neither.
            stay(done.iter_mut().map(|(_, report)| report), "interrupted", &mut keep);
        } else {
            take_back(connector, &mut done, order.parallel, cancel, events, &mut keep).await;
        }
    }
    done.into_iter().map(|(_, report)| report).collect()
}

fn not_begun(machine: &MachineName, failed: Option<&MachineReport>, changes: usize) -> MachineReport {
    let why = failed.map_or_else(
        || "not begun: interrupted".to_owned(),
        |failed| format!("not begun: {} in an earlier wave was {}", failed.machine, failed.result.as_str()),
    );
    let mut report = MachineReport::new(machine, MachineResult::Postponed).because(why);
    report.changes = changes;
    report
}

async fn side_by_side(
    connector: &Connector,
    jobs: Vec<Job>,
    parallel: usize,
    cancel: &Cancel,
    events: &Events,
    keep: &mut impl FnMut(&MachineReport),
) -> Vec<MachineReport> {
    let names: Vec<MachineName> = jobs.iter().map(|job| job.machine.name.clone()).collect();
    let work = |job: Job| {
        let (connector, cancel, events) = (connector.clone(), cancel.clone(), events.clone());
        async move {
            if cancel.is_stopped() {
                return not_begun(&job.machine.name, None, job.terms.changes);
            }
            carry_out(&connector, &job, &cancel, &events).await
        }
    };
    let watch = |_, result: Option<&Fanned<MachineReport>>| {
        if let Some(Fanned::Done(report)) = result {
            keep(report);
        }
    };
    let results = fan_out(jobs, Width { parallel, deadline: None }, work, watch).await;
    results
        .into_iter()
        .zip(names)
        .map(|(result, name)| match result {
            Fanned::Done(report) => report,
            Fanned::Panicked(why) => MachineReport::bug(&name, &why),
            // There is no deadline here: each job has its own.
            Fanned::TimedOut(_) => MachineReport::new(&name, MachineResult::Failed),
        })
        .collect()
}

/// Says of the finished machines why they are not taken back.
fn stay<'a>(reports: impl Iterator<Item = &'a mut MachineReport>, why: &str, keep: &mut impl FnMut(&MachineReport)) {
    for report in reports.filter(|report| report.result == MachineResult::Applied) {
        let said = format!("stays applied: not taken back, {why}");
        report.detail = Some(report.detail.take().map_or_else(|| said.clone(), |detail| format!("{detail}; {said}")));
        keep(report);
    }
}

/// Brings the finished machines back to the generation that they came from.
async fn take_back(
    connector: &Connector,
    done: &mut [(Job, MachineReport)],
    parallel: usize,
    cancel: &Cancel,
    events: &Events,
    keep: &mut impl FnMut(&MachineReport),
) {
    let Some(cause) = done.iter().find(|(_, report)| !report.result.is_success()) else { return };
    let cause = format!("{} was {}", cause.1.machine, cause.1.result.as_str());
    let back: Vec<(usize, Job)> = done
        .iter()
        .enumerate()
        .filter(|(_, (_, report))| report.result == MachineResult::Applied)
        .filter_map(|(at, (job, report))| Some((at, rollback(job, report.previous?))))
        .collect();
    let (places, jobs): (Vec<usize>, Vec<Job>) = back.into_iter().unzip();
    let lost = done.iter_mut().map(|(_, report)| report).filter(|report| report.previous.is_none());
    stay(lost, "because the machine did not say which generation it came from", keep);
    let reports = side_by_side(connector, jobs, parallel, cancel, events, &mut |_| {}).await;
    for (place, mut report) in places.into_iter().zip(reports) {
        if report.result == MachineResult::Applied {
            report.result = MachineResult::Reverted;
            report.detail = Some(format!("taken back, because all or nothing was asked for and {cause}"));
        } else {
            report.detail = Some(format!(
                "was applied and could not be taken back ({cause}): {}",
                report.detail.unwrap_or_default()
            ));
            report.result = MachineResult::RevertFailed;
        }
        keep(&report);
        done[place].1 = report;
    }
}

/// The job that goes back to a generation of a machine.
pub fn rollback(job: &Job, generation: u32) -> Job {
    let before = &job.transaction;
    let mut gate = before.gate.clone();
    (gate.listed, gate.resident, gate.ask) = (Vec::new(), Vec::new(), Vec::new());
    let empty = Transaction::empty(before.machine.clone(), before.user.clone(), before.base.clone(), gate);
    let transaction = Transaction {
        manifest: before.manifest.clone(),
        keys_written: before.keys_written.clone(),
        port: before.port,
        ..empty
    };
    let terms = Terms {
        id: format!("{}-back-{}", job.terms.id, nonce()),
        purpose: Purpose::Rollback(generation),
        ..job.terms.clone()
    };
    Job { transaction, terms, ..job.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_an_interruption_stays_and_says_so() {
        let name = MachineName::new("m").expect("a name");
        let mut reports = [MachineResult::Applied, MachineResult::Reverted, MachineResult::Unchanged]
            .map(|result| MachineReport::new(&name, result));
        reports[0].detail = Some("a note".to_owned());
        let mut kept = Vec::new();
        stay(reports.iter_mut(), "interrupted", &mut |report| kept.push(report.detail.clone()));
        assert_eq!(kept, [Some("a note; stays applied: not taken back, interrupted".to_owned())]);
        assert_eq!((reports[0].result, reports[1].detail.as_deref()), (MachineResult::Applied, None));
    }
}
