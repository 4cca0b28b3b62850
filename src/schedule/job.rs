//! When jobs run.

use jiff::Timestamp;
use jiff::civil::Date;

use super::edge;
use crate::fleet::{Fleet, Job, Weekday};

/// A job runs at least once a week; a skipped day can put that off by one more week.
const HORIZON_DAYS: usize = 16;

/// The next run of a job strictly after `after`.
pub fn next_run(fleet: &Fleet, job: &Job, after: Timestamp) -> Option<Timestamp> {
    let start = today(fleet, after).yesterday().unwrap_or(Date::MIN);
    std::iter::successors(Some(start), |day| day.tomorrow().ok())
        .take(HORIZON_DAYS)
        .filter_map(|day| run_on(fleet, job, day))
        .find(|at| *at > after)
}

/// The last time at or before `until` at which a job was due.
pub fn previous_run(fleet: &Fleet, job: &Job, until: Timestamp) -> Option<Timestamp> {
    let start = today(fleet, until).tomorrow().unwrap_or(Date::MAX);
    std::iter::successors(Some(start), |day| day.yesterday().ok())
        .take(HORIZON_DAYS)
        .filter_map(|day| run_on(fleet, job, day))
        .find(|at| *at <= until)
}

fn today(fleet: &Fleet, at: Timestamp) -> Date {
    fleet.timezone.rules().to_datetime(at).date()
}

/// When the job is due on a day of the fleet's calendar: by the same rule as a window's edge.
fn run_on(fleet: &Fleet, job: &Job, day: Date) -> Option<Timestamp> {
    if job.days.contains(Weekday::of(day)) { edge(day, job.at, &fleet.timezone) } else { None }
}
