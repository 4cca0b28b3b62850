//! Windows and the clock: ties, edges in the hours of daylight saving time, zones, rebindings, jobs.

use jiff::{Timestamp, ToSpan as _};

use super::slots::{MIXED_ROUTE, work};
use super::values::Problems;
use super::view::View;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Rank, TimeOfDay, Weights, Zone};
use crate::schedule::{self, Shared};

/// Two windows that start together.
pub(crate) static WINDOWS_TIE: Code = Code {
    id: "windows-start-together",
    severity: Severity::Error,
    title: "two windows that start together on one machine, or that rebind one slot",
    explanation: "Of several open windows the latest started wins. Two that start at the same time of the same day leave open which: let one \
                  start a minute later, put them on different days or machines, or make one of them.",
};

/// An edge in the hours that a clock skips or repeats.
pub(crate) static EDGE_IN_DST: Code = Code {
    id: "window-edge-in-dst-hour",
    severity: Severity::Warning,
    title: "a window edge between 01:00 and 03:00 in a zone with daylight saving time",
    explanation: "On the day of spring on which the clock jumps, a time in the skipped hour happens at the first minute after it; on the day \
                  of autumn, a time in the repeated hour happens at its first occurrence. So a window may be an hour shorter or longer on \
                  those days. An edge before 01:00 or from 03:00 on is never in doubt.",
};

/// A machine whose clock is in another zone.
pub(crate) static OTHER_ZONE: Code = Code {
    id: "machine-in-another-zone",
    severity: Severity::Warning,
    title: "a machine in another zone than the fleet",
    explanation: "Windows and jobs are meant in the fleet's zone, also on this machine. Its launchd counts in its own zone: the triggers at a \
                  window's edges may be off there, and the tick every 15 minutes puts it right; a job's wrapper starts the command only \
                  when it is time in the fleet's zone.",
};

pub(crate) static CODES: [&Code; 3] = [&WINDOWS_TIE, &EDGE_IN_DST, &OTHER_ZONE];

/// All of them.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    ties(view, problems);
    edges(view, problems);
    zones(view, problems);
    rebindings(view, problems);
}

fn ties(view: View<'_>, problems: &mut Problems) {
    let window = |name: &str| view.raw_schedule(name)?.window.as_ref().map(|window| window.span.clone());
    for tie in schedule::ties(view.fleet) {
        let Some(span) = window(tie.second.name.as_str()) else { continue };
        let shared = match &tie.shared {
            Shared::Machine(machine) => format!("on {machine}"),
            Shared::Slot(slot) => format!("and rebind {slot}"),
        };
        let message = format!("{} and {} start together {shared}", tie.first.name, tie.second.name);
        let mut problem = Problem::at(&WINDOWS_TIE, span, message);
        if let Some(first) = window(tie.first.name.as_str()) {
            problem = problem.also(first, "starts at the same time");
        }
        problems.push(problem.help("let one start at another time or on other days, or make one window of them"));
    }
}

/// The zone's clock changes sooner or later; asked from a fixed day on, so that the same file always gives the same answer.
fn has_dst(zone: &Zone) -> bool {
    let Ok(from) = "2026-01-01T00:00:00Z".parse::<Timestamp>() else { return false };
    let until = from.checked_add((2 * 366 * 24).hours()).unwrap_or(Timestamp::MAX);
    zone.rules().following(from).take_while(|change| change.timestamp() <= until).next().is_some()
}

fn edges(view: View<'_>, problems: &mut Problems) {
    if view.fleet.schedules.is_empty() || !has_dst(&view.fleet.timezone) {
        return;
    }
    let in_doubt = |time: TimeOfDay| (60..180).contains(&time.minutes());
    for schedule in view.fleet.schedules.iter() {
        let window = view.raw_schedule(schedule.name.as_str()).and_then(|raw| raw.window.as_ref());
        let edge = [(schedule.window.start, "starts"), (schedule.window.end, "ends")]
            .into_iter()
            .find(|(time, _)| in_doubt(*time));
        if let (Some((time, verb)), Some(window)) = (edge, window) {
            problems.push(
                Problem::at(
                    &EDGE_IN_DST,
                    window.span.clone(),
                    format!(
                        "{} {verb} at {time}, which {} skips or repeats once a year",
                        schedule.name,
                        view.fleet.timezone.name()
                    ),
                )
                .help("an edge before 01:00 or from 03:00 on is never in doubt"),
            );
        }
    }
}

fn zones(view: View<'_>, problems: &mut Problems) {
    for machine in view.fleet.machines.iter().filter(|machine| machine.timezone.name() != view.fleet.timezone.name()) {
        let raw = view.raw.machines.as_ref().and_then(|machines| machines.get(machine.name.as_str()));
        if let Some(zone) = raw.and_then(|raw| raw.timezone.as_ref()) {
            problems.push(Problem::at(
                &OTHER_ZONE,
                zone.span.clone(),
                format!(
                    "{} is in {}, the fleet in {}",
                    machine.name,
                    machine.timezone.name(),
                    view.fleet.timezone.name()
                ),
            ));
        }
    }
}

/// A window's route against the slot's own: the same work, and the same embedding model.
fn rebindings(view: View<'_>, problems: &mut Problems) {
    let first =
        |route: &[Rank]| -> Option<&Weights> { route.iter().find_map(|rank| view.fleet.weights_of(&rank.served)) };
    for schedule in view.fleet.schedules.iter() {
        for rebinding in &schedule.slots {
            let Some(slot) = view.fleet.slots.get(&rebinding.slot) else { continue };
            let raw = view.raw_schedule(schedule.name.as_str()).and_then(|raw| raw.slots.as_ref());
            let route = raw.and_then(|slots| slots.get(slot.name.as_str())).and_then(|raw| raw.route.as_ref());
            let (Some(own), Some(meanwhile), Some(route)) = (first(&slot.route), first(&rebinding.route), route) else {
                continue;
            };
            let all = rebinding.route.iter().filter_map(|rank| view.fleet.weights_of(&rank.served));
            let embedding = work(own.kind) == Some(crate::fleet::SlotKind::Embedding);
            // A draft is said to be none of the served where it is served.
            let works = |weights: &Weights| work(weights.kind).is_some() && work(own.kind).is_some();
            if all.clone().any(|weights| works(weights) && work(weights.kind) != work(own.kind)) {
                let message = format!(
                    "{}: {} is a slot of kind {}, {} is {}",
                    schedule.name,
                    slot.name,
                    own.kind.as_str(),
                    meanwhile.name,
                    meanwhile.kind.as_str()
                );
                problems.push(
                    Problem::at(&MIXED_ROUTE, route.span.clone(), message).help("rebind it to names of the same kind"),
                );
            } else if embedding && all.clone().any(|weights| weights.name != own.name) {
                let message = format!(
                    "{}: {} answers with {}, and in this window with {}",
                    schedule.name, slot.name, own.name, meanwhile.name
                );
                problems.push(
                    Problem::at(&MIXED_ROUTE, route.span.clone(), message)
                        .help("vectors of another model compare with nothing that was stored: keep the model"),
                );
            }
        }
    }
}
