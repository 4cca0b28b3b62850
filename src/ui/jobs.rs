//! `jobs` for people: a job a row, then what deserves a look. Made of the JSON document's own value.

use super::alert_table::alert_table;
use super::clock_face::{short_face, took};
use super::json::{JobEntry, JobRunEntry, JobsDocument, JobsRunDocument};
use super::{Grid, Palette, Tone, sanitize};
use crate::fleet::Fleet;

/// From this width on a job is one row.
const WIDE: u16 = 120;

/// The table of jobs, then the alerts.
pub fn render_jobs(document: &JobsDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    if document.jobs.is_empty() {
        return "no jobs: the fleet file declares none for these machines\n".to_owned();
    }
    let mut text = if width >= WIDE {
        one_row(document, fleet, width, is_colored)
    } else {
        two_rows(document, fleet, width, is_colored)
    };
    let mut lacking: Vec<&str> =
        document.jobs.iter().filter(|job| job.state == Some("not-installed")).map(|job| job.machine.as_str()).collect();
    lacking.dedup();
    if !lacking.is_empty() {
        text.extend([format!("\nhelp: fleetctl apply --on {} installs what is not\n", lacking.join(","))]);
    }
    let of_jobs = document.jobs.iter().flat_map(|job| job.alerts.iter().map(|alert| (job.machine.as_str(), alert)));
    let of_machines =
        document.silent.iter().flat_map(|silent| silent.alerts.iter().map(|alert| (silent.name.as_str(), alert)));
    let alerts = alert_table(of_machines.chain(of_jobs), width, is_colored);
    if !alerts.is_empty() {
        text.push('\n');
        text.push_str(&alerts);
    }
    text
}

fn one_row(document: &JobsDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    let mut grid =
        Grid::new(&["JOB", "MACHINE", "SLOT", "WHEN", "LAST RUN", "HOW IT ENDED", "NEXT RUN"], width, is_colored);
    for job in &document.jobs {
        grid.row([
            (job.name.clone(), Tone::Strong),
            (job.machine.clone(), Tone::Plain),
            (slot(job), Tone::Plain),
            (when(job), Tone::Plain),
            (last(job, fleet), Tone::Plain),
            ended(job),
            (next(job, fleet), Tone::Plain),
        ]);
    }
    grid.render()
}

fn two_rows(document: &JobsDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    let mut grid = Grid::new(&["JOB", "MACHINE", "LAST RUN", "NEXT RUN"], width, is_colored);
    for job in &document.jobs {
        grid.row([
            (job.name.clone(), Tone::Strong),
            (job.machine.clone(), Tone::Plain),
            (last(job, fleet), Tone::Plain),
            (next(job, fleet), Tone::Plain),
        ]);
        grid.row([
            (format!("  {}", job.slot.as_deref().unwrap_or_default()), Tone::Dim),
            (String::new(), Tone::Plain),
            ended(job),
            (when(job), Tone::Dim),
        ]);
    }
    grid.render()
}

fn slot(job: &JobEntry) -> String {
    job.slot.clone().unwrap_or_else(|| "-".to_owned())
}

/// `daily 02:15`, `sun 04:15`
fn when(job: &JobEntry) -> String {
    let days = if job.days.len() == 7 { "daily".to_owned() } else { job.days.join(",") };
    format!("{days} {}", job.at)
}

fn face(at: &str, fleet: &Fleet) -> String {
    at.parse().map_or("?".to_owned(), |at| short_face(at, fleet.timezone.rules()))
}

fn last(job: &JobEntry, fleet: &Fleet) -> String {
    match (&job.last, job.state) {
        (Some(run), _) => face(&run.started_at, fleet),
        (None, None) => "?".to_owned(),
        (None, Some(_)) => "never".to_owned(),
    }
}

fn next(job: &JobEntry, fleet: &Fleet) -> String {
    job.next_at.as_deref().map_or("-".to_owned(), |at| face(at, fleet))
}

fn ended(job: &JobEntry) -> (String, Tone) {
    let of_run = |run: &JobRunEntry| {
        let after = run.seconds.map_or(String::new(), |seconds| format!(" after {}", took(seconds)));
        let hand = if run.by_hand { ", by hand" } else { "" };
        match run.exit {
            Some(0) => (format!("ok{after}{hand}"), Tone::Good),
            Some(_) if run.timed_out => (format!("timeout{after}{hand}"), Tone::Bad),
            Some(exit) => (format!("exit {exit}{after}{hand}"), Tone::Bad),
            None => (String::new(), Tone::Plain),
        }
    };
    match (job.state, &job.last) {
        (None, _) => ("not reached".to_owned(), Tone::Bad),
        (Some("not-installed"), _) => ("not installed".to_owned(), Tone::Warn),
        (Some("running"), _) => ("runs now".to_owned(), Tone::Good),
        (Some("cut"), _) => ("cut short".to_owned(), Tone::Bad),
        (Some("missed"), _) => ("missed the last".to_owned(), Tone::Warn),
        (Some(_), Some(run)) => of_run(run),
        (Some(_), None) => (String::new(), Tone::Plain),
    }
}

/// `jobs run`: a line a machine.
pub fn jobs_run_text(document: &JobsRunDocument, palette: Palette) -> String {
    let width = document.machines.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for entry in &document.machines {
        let said = match (entry.result, entry.exit) {
            ("started", _) => palette.good("started"),
            ("ended", exit) => {
                let after = entry.seconds.map_or(String::new(), |seconds| format!(" after {}", took(seconds)));
                match exit {
                    Some(0) => palette.good(&format!("ended well{after}")),
                    exit => palette.bad(&format!("ended with exit {}{after}", exit.unwrap_or_default())),
                }
            }
            ("refused", _) => palette.warn("refused"),
            (other, _) => palette.bad(other),
        };
        let detail = entry.detail.as_deref().map_or(String::new(), |detail| format!(": {}", sanitize(detail)));
        text.extend([format!("{:width$}  {} {said}{detail}\n", entry.name, document.job)]);
    }
    text
}
