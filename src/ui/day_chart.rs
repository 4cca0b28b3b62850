//! A machine's day, drawn: a row a name that is resident in it, a row of marks for its jobs.

use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr;

use super::clock_face::short_face;
use crate::fleet::{Fleet, Job, Machine, ServedName};
use crate::schedule::{Moment, next_run};

/// Marks of jobs, in order; further ones share the last.
const MARKS: [char; 12] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', '*'];

/// What is drawn.
pub(super) struct DayChart<'a> {
    /// The fleet.
    pub(super) fleet: &'a Fleet,
    /// Whose day.
    pub(super) machine: &'a Machine,
    /// A full hour.
    pub(super) from: Timestamp,
    /// The same time of the next day; 23 or 25 hours later when the clock changes between.
    pub(super) to: Timestamp,
}

/// The chart; `None` for a machine that keeps nothing loaded and runs no job that day.
pub(super) fn render_day(chart: &DayChart<'_>, width: u16, color: bool) -> Option<String> {
    let hours = usize::try_from(chart.to.duration_since(chart.from).as_hours()).ok().filter(|hours| *hours > 0)?;
    let mut jobs = runs(chart);
    jobs.sort_by_key(|(_, times)| times.first().copied());
    let stretches = stretches(chart);
    let residents = residents(chart, &stretches);
    let labels = residents.iter().map(|name| name.as_str()).chain((!jobs.is_empty()).then_some("jobs"));
    let label = labels.map(UnicodeWidthStr::width).max()?;
    let room = usize::from(width).saturating_sub(label + 4);
    let per_hour = [4, 2, 1].into_iter().find(|cells| cells * hours <= room).unwrap_or(1);
    let cell = SignedDuration::from_mins(60 / i64::try_from(per_hour).ok()?);
    let edges: Vec<Timestamp> =
        (0..=hours * per_hour).map(|n| chart.from + cell * i32::try_from(n).unwrap_or(0)).collect();

    let zone = chart.fleet.timezone.rules();
    let mut text = heading(chart, color);
    text.extend([format!("  {:label$}  {}\n", "", axis(chart, hours, per_hour))]);
    for name in residents {
        let bar: String = edges.windows(2).map(|pair| fill(name, &stretches, pair[0], pair[1])).collect();
        text.extend([format!("  {name:label$}  {bar}\n")]);
    }
    if !jobs.is_empty() {
        let mut marks: Vec<char> = vec!['·'; hours * per_hour];
        let mut legend = Vec::new();
        for (index, (job, times)) in jobs.iter().enumerate() {
            let mark = MARKS[index.min(MARKS.len() - 1)];
            for at in times {
                if let Some(cell) = edges.windows(2).position(|pair| pair[0] <= *at && *at < pair[1]) {
                    marks[cell] = mark;
                }
                let time = at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
                legend.push(format!("{mark} {time} {}", job.name));
            }
        }
        text.extend([format!("  {:label$}  {}\n", "jobs", marks.into_iter().collect::<String>())]);
        text.push_str(&wrapped(&legend, label + 4, usize::from(width)));
    }
    Some(text)
}

fn heading(chart: &DayChart<'_>, color: bool) -> String {
    let from = short_face(chart.from, chart.fleet.timezone.rules());
    let name = &chart.machine.name;
    let bold = anstyle::Style::new().bold();
    if color { format!("{bold}{name}{bold:#}, {from}\n") } else { format!("{name}, {from}\n") }
}

/// The hours of the clock, at every third; over a change of the clock an hour is missing or stands twice.
fn axis(chart: &DayChart<'_>, hours: usize, per_hour: usize) -> String {
    let zone = chart.fleet.timezone.rules();
    let mut axis = String::new();
    for hour in 0..hours {
        let at = chart.from + SignedDuration::from_hours(i64::try_from(hour).unwrap_or(0));
        if axis.len() <= hour * per_hour && hour % 3 == 0 {
            axis.push_str(&" ".repeat(hour * per_hour - axis.len()));
            axis.push_str(&zone.to_datetime(at).strftime("%H").to_string());
        }
    }
    axis
}

/// The day cut at the boundaries: from when, and which names are resident from then on.
fn stretches<'a>(chart: &DayChart<'a>) -> Vec<(Timestamp, Vec<&'a ServedName>)> {
    let mut found = Vec::new();
    let mut at = chart.from;
    while at < chart.to {
        let moment = Moment::new(chart.fleet, at);
        found.push((at, moment.state(chart.machine).resident.iter().map(|served| &served.name).collect()));
        let Some(next) = moment.next_boundary() else { break };
        at = next;
    }
    found
}

/// The names that are resident at some time of the day, in the order of declaration.
fn residents<'a>(chart: &DayChart<'a>, stretches: &[(Timestamp, Vec<&'a ServedName>)]) -> Vec<&'a ServedName> {
    let served = chart.fleet.engines_on(&chart.machine.name).map(|served| &served.name);
    served.filter(|name| stretches.iter().any(|(_, resident)| resident.contains(name))).collect()
}

/// One cell: resident all the time, in the first or the last part of it, in between, or not.
fn fill(name: &ServedName, stretches: &[(Timestamp, Vec<&ServedName>)], from: Timestamp, to: Timestamp) -> char {
    let first = stretches.partition_point(|(start, _)| *start <= from).saturating_sub(1);
    let last = stretches.partition_point(|(start, _)| *start < to);
    let inside: Vec<bool> = stretches[first..last].iter().map(|(_, resident)| resident.contains(&name)).collect();
    match (inside.first(), inside.iter().all(|now| Some(now) == inside.first()), inside.last()) {
        (Some(true), true, _) => '█',
        (Some(true), false, Some(false)) => '▌',
        (Some(false), false, Some(true)) => '▐',
        (_, false, _) => '▒',
        (_, true, _) => '·',
    }
}

/// The jobs of the machine that run in the day, with their times.
fn runs<'a>(chart: &DayChart<'a>) -> Vec<(&'a Job, Vec<Timestamp>)> {
    let mut found = Vec::new();
    for job in chart.fleet.jobs.iter().filter(|job| job.on.contains(&chart.machine.name)) {
        let mut times = Vec::new();
        let mut after = chart.from - SignedDuration::from_secs(1);
        while let Some(at) = next_run(chart.fleet, job, after).filter(|at| *at < chart.to) {
            times.push(at);
            after = at;
        }
        if !times.is_empty() {
            found.push((job, times));
        }
    }
    found
}

/// Items side by side, in lines of at most `width`, indented.
fn wrapped(items: &[String], indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for item in items {
        if !line.is_empty() && indent + line.width() + 2 + item.width() > width {
            text.extend([format!("{:indent$}{line}\n", "")]);
            line.clear();
        }
        if !line.is_empty() {
            line.push_str("  ");
        }
        line.push_str(item);
    }
    if !line.is_empty() {
        text.extend([format!("{:indent$}{line}\n", "")]);
    }
    text
}
