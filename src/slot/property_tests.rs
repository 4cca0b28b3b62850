//! What the resolver promises, on random fleets and random health.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Cursor, MachineHealth, Reach, Reason, Resolution, Snapshot, each_down, resolve, simulate};
use crate::fleet::{Balance, Fleet, MachineName, Rank, Slot, SlotKind, Spill, Weekdays};
use crate::schedule::fixture;

const MACHINES: usize = 4;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    prop::sample::subsequence(NAMES.to_vec(), 0..=4).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn health() -> impl Strategy<Value = Option<MachineHealth>> {
    let reach = prop_oneof![
        5 => Just(Reach::Up),
        1 => Just(Reach::Unreachable("refused".to_owned())),
        1 => Just(Reach::Unresponsive("timed out".to_owned())),
    ];
    let sets = (prop::option::of(names()), prop::option::of(names()), prop::option::weighted(0.1, names()));
    let flags = (prop::bool::weighted(0.9), prop::bool::weighted(0.15), prop::bool::weighted(0.05));
    let load = (prop::option::of(0_u32..12), prop::option::of(0_u32..3));
    let known = (reach, sets, flags, load).prop_map(
        |(reach, (listed, loaded, stale), (authorized, breaker_open, held), (running, waiting))| MachineHealth {
            reach,
            authorized,
            breaker_open,
            listed,
            loaded,
            stale: stale.unwrap_or_default(),
            running,
            waiting,
            held,
            held_names: BTreeSet::new(),
        },
    );
    prop::option::weighted(0.95, known)
}

/// A fleet whose slot `s` has a random route, and perhaps a window that rebinds it and changes residents of `m0` at any time of day.
fn world() -> impl Strategy<Value = (Fleet, Snapshot)> {
    let rank = (0..NAMES.len(), prop::sample::subsequence((0..MACHINES).collect::<Vec<_>>(), 1..=MACHINES));
    let route = prop::collection::vec(rank, 1..4);
    let policy =
        (prop::sample::select(Balance::ALL.to_vec()), prop::sample::select(Spill::ALL.to_vec()), any::<bool>());
    let window = prop::option::of((0..NAMES.len(), prop::option::of(prop::sample::select(NAMES.to_vec()))));
    (route, policy, window, prop::collection::vec(health(), MACHINES)).prop_map(|(route, policy, window, healths)| {
        let mut fleet = fixture::fleet_of("Europe/Berlin", MACHINES);
        let machine = |n: usize| MachineName::new(format!("m{n}")).expect("a name");
        let route = route.into_iter().map(|(name, machines)| Rank {
            served: fixture::served_name(NAMES[name]),
            machines: machines.into_iter().map(machine).collect(),
        });
        let slot = Slot {
            route: route.collect(),
            balance: policy.0,
            spill: policy.1,
            kind: if policy.2 { SlotKind::Embedding } else { SlotKind::Chat },
            ..fleet.slots.get("s").expect("the slot").clone()
        };
        fleet.slots.insert(slot);
        if let Some((rebound, resident)) = window {
            let resident = resident.map(|name| vec![name]);
            let mut window = fixture::schedule("w", &["m0"], ("00:00", "23:59"), Weekdays::DAILY, resident.as_deref());
            window.slots.push(fixture::rebinding("s", &[NAMES[rebound], "a"]));
            fleet.schedules = [window].into_iter().collect();
        }
        let machines = healths.into_iter().enumerate().filter_map(|(n, health)| Some((machine(n), health?))).collect();
        (fleet, Snapshot { taken_at: noon(), lease: None, machines })
    })
}

fn noon() -> Timestamp {
    "2026-11-23T11:00:00Z".parse().expect("a time")
}

fn ask<'a>(fleet: &'a Fleet, snapshot: &Snapshot, cursor: &Cursor) -> Resolution<'a> {
    resolve(fleet, fleet.slots.get("s").expect("the slot"), snapshot, noon(), cursor)
}

/// Whether a name on a machine could answer, written down straight from the rules, and whether it would have to wait there.
fn able(fleet: &Fleet, snapshot: &Snapshot, name: &str, machine: &str) -> Option<bool> {
    let slot = fleet.slots.get("s").expect("the slot");
    let model = |name: &str| fleet.served.get(name).expect("a name").model.clone();
    let health = snapshot.machines.get(machine)?;
    let window = fleet.schedules.get("w");
    let night = window.and_then(|window| window.resident.as_ref()).filter(|_| machine == "m0");
    let resident = night.map_or(name == "a", |names| names.iter().any(|other| *other == name));
    let fine = health.reach == Reach::Up
        && health.authorized
        && !health.breaker_open
        && !health.held
        && health.listed.as_ref().is_none_or(|names| names.contains(name))
        && !health.stale.contains(name)
        && (!resident || health.loaded.as_ref().is_none_or(|names| names.contains(name)))
        && (slot.kind != SlotKind::Embedding || model(name) == model(slot.route[0].served.as_str()));
    fine.then(|| health.running.unwrap_or(0) + health.waiting.unwrap_or(0) >= 8)
}

fn route_in_force(fleet: &Fleet) -> &[Rank] {
    let own = &fleet.slots.get("s").expect("the slot").route;
    fleet.schedules.get("w").map_or(own.as_slice(), |window| &window.slots[0].route)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The chosen one could answer, in the first rank that has one; nobody who could is passed over for a later rank; each candidate is told of once.
    #[test]
    fn chooses_from_the_first_rank_with_a_survivor((fleet, snapshot) in world()) {
        let slot = fleet.slots.get("s").expect("the slot");
        let resolution = ask(&fleet, &snapshot, &Cursor::default());
        let route = route_in_force(&fleet);
        let rank_of = |wanted: &dyn Fn(bool) -> bool| {
            route.iter().position(|rank| {
                rank.machines.iter().any(|machine| able(&fleet, &snapshot, rank.served.as_str(), machine.as_str()).is_some_and(wanted))
            })
        };
        let (any, free) = (rank_of(&|_| true), rank_of(&|full| !full));
        let expected = match slot.spill {
            Spill::Unreachable => any,
            Spill::Saturated => free.or(any),
        };
        match &resolution.choice {
            Some(choice) if expected.is_some() => {
                prop_assert_eq!(Some(choice.rank), expected);
                let full = able(&fleet, &snapshot, choice.served.name.as_str(), choice.machine.name.as_str());
                prop_assert!(full.is_some(), "{} could not answer", choice.machine.name);
                let free_here = route[choice.rank].machines.iter().any(|machine| {
                    able(&fleet, &snapshot, choice.served.name.as_str(), machine.as_str()) == Some(false)
                });
                prop_assert_eq!(full, Some(!free_here), "full is taken only when nobody of the rank is free");
                let first = &fleet.served.get(&route[0].served).expect("a name").model;
                prop_assert_eq!(choice.degraded.is_some(), *first != choice.served.model);
            }
            Some(choice) => {
                // Nobody survives: only an open breaker may be overlooked.
                let health = snapshot.of(&choice.machine.name).expect("it was asked");
                prop_assert!(health.breaker_open && health.reach == Reach::Up && !health.held);
            }
            None => prop_assert_eq!(expected, None),
        }
        if let Some(choice) = &resolution.choice {
            prop_assert_eq!(&snapshot.of(&choice.machine.name).expect("it was asked").reach, &Reach::Up, "never a machine that is down");
            if slot.kind == SlotKind::Embedding {
                let own = fleet.served.get(&slot.route[0].served).expect("a name");
                prop_assert_eq!(&own.model, &choice.served.model, "never another embedding space");
            }
        }
        let in_force = resolution.rejected.iter().filter(|other| other.reason != Reason::Window).count();
        let told = in_force + usize::from(resolution.choice.is_some());
        prop_assert_eq!(told, route.iter().map(|rank| rank.machines.len()).sum::<usize>());
        for other in resolution.rejected.iter().filter(|other| other.reason != Reason::Window) {
            let able = able(&fleet, &snapshot, other.served.name.as_str(), other.machine.name.as_str()).is_some();
            prop_assert_eq!(able, !other.reason.is_broken(), "{} is {}", other.machine.name, other.reason);
        }
    }

    /// The same snapshot, time and cursor give the same answer.
    #[test]
    fn is_deterministic((fleet, snapshot) in world()) {
        let again = (fleet.clone(), snapshot.clone());
        prop_assert_eq!(ask(&fleet, &snapshot, &Cursor::default()), ask(&again.0, &again.1, &Cursor::default()));
    }

    /// Round-robin is fair to within one, from wherever the cursor stands.
    #[test]
    fn round_robin_is_fair((fleet, snapshot) in world(), start in 0_usize..6, requests in 1_usize..40) {
        let mut fleet = fleet;
        let slot = Slot { balance: Balance::RoundRobin, ..fleet.slots.get("s").expect("the slot").clone() };
        fleet.slots.insert(slot);
        let mut cursor = Cursor::default();
        let rank = ask(&fleet, &snapshot, &cursor).choice.map(|choice| choice.rank);
        if let Some(rank) = rank {
            cursor.advance(rank, start);
        }
        let mut counts = [0_usize; MACHINES];
        let mut free = BTreeSet::new();
        for _ in 0..requests {
            let resolution = ask(&fleet, &snapshot, &cursor);
            let Some(choice) = &resolution.choice else { return Ok(()) };
            prop_assert_eq!(Some(choice.rank), rank, "the rank does not depend on whose turn it is");
            let place: usize = choice.machine.name.as_str()[1..].parse().expect("a number");
            counts[place] += 1;
            let in_turn = resolution.rejected.iter().filter(|other| other.reason == Reason::NotItsTurn && other.rank == choice.rank);
            free.extend(in_turn.map(|other| other.machine.name.as_str()[1..].parse::<usize>().expect("a number")));
            free.insert(place);
            cursor.advance(choice.rank, choice.place);
        }
        let mine: Vec<usize> = free.iter().map(|place| counts[*place]).collect();
        let (least, most) = (mine.iter().min().expect("one"), mine.iter().max().expect("one"));
        prop_assert!(most - least <= 1, "{counts:?}");
    }

    /// Least-busy never takes a machine while another of the rank's survivors has less to do.
    #[test]
    fn least_busy_is_least_busy((fleet, snapshot) in world(), start in 0_usize..6) {
        let mut fleet = fleet;
        let slot = Slot { balance: Balance::LeastBusy, ..fleet.slots.get("s").expect("the slot").clone() };
        fleet.slots.insert(slot);
        let mut cursor = Cursor::default();
        cursor.advance(0, start);
        let resolution = ask(&fleet, &snapshot, &cursor);
        let Some(choice) = &resolution.choice else { return Ok(()) };
        let busy = |machine: &MachineName| snapshot.of(machine).map_or(0, MachineHealth::in_flight);
        for other in resolution.rejected.iter().filter(|other| other.reason == Reason::NotItsTurn && other.rank == choice.rank) {
            prop_assert!(busy(&choice.machine.name) <= busy(&other.machine.name));
        }
    }

    /// A simulation of each machine in turn says what simulating it alone says, the worst first.
    #[test]
    fn each_down_is_every_single_one((fleet, _) in world()) {
        let all = each_down(&fleet, noon());
        prop_assert_eq!(all.len(), MACHINES);
        for scenario in &all {
            prop_assert_eq!(scenario, &simulate(&fleet, &[scenario.down[0].name.clone()], noon()));
        }
        prop_assert!(all.is_sorted_by(|one, next| one.damage() >= next.damage()));
    }
}
