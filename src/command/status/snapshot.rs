//! What the resolver service believes, as a document of status: the part that HTTP alone can tell. The rest is unknown, and shown so.

use std::collections::BTreeSet;

use super::alert::{self, alert};
use super::fleet::transitions;
use crate::fleet::{Fleet, Machine};
use crate::schedule::Moment;
use crate::slot::{MachineHealth, Reach as Reached, Snapshot};
use crate::ui::Commands;
use crate::ui::json::{
    Alert, Drift, MachineStatus, MemoryStatus, OmlxStatus, Reach, ServedStatus, SlotStatus, StatusDocument,
    TransactionStatus, WorkStatus,
};

/// The document of a snapshot, with the slots as they would be answered now. A machine that was not asked yet is left out.
pub(in crate::command) fn of_snapshot(
    fleet: &Fleet,
    snapshot: &Snapshot,
    slots: Vec<SlotStatus>,
    now: jiff::Timestamp,
) -> StatusDocument {
    let moment = Moment::new(fleet, now);
    let machines: Vec<&Machine> = fleet.machines.iter().collect();
    let of_machine = |machine: &&Machine| Some(of_machine(fleet, &moment, machine, snapshot.of(&machine.name)?));
    StatusDocument {
        // The page is read by whoever, on whatever computer: the resolver's own `-f` is none of his.
        commands: Commands::default(),
        schema: "fleetctl.status/1",
        fleet: fleet.name.clone(),
        taken_at: now.to_string(),
        machines: machines.iter().filter_map(of_machine).collect(),
        slots,
        // Of its jobs only the machine itself can tell.
        jobs: Vec::new(),
        transitions: transitions(fleet, &machines, now),
    }
}

fn of_machine(fleet: &Fleet, moment: &Moment<'_>, machine: &Machine, health: &MachineHealth) -> MachineStatus {
    let up = Some(health).filter(|health| health.reach == Reached::Up);
    let (reach, omlx, detail) = match &health.reach {
        Reached::Up => ("up", if health.held { "held" } else { "running" }, None),
        Reached::Unreachable(said) => ("unreachable", "unknown", Some(said.clone())),
        Reached::Unresponsive(said) => ("up", "unresponsive", Some(said.clone())),
    };
    let served = served(fleet, moment, machine, up);
    let alerts = alerts(health, &served);
    MachineStatus {
        name: machine.name.to_string(),
        tier: machine.tier.as_ref().map(ToString::to_string),
        reach: Reach { state: reach, path: None, detail },
        macos: None,
        omlx: OmlxStatus { state: omlx, version: None, pid: None, uptime_seconds: None, restarts: None },
        undeclared: undeclared(&served, up.and_then(|health| health.listed.as_ref())),
        served,
        memory: MemoryStatus::default(),
        drift: Drift { state: "unknown", changes: None },
        transaction: TransactionStatus { state: None, generation: None, at: None },
        alerts,
        work: WorkStatus {
            running: up.and_then(|health| health.running).map(u64::from),
            waiting: up.and_then(|health| health.waiting).map(u64::from),
            ..WorkStatus::default()
        },
        // Of its other daemons only the machine itself can tell.
        services: Vec::new(),
    }
}

fn served(fleet: &Fleet, moment: &Moment<'_>, machine: &Machine, health: Option<&MachineHealth>) -> Vec<ServedStatus> {
    let resident = moment.state(machine).resident;
    let holds = |names: Option<&BTreeSet<String>>, name: &str| names.map(|names| names.contains(name));
    fleet
        .served_on(&machine.name)
        .map(|served| {
            let name = served.name.as_str();
            ServedStatus {
                name: name.to_owned(),
                model: served.model.to_string(),
                profile: served.profile.to_string(),
                listed: holds(health.and_then(|health| health.listed.as_ref()), name),
                loaded: holds(health.and_then(|health| health.loaded.as_ref()), name),
                pinned: None,
                size_bytes: None,
                is_loading: false,
                is_resident: resident.iter().any(|other| other.name == served.name),
                is_held: health.is_some_and(|health| health.held_names.contains(served.name.engine())),
                last_use: None,
            }
        })
        .collect()
}

fn undeclared(served: &[ServedStatus], listed: Option<&BTreeSet<String>>) -> Vec<String> {
    let is_declared = |name: &String| served.iter().any(|served| served.name == *name);
    listed.into_iter().flatten().filter(|name| !is_declared(name)).cloned().collect()
}

fn alerts(health: &MachineHealth, served: &[ServedStatus]) -> Vec<Alert> {
    let mut all = Vec::new();
    match &health.reach {
        Reached::Up => {}
        Reached::Unreachable(said) => all.push(alert(&alert::UNREACHABLE, said.clone())),
        Reached::Unresponsive(said) => {
            all.push(alert(&alert::OMLX_UNRESPONSIVE, format!("oMLX does not answer soundly: {said}")));
        }
    }
    if health.breaker_open {
        let waits = "answers again; slots leave it out until it has answered for a while";
        all.push(alert(&alert::OMLX_UNRESPONSIVE, waits));
    }
    if !health.authorized {
        all.push(alert(&alert::OMLX_KEY_REFUSED, "requests for it fail until that is mended"));
    }
    for served in served.iter().filter(|_| health.reach == Reached::Up) {
        if served.listed == Some(false) {
            let message = format!("{} is declared, and oMLX does not list it", served.name);
            all.push(alert(&alert::NAME_NOT_LISTED, message));
        } else if served.is_resident && served.loaded == Some(false) && !served.is_held {
            all.push(alert(&alert::RESIDENT_NOT_LOADED, format!("{} is resident and is not loaded", served.name)));
        }
    }
    all
}
