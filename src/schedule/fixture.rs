//! Small fleets for the tests of time.

use crate::fleet::{
    Address, Bind, Bytes, Declared, Engine, Fleet, Job, JobName, Machine, MachineName, Placement, Profile, ProfileName,
    Rank, Rebinding, Release, Schedule, ScheduleName, Served, ServedName, Slot, SlotKind, SlotName, Weekdays, Weights,
    WeightsKind, WeightsName, Window, Zone,
};

/// A fleet without schedules: machines `m0` and `m1`; names `a` to `d` on both, `a` resident; slot `s` to `a`, slot `t` to `b` then `a`.
pub(crate) fn fleet(zone: &str) -> Fleet {
    fleet_of(zone, 2)
}

/// The same with so many machines.
pub(crate) fn fleet_of(zone: &str, machines: usize) -> Fleet {
    let timezone = Zone::new(zone).expect("a zone");
    let machines: Declared<Machine> = (0..machines).map(|n| machine(&format!("m{n}"), &timezone)).collect();
    let on: Vec<MachineName> = machines.iter().map(|machine| machine.name.clone()).collect();
    let weights: Declared<Weights> =
        (1..=4).zip(["wa", "wb", "wc", "wd"]).map(|(size, name)| weights(name, size)).collect();
    let profile = Profile { name: ProfileName::new("p").expect("a name"), fields: [].into(), drafts: [].into() };
    let served = ["a", "b", "c", "d"].into_iter().map(|name| Served {
        name: served_name(name),
        model: WeightsName::new(format!("w{name}")).expect("a name"),
        profile: profile.name.clone(),
        on: on.clone(),
        resident_on: if name == "a" { on.clone() } else { Vec::new() },
        ttl: None,
        concurrency: 1,
    });
    Fleet {
        name: "home".to_owned(),
        gate: std::time::Duration::from_mins(10),
        tailnet: Some("example.ts.net".to_owned()),
        keep_connection: None,
        weights,
        served: served.collect(),
        profiles: [profile].into_iter().collect(),
        slots: [slot("s", &["a"], &on), slot("t", &["b", "a"], &on)].into_iter().collect(),
        schedules: Declared::default(),
        jobs: Declared::default(),
        gateway: None,
        resolver: None,
        hub: None,
        shadows: Declared::default(),
        canonical: serde_json::Value::Null,
        placement: Placement::default(),
        machines,
        timezone,
    }
}

pub(crate) fn served_name(name: &str) -> ServedName {
    ServedName::new(name).expect("a name")
}

pub(crate) fn route(names: &[&str], on: &[MachineName]) -> Vec<Rank> {
    names.iter().map(|name| Rank { served: served_name(name), machines: on.to_vec() }).collect()
}

/// A window of machine `on`: its resident set, and slot `s` rebound to those names where `rebinds`.
pub(crate) fn schedule(
    name: &str,
    on: &[&str],
    window: (&str, &str),
    days: Weekdays,
    resident: Option<&[&str]>,
) -> Schedule {
    Schedule {
        name: ScheduleName::new(name).expect("a name"),
        on: on.iter().map(|name| MachineName::new(*name).expect("a name")).collect(),
        window: Window { start: window.0.parse().expect("a time"), end: window.1.parse().expect("a time") },
        days,
        resident: resident.map(|names| names.iter().map(|name| served_name(name)).collect()),
        slots: Vec::new(),
    }
}

pub(crate) fn rebinding(slot: &str, names: &[&str]) -> Rebinding {
    let on = [MachineName::new("m0").expect("a name")];
    Rebinding { slot: SlotName::new(slot).expect("a name"), route: route(names, &on) }
}

pub(crate) fn job(name: &str, at: &str, days: Weekdays) -> Job {
    Job {
        name: JobName::new(name).expect("a name"),
        on: vec![MachineName::new("m0").expect("a name")],
        at: at.parse().expect("a time"),
        days,
        run: vec!["/bin/true".to_owned()],
        slot: None,
        user: None,
        environment: [].into(),
        timeout: None,
    }
}

fn slot(name: &str, names: &[&str], on: &[MachineName]) -> Slot {
    Slot {
        name: SlotName::new(name).expect("a name"),
        kind: SlotKind::Chat,
        route: route(names, on),
        balance: crate::fleet::Balance::default(),
        spill: crate::fleet::Spill::default(),
        timeout: None,
        allow_cloud: false,
        expect: crate::fleet::Expectation::default(),
    }
}

fn weights(name: &str, gib: u64) -> Weights {
    Weights {
        name: WeightsName::new(name).expect("a name"),
        directory: name.to_owned(),
        size: Bytes::gib(gib),
        kind: WeightsKind::Llm,
        dimensions: None,
    }
}

fn machine(name: &str, zone: &Zone) -> Machine {
    Machine {
        name: MachineName::new(name).expect("a name"),
        tier: None,
        chip: "M4".to_owned(),
        memory: Bytes::gib(64),
        cores: None,
        address: Address::Tailnet(format!("{name}.example.ts.net")),
        lan: None,
        ssh_port: None,
        tailnet_ip: None,
        user: "ops".to_owned(),
        home: "/Users/ops".to_owned(),
        timezone: zone.clone(),
        gpu_limit: None,
        note: None,
        omlx: Engine {
            release: Release::V0_3_8,
            program: "/opt/homebrew/bin/omlx".to_owned(),
            bind: Bind::All,
            port: 8000,
            base: "/Users/ops/.omlx".to_owned(),
            weights: "/Users/ops/models".to_owned(),
            api_key: None,
            environment: [].into(),
            settings: [].into(),
        },
    }
}
