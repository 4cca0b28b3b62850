//! The pure parts on generated fleets of 4, 100 and 1,000 machines: `cargo bench --bench pure`. Each should take ten times as long for ten times the machines.

mod generated;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fleetctl::capacity;
use fleetctl::config;
use fleetctl::fleet::{Fleet, Machine};
use fleetctl::observe::{Ask, AskFile, Contents, Observed, Path, observed};
use fleetctl::plan::{Input, Lineage, plan_machine};
use fleetctl::render::{Bundle, Values, bundle};
use fleetctl::slot::{self, Cursor, Snapshot};
use jiff::Timestamp;

const SIZES: [usize; 3] = [4, 100, 1000];

fn bench(criterion: &mut Criterion) {
    let at: Timestamp = "2026-11-23T07:00:00Z".parse().expect("a time");
    for machines in SIZES {
        let text = generated::text(machines);
        let fleet = generated::fleet(&text);
        let mut each = |name: &str, work: &mut dyn FnMut()| {
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Elements(machines as u64));
            group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
            group.bench_function(BenchmarkId::from_parameter(machines), |bencher| bencher.iter(&mut *work));
            group.finish();
        };
        each("check", &mut || drop(black_box(config::load("fleet.toml", &text))));
        each("render", &mut || drop(black_box(bundles(&fleet))));
        each("check and render", &mut || drop(black_box(bundles(&generated::fleet(&text)))));

        let known: Vec<(&Machine, Bundle, Observed)> = fleet
            .machines
            .iter()
            .zip(bundles(&fleet))
            .map(|(machine, bundle)| {
                let observed = empty(machine, &bundle, at);
                (machine, bundle, observed)
            })
            .collect();
        each("plan", &mut || known.iter().for_each(|known| plan(&fleet, known, at)));

        let snapshot = Snapshot::offline(&fleet, at);
        each("resolve", &mut || {
            let moment = fleetctl::schedule::Moment::new(&fleet, at);
            for slot in fleet.slots.iter() {
                drop(black_box(slot::resolve_in(&moment, slot, &snapshot, &Cursor::default())));
            }
        });
        each("simulate --each", &mut || drop(black_box(slot::each_down(&fleet, at))));
        each("capacity", &mut || {
            for machine in fleet.machines.iter() {
                drop(black_box(capacity::assess(&fleet, machine, None)));
            }
        });
    }
}

fn bundles(fleet: &Fleet) -> Vec<Bundle> {
    fleet.machines.iter().map(|machine| bundle(fleet, machine)).collect()
}

/// A machine with oMLX and nothing of ours: the largest plan that there is.
fn empty(machine: &Machine, bundle: &Bundle, at: Timestamp) -> Observed {
    let ask = Ask {
        files: bundle
            .entries
            .iter()
            .map(|entry| AskFile { path: entry.path.clone(), contents: Contents::Always, private: false })
            .collect(),
        labels: Vec::new(),
        ports: vec![machine.omlx.port],
        weights: Vec::new(),
        weights_directory: machine.omlx.weights.clone(),
        base: machine.omlx.base.clone(),
        program: machine.omlx.program.clone(),
        programs: Vec::new(),
        url: "http://127.0.0.1:8000".to_owned(),
        tailnet_ip: false,
        checkup: false,
        within: Duration::from_secs(20),
    };
    let said = b"\n@@n stat\n\n@@n program\npresent\n\n@@n disabled\n\n@@n lsof\n\n@@n end\n";
    observed(&machine.name, Path::Tailnet, at, &ask, said, "n")
}

fn plan(fleet: &Fleet, (machine, bundle, observed): &(&Machine, Bundle, Observed), at: Timestamp) {
    let plan = plan_machine(&Input {
        fleet,
        machine,
        bundle,
        observed,
        values: &Values::default(),
        now: at,
        lineage: &Lineage::Unknown,
        allow_older: false,
    });
    assert!(!plan.changes.is_empty(), "{}: {:?}", machine.name, plan.detail);
    drop(black_box(plan));
}

criterion_group!(pure, bench);
criterion_main!(pure);
