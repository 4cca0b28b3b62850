//! STATE/schedule/table.json: what the reconciler needs of the fleet file. Its answer must be that of `schedule` at every instant.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fleet::{Fleet, Machine, Schedule, Served, ServedName};

/// Read by `templates/schedule.sh`, which refuses another schema.
#[derive(Serialize)]
struct Table<'a> {
    schema: &'static str,
    machine: &'a str,
    /// The fleet's zone: windows are meant in it.
    zone: &'a str,
    /// oMLX's base path: its address and key are read there.
    base: &'a str,
    /// Every name that the machine can load, with its kind: how it is asked for one token.
    names: BTreeMap<&'a str, &'static str>,
    /// Resident outside every window; null where no window decides: then residents are oMLX's own affair.
    baseline: Option<Vec<&'a str>>,
    /// In the order of declaration; the latest started open one decides.
    windows: Vec<TableWindow<'a>>,
    /// `yes` on a machine of the gateway.
    machine_has_gateway: &'static str,
    /// The windows that rebind a slot, in the order of declaration: those that are open name the gateway's configuration.
    gateway: Vec<TableWindow<'a>>,
}

#[derive(Serialize)]
struct TableWindow<'a> {
    name: &'a str,
    /// Minutes of the day.
    start: u16,
    /// Minutes of the day; not after `start`: on the next day.
    end: u16,
    /// Digits of the weekdays on which it starts; 0 is Monday.
    days: String,
    /// The whole resident set meanwhile; null where the window says nothing of it.
    resident: Option<Vec<&'a str>>,
}

/// The table of a machine.
pub(super) fn table<'a>(fleet: &'a Fleet, machine: &'a Machine) -> String {
    let names: Vec<&Served> = fleet.engines_on(&machine.name).collect();
    let only = |wanted: &dyn Fn(&ServedName) -> bool| {
        names.iter().filter(|served| wanted(&served.name)).map(|served| served.name.as_str()).collect::<Vec<_>>()
    };
    let window = |schedule: &'a Schedule, resident: Option<Vec<&'a str>>| TableWindow {
        name: schedule.name.as_str(),
        start: schedule.window.start.minutes(),
        end: schedule.window.end.minutes(),
        days: schedule.days.iter().map(|day| char::from(b'0' + day as u8)).collect(),
        resident,
    };
    let windows = fleet.schedules_on(&machine.name).filter_map(|schedule| {
        let resident = schedule.resident.as_ref()?;
        Some(window(schedule, Some(only(&|name| resident.contains(name)))))
    });
    let has_gateway = fleet.gateway.as_ref().is_some_and(|gateway| gateway.on.contains(&machine.name));
    let rebinding = fleet.schedules.iter().filter(|schedule| has_gateway && !schedule.slots.is_empty());
    let baseline = || only(&|name| fleet.served.get(name).is_some_and(|served| served.is_resident_on(&machine.name)));
    let table = Table {
        schema: "fleetctl.schedule-table/1",
        machine: machine.name.as_str(),
        zone: fleet.timezone.name(),
        base: &machine.omlx.base,
        names: names
            .iter()
            .filter_map(|served| Some((served.name.as_str(), fleet.weights_of(&served.name)?.kind.as_str())))
            .collect(),
        baseline: fleet.has_windows(&machine.name).then(baseline),
        windows: windows.collect(),
        machine_has_gateway: if has_gateway { "yes" } else { "no" },
        gateway: rebinding.map(|schedule| window(schedule, None)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&table).unwrap_or_default();
    text.push('\n');
    text
}
