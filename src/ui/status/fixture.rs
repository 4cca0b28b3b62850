//! A document with a bit of everything: a machine that is well, one that is short of room, one that says hostile things, one that is gone.

use crate::plan::JobState;
use crate::ui::Commands;
use crate::ui::json::{
    Alert, Drift, HeadroomStatus, JobRun, JobStatus, MachineStatus, MemoryStatus, OmlxStatus, Reach, ServedStatus,
    ServiceState, ServiceStatus, SlotStatus, StatusDocument, Step, TransactionStatus, TransitionStatus, WorkStatus,
};

const GIB: u64 = 1 << 30;
/// 2026-11-23 12:00 in New York.
pub(in crate::ui) const NOW: i64 = 1_795_453_200;

pub(in crate::ui) fn document() -> StatusDocument {
    StatusDocument {
        commands: Commands::default(),
        schema: "fleetctl.status/1",
        fleet: "home".to_owned(),
        taken_at: "2026-11-23T17:00:00Z".to_owned(),
        machines: vec![studio(), medium(), hostile(), gone()],
        slots: vec![
            slot("extract-fast", "degraded", "extract-2b on mac-mini1", "extract-2b on mac-mini2 unreachable"),
            slot("chat-interactive", "ok", "moe-dflash on mac-studio1", ""),
            slot("embed-fast", "down", "", "no candidate: embed-fast on mac-mini2 unreachable"),
        ],
        jobs: vec![job("nightly-extract", "mac-mini1", Some(3)), job("reindex", "mac-mini2", None)],
        transitions: vec![TransitionStatus {
            at: "2026-11-24T03:00:00Z".to_owned(),
            machine: "mac-studio1".to_owned(),
            load: vec!["dense-synth".to_owned()],
            unload: vec!["moe-dflash".to_owned(), "moe-batched".to_owned()],
        }],
    }
}

fn studio() -> MachineStatus {
    let mut machine = up("mac-studio1", "heavy", 96, 36, 79, [42, 30, 12]);
    machine.served = vec![
        served("moe-batched", true, 19, Some(4)),
        served("moe-dflash", true, 17, Some(780)),
        served("dense-synth", false, 0, None),
    ];
    machine.services = vec![service("gateway", ServiceState::Running, "http://mac-studio1.lab.ts.net:4000")];
    machine.work = WorkStatus {
        running: Some(3),
        waiting: Some(1),
        prompt_tokens: Some(120_000),
        completion_tokens: Some(45_000),
        average_tps: Some(61.4),
    };
    machine
}

fn medium() -> MachineStatus {
    let mut machine = up("mac-mini3", "medium", 64, 40, 48, [3, -5, 9]);
    machine.served =
        vec![served("dense-librarian", true, 28, Some(7_300)), served("embed-fast", true, 1, Some(90_000))];
    machine.drift = Drift { state: "drifted", changes: Some(2) };
    machine.omlx.restarts = Some(2);
    machine.memory.pressure = Some("warn");
    machine.alerts = vec![
        alert("memory-pressure", "warning", "macOS is under memory pressure", None),
        alert("drifted", "warning", "2 changes to what the file says: fleetctl plan --on mac-mini3", Some(Step::Plan)),
    ];
    machine
}

fn hostile() -> MachineStatus {
    let mut machine = up("mac-mini1", "edge", 16, 2, 11, [9, 8, 5]);
    machine.served = vec![served("extract-2b", true, 2, Some(61))];
    machine.undeclared = vec!["<script>\u{1b}[2J\"\\".to_owned()];
    machine.alerts =
        vec![alert("undeclared-name", "note", "serves what the file does not declare: <script>\u{1b}[2J\"\\", None)];
    machine
}

fn gone() -> MachineStatus {
    let said = "cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection refused";
    let hints = vec!["on mac-mini2: System Settings, General, Sharing, Remote Login must be on".to_owned()];
    MachineStatus {
        name: "mac-mini2".to_owned(),
        tier: Some("edge".to_owned()),
        reach: Reach { state: "unreachable", path: None, detail: Some(said.to_owned()) },
        macos: None,
        omlx: OmlxStatus { state: "unknown", version: None, pid: None, uptime_seconds: None, restarts: None },
        served: vec![ServedStatus {
            listed: None,
            loaded: None,
            size_bytes: None,
            ..served("extract-2b", false, 0, None)
        }],
        undeclared: Vec::new(),
        memory: MemoryStatus::default(),
        drift: Drift { state: "unknown", changes: None },
        transaction: TransactionStatus { state: None, generation: None, at: None },
        alerts: vec![Alert { hints, ..alert("unreachable", "error", said, Some(Step::Doctor)) }],
        work: WorkStatus::default(),
        services: vec![service("resolver", ServiceState::Unknown, "http://127.0.0.1:4100")],
    }
}

fn up(name: &str, tier: &str, total: u64, used: u64, limit: u64, rooms: [i64; 3]) -> MachineStatus {
    let gib = |count: i64| Some(count << 30);
    MachineStatus {
        name: name.to_owned(),
        tier: Some(tier.to_owned()),
        reach: Reach { state: "up", path: Some("tailnet"), detail: None },
        macos: Some("15.6.1".to_owned()),
        omlx: OmlxStatus {
            state: "running",
            version: Some("0.3.8".to_owned()),
            pid: Some(411),
            uptime_seconds: Some(266_400),
            restarts: Some(0),
        },
        served: Vec::new(),
        undeclared: Vec::new(),
        memory: MemoryStatus {
            total_bytes: Some(total * GIB),
            available_bytes: Some(total * GIB / 4),
            swap_used_bytes: Some(0),
            pressure: Some("normal"),
            gpu_limit_bytes: Some(limit * GIB),
            gpu_limit_source: Some("estimated"),
            omlx_limit_bytes: Some(limit * GIB),
            omlx_used_bytes: Some(used * GIB),
            headroom: HeadroomStatus {
                load_bytes: gib(rooms[0]),
                context_bytes: gib(rooms[1]),
                system_bytes: gib(rooms[2]),
            },
            budget_bytes: Some(limit * GIB),
        },
        drift: Drift { state: "in-sync", changes: Some(0) },
        transaction: TransactionStatus { state: Some("committed"), generation: Some(4), at: None },
        alerts: Vec::new(),
        work: WorkStatus { running: Some(0), waiting: Some(0), ..WorkStatus::default() },
        services: Vec::new(),
    }
}

fn service(name: &'static str, state: ServiceState, url: &str) -> ServiceStatus {
    ServiceStatus { name, state, url: url.to_owned() }
}

fn served(name: &str, loaded: bool, gib: u64, idle: Option<i64>) -> ServedStatus {
    ServedStatus {
        name: name.to_owned(),
        model: "a-model".to_owned(),
        profile: "a-profile".to_owned(),
        listed: Some(true),
        loaded: Some(loaded),
        pinned: Some(false),
        size_bytes: Some(gib * GIB),
        is_loading: false,
        is_resident: loaded,
        is_held: false,
        last_use: idle.map(|idle| NOW - idle),
    }
}

fn alert(code: &'static str, severity: &'static str, message: &str, next: Option<Step>) -> Alert {
    Alert { code, severity, message: message.to_owned(), hints: Vec::new(), next, unit: None }
}

fn slot(name: &str, state: &'static str, goes_to: &str, reason: &str) -> SlotStatus {
    SlotStatus {
        name: name.to_owned(),
        state,
        target: None,
        reason: reason.to_owned(),
        goes_to: Some(goes_to.to_owned()).filter(|to| !to.is_empty()),
        rank: (state != "down").then_some(usize::from(state == "degraded")),
    }
}

fn job(name: &str, machine: &str, exit: Option<i64>) -> JobStatus {
    let run =
        |exit| JobRun { started_at: Some("2026-11-23T07:00:00Z".to_owned()), exit: Some(exit), seconds: Some(312.5) };
    JobStatus {
        name: name.to_owned(),
        machine: machine.to_owned(),
        last: exit.map(run),
        next_at: Some("2026-11-24T07:00:00Z".to_owned()),
        state: exit.map(|_| JobState::Failed),
    }
}
