//! Jobs: whether the slot of a job has anyone to answer at the job's time.

use jiff::{Timestamp, ToSpan as _};

use super::memory::Room;
use super::values::Problems;
use super::view::View;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Job, Rank, Slot};
use crate::schedule::{self, Moment};

/// A job that nobody answers.
pub(crate) static NO_CANDIDATE: Code = Code {
    id: "job-without-candidate",
    severity: Severity::Error,
    title: "a job whose slot has no candidate at its time",
    explanation: "When the job runs, no machine of the slot's route holds the model or has room to load it beside what is resident then: the \
                  job would fail every time. Move the job or the window, or rebind the slot meanwhile.",
};

pub(crate) static CODES: [&Code; 1] = [&NO_CANDIDATE];

/// Every job at each of its times of one week. The week is a fixed one, so that the same file always gives the same answer.
pub(crate) fn check(view: View<'_>, rooms: &[Room<'_>], problems: &mut Problems) {
    let Ok(monday) = "2026-01-05T00:00:00Z".parse::<Timestamp>() else { return };
    // A week of runs ends before the second week does, in every zone.
    let until = monday.checked_add((15 * 24).hours()).unwrap_or(Timestamp::MAX);
    let openings = schedule::openings_between(view.fleet, monday, until);
    for job in view.fleet.jobs.iter() {
        let Some(slot) = job.slot.as_ref().and_then(|slot| view.fleet.slots.get(slot)) else { continue };
        let mut after = monday;
        for _ in job.days.iter() {
            let Some(at) = schedule::next_run(view.fleet, job, after) else { break };
            if !answered(view, rooms, slot, &Moment::among(view.fleet, at, &openings)) {
                say(view, job, slot, at, problems);
                break;
            }
            after = at;
        }
    }
}

fn answered<'a>(view: View<'a>, rooms: &[Room<'_>], slot: &'a Slot, moment: &Moment<'a>) -> bool {
    let route = moment.route(slot).route;
    // A route without a sound rank was said where it is written.
    route.is_empty() || route.iter().any(|rank| has_candidate(view, rooms, moment, rank))
}

fn has_candidate(view: View<'_>, rooms: &[Room<'_>], moment: &Moment<'_>, rank: &Rank) -> bool {
    let Some(served) = view.fleet.served.get(&rank.served) else { return true };
    rank.machines.is_empty()
        || rank.machines.iter().any(|name| {
            // Rooms stand in the order of the machines.
            let Some(room) = view.fleet.machines.position(name).and_then(|place| rooms.get(place)) else { return true };
            let window = moment.window(room.machine).map(|window| &window.name);
            let set = room.sets.iter().find(|set| set.window.map(|window| &window.name) == window);
            set.is_none_or(|set| room.is_too_large(set) || room.holds(set, served))
        })
}

fn say(view: View<'_>, job: &Job, slot: &Slot, at: Timestamp, problems: &mut Problems) {
    let raw = view.raw.jobs.as_ref().and_then(|jobs| jobs.get(job.name.as_str()));
    let Some(place) = raw.and_then(|raw| raw.slot.as_ref()) else { return };
    let local = at.to_zoned(view.fleet.timezone.rules().clone());
    let day = crate::fleet::Weekday::of(local.date()).short();
    let open = schedule::open_windows(view.fleet, at);
    let windows: Vec<&str> = open.iter().map(|opening| opening.schedule.name.as_str()).collect();
    let during = if windows.is_empty() { String::new() } else { format!(", while {} is open", windows.join(" and ")) };
    problems.push(
        Problem::at(
            &NO_CANDIDATE,
            place.span.clone(),
            format!("jobs.{}: nobody can answer {} on {day} at {}{during}", job.name, slot.name, job.at),
        )
        .help("run it at another time, or rebind the slot in the window to something that fits"),
    );
}
