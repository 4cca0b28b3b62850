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
pub(crate) static EMPTY_WINDOW: Code = Code {
    id: "empty-window",
    severity: Severity::Error,
    title: "a window of zero length",
    explanation: "A window is [start, end) and at most 24 hours long: one that ends when it starts is never open. What should hold \
                  always belongs into [serve] and [slots].",
};

/// Resident in a window where it is not served.
pub(crate) static RESIDENT_UNSERVED: Code = Code {
    id: "resident-unserved",
    severity: Severity::Error,
    title: "a window that keeps a name resident where it is not served",
    explanation: "`resident` of a schedule is the whole resident set of each of its machines; every name must be served on every one of \
                  them.",
};

pub(crate) static CODES: [&Code; 2] = [&EMPTY_WINDOW, &RESIDENT_UNSERVED];

/// All sound schedules.
pub(crate) fn schedules(routes: &Routes<'_>, machines: &Machines<'_>, problems: &mut Problems) -> Declared<Schedule> {
    let mut sound = Declared::default();
    for (key, span, schedule) in routes.file.schedules.iter().flat_map(|map| map.iter()) {
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
                for machine in on.iter().filter(|machine| !served.is_on(machine)) {
                    problems.push(
                        Problem::at(
                            &RESIDENT_UNSERVED,
                            entry.span.clone(),
                            format!("{} cannot be resident on {machine}, which does not serve it", served.name),
                        )
                        .help(format!(
                            "add {machine} to `on` of [serve.{}], or take it out of this window",
                            served.name
                        )),
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
    for (slot, span, rebinding) in raw.slots.iter().flat_map(|map| map.iter()) {
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
    let parsed = leaf
        .value
        .split_once('-')
        .and_then(|(start, end)| Some(Window { start: start.trim().parse().ok()?, end: end.trim().parse().ok()? }));
    let Some(window) = parsed else {
        problems.push(
            Problem::at(&INVALID_TIME, leaf.span.clone(), format!("{what}: {} is no window", quoted(&leaf.value)))
                .help("write it as \"HH:MM-HH:MM\", from 00:00 to 23:59"),
        );
        return None;
    };
    if window.start == window.end {
        problems.push(
            Problem::at(&EMPTY_WINDOW, leaf.span.clone(), format!("{what} ends when it starts"))
                .help("a window is [start, end); what holds always belongs into [serve] and [slots]"),
        );
        return None;
    }
    Some(window)
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
                match Weekday::ALL.into_iter().find(|weekday| weekday.short() == day.value) {
                    Some(weekday) => found.push(weekday),
                    None => {
                        let problem = Problem::at(
                            &INVALID_TIME,
                            day.span.clone(),
                            format!("{what}: {} is no day", quoted(&day.value)),
                        );
                        problems.push(match suggest::help(&day.value, short.into_iter(), "days are") {
                            Some(help) => problem.help(help),
                            None => problem,
                        });
                    }
                }
            }
            (found.len() == list.value.len()).then(|| Weekdays::of(found))
        }
    }
}
