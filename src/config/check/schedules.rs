//! `[schedules.NAME]`: windows, resident sets, rebindings.

use super::names;
use super::selectors::Machines;
use super::slots::Routes;
use super::values::{INVALID_TIME, Problems, quoted};
use crate::config::node::Spanned;
use crate::config::raw::{Days, RawSchedule};
use crate::config::read::Map;
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Declared, Rebinding, Schedule, ScheduleName, ServedName, SlotName, Weekday, Weekdays, Window};

/// A window that is never open, or always.
pub(crate) static WINDOW_LENGTH: Code = Code {
    id: "window-length",
    severity: Severity::Error,
    title: "a window of zero length or longer than 24 hours",
    explanation: "A window is [start, end), belongs to the day on which it starts and may cross midnight. One that ends when it starts is \
                  never open, and one of 24 hours or more would overlap with itself: what should hold always belongs into [serve] and \
                  [slots].",
};

/// Resident in a window where it is not served.
pub(crate) static RESIDENT_UNSERVED: Code = Code {
    id: "resident-unserved",
    severity: Severity::Error,
    title: "a window that keeps a name resident where it is not served",
    explanation: "`resident` of a schedule is the whole resident set of its machines, each as far as it serves the names. This name is \
                  served on none of them.",
};

pub(crate) static CODES: [&Code; 2] = [&WINDOW_LENGTH, &RESIDENT_UNSERVED];

/// All sound schedules.
pub(crate) fn schedules(routes: &Routes<'_>, machines: &Machines<'_>, problems: &mut Problems) -> Declared<Schedule> {
    let mut sound = Declared::default();
    for (key, span, schedule) in routes.file.schedules.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a schedule", ScheduleName::new, problems);
        if let Some(schedule) = schedule.and_then(|schedule| one(name, key, schedule, routes, machines, problems)) {
            sound.insert(schedule);
        }
    }
    sound
}

fn one(
    name: Option<ScheduleName>,
    key: &str,
    raw: &RawSchedule,
    routes: &Routes<'_>,
    machines: &Machines<'_>,
    problems: &mut Problems,
) -> Option<Schedule> {
    let what = |field: &str| format!("schedules.{key}.{field}");
    let on = machines.list(raw.on.as_ref(), &what("on"), problems);
    let window = window(raw.window.as_ref(), &what("window"), problems);
    let days = days(raw.days.as_ref(), &what("days"), problems);
    let none = Map::default();
    let declared = routes.file.serve.as_ref().unwrap_or(&none);
    let resident = raw.resident.as_ref().map(|list| {
        let mut names: Vec<ServedName> = Vec::new();
        for entry in &list.value {
            if names::reference(Some(entry), declared, "served name", problems).is_none() {
                continue;
            }
            if let Some(served) = routes.served.get(&entry.value) {
                if let (false, [first, ..]) = (on.iter().any(|machine| served.is_on(machine)), on.as_slice()) {
                    problems.push(
                        Problem::at(
                            &RESIDENT_UNSERVED,
                            entry.span.clone(),
                            format!("{} cannot be resident on {first}, which does not serve it", served.name),
                        )
                        .help(format!("add {first} to `on` of [serve.{}], or take it out of this window", served.name)),
                    );
                }
                if !names.contains(&served.name) {
                    names.push(served.name.clone());
                }
            }
        }
        names
    });
    let no_slots = Map::default();
    let declared_slots = routes.file.slots.as_ref().unwrap_or(&no_slots);
    let mut slots = Vec::new();
    for (slot, span, rebinding) in raw.slots.iter().flat_map(Map::iter) {
        if !declared_slots.contains(slot) {
            problems.push(names::unknown(slot, span, declared_slots.names(), "slot"));
        }
        let route = rebinding.and_then(|rebinding| rebinding.route.as_ref());
        let ranks = routes.route(route, &what(&format!("slots.{slot}.route")), problems);
        if let Ok(slot) = SlotName::new(slot) {
            slots.push(Rebinding { slot, route: ranks });
        }
    }
    Some(Schedule { name: name?, on, window: window?, days: days?, resident, slots })
}

fn window(leaf: Option<&Spanned<String>>, what: &str, problems: &mut Problems) -> Option<Window> {
    let leaf = leaf?;
    let edges = leaf.value.split_once('-').map(|(start, end)| (start.trim(), end.trim()));
    let parsed = edges.and_then(|(start, end)| Some(Window { start: start.parse().ok()?, end: end.parse().ok()? }));
    let (code, wrong, help) = match parsed {
        Some(window) if window.start != window.end => return Some(window),
        Some(_) => {
            (&WINDOW_LENGTH, "ends when it starts".to_owned(), "what holds always belongs into [serve] and [slots]")
        }
        None if edges.is_some_and(|(start, end)| is_longer_than_a_day(start, end)) => {
            (&WINDOW_LENGTH, "is longer than 24 hours".to_owned(), "what holds always belongs into [serve] and [slots]")
        }
        None => (
            &INVALID_TIME,
            format!("{} is no window", quoted(&leaf.value)),
            "write it as \"HH:MM-HH:MM\", from 00:00 to 23:59; it may cross midnight",
        ),
    };
    let message = if code.id == INVALID_TIME.id { format!("{what}: {wrong}") } else { format!("{what} {wrong}") };
    problems.push(Problem::at(code, leaf.span.clone(), message).help(help));
    None
}

/// An end that counts on beyond midnight ("22:00-46:30") and is 24 hours or more behind the start.
fn is_longer_than_a_day(start: &str, end: &str) -> bool {
    let minutes = |text: &str| -> Option<u32> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok())
        };
        let (hour, minute) = (digits(hour)??, digits(minute)??);
        (minute < 60).then_some(hour * 60 + minute)
    };
    minutes(start).zip(minutes(end)).is_some_and(|(start, end)| start < 1_440 && end >= start + 1_440)
}

/// `days`; `daily` when it is not written.
pub(crate) fn days(raw: Option<&Days>, what: &str, problems: &mut Problems) -> Option<Weekdays> {
    let short = Weekday::ALL.map(Weekday::short);
    match raw {
        None => Some(Weekdays::DAILY),
        Some(Days::Word(word)) if word.value == "daily" => Some(Weekdays::DAILY),
        Some(Days::Word(word)) => {
            let help = if short.contains(&word.value.as_str()) {
                format!("write it as a list: [\"{}\"]", word.value)
            } else {
                "it takes \"daily\" or a list of mon, tue, wed, thu, fri, sat, sun".to_owned()
            };
            problems.push(
                Problem::at(&INVALID_TIME, word.span.clone(), format!("{what} cannot be {}", quoted(&word.value)))
                    .help(help),
            );
            None
        }
        Some(Days::List(list)) => {
            if list.value.is_empty() {
                problems.push(
                    Problem::at(&INVALID_TIME, list.span.clone(), format!("{what} names no day"))
                        .help("write \"daily\" or at least one of mon, tue, wed, thu, fri, sat, sun"),
                );
                return None;
            }
            let mut found = Vec::new();
            for day in &list.value {
                let known = Weekday::ALL.into_iter().find(|weekday| weekday.short() == day.value);
                if known.is_none() {
                    let message = format!("{what}: {} is no day", quoted(&day.value));
                    let problem = Problem::at(&INVALID_TIME, day.span.clone(), message);
                    problems.push(match suggest::help(&day.value, short, "days are") {
                        Some(help) => problem.help(help),
                        None => problem,
                    });
                }
                found.extend(known);
            }
            (found.len() == list.value.len()).then(|| Weekdays::of(found))
        }
    }
}
