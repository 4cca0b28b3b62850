//! The whole file: its tables in the order of their references.

use std::time::Duration;

use super::machines::Inherited;
use super::selectors::Machines;
use super::slots::Routes;
use super::values::{self, OUT_OF_RANGE, Problems};
use super::view::View;
use super::{
    candidates, context, dflash, engine, exposed, fields, findings, jobs, kinds, machines, memory, models, names,
    ports, profiles, schedules, secrets, selectors, serve, services, settings, shadow, slots, windows,
};
use crate::config::canonical::canonical;
use crate::config::node::Table;
use crate::config::raw::{RawFile, RawMachine};
use crate::config::read::{self, Map};
use crate::config::syntax;
use crate::diagnostic::{self, Code, Problem, Severity};
use crate::fleet::{Fleet, Placement, Zone};

/// Every code of this room.
pub(crate) fn codes() -> Vec<&'static Code> {
    [
        &syntax::CODES[..],
        &read::CODES,
        &values::CODES,
        &names::CODES,
        &selectors::CODES,
        &secrets::CODES,
        &engine::CODES,
        &models::CODES,
        &fields::CODES,
        &settings::CODES,
        &dflash::CODES,
        &kinds::CODES,
        &serve::CODES,
        &exposed::CODES,
        &slots::CODES,
        &schedules::CODES,
        &windows::CODES,
        &memory::CODES,
        &context::CODES,
        &candidates::CODES,
        &services::CODES,
        &ports::CODES,
        &shadow::CODES,
    ]
    .concat()
    .into_iter()
    .chain(findings::codes())
    .collect()
}

/// Whether a problem says that something is missing, which may stand in a part of the file that could not be read.
pub(crate) fn may_follow_from_a_gap(code: &Code) -> bool {
    let rules_over_tables = [
        &dflash::CODES[..],
        &kinds::CODES,
        &exposed::CODES,
        &windows::CODES,
        &slots::CODES,
        &schedules::CODES,
        &memory::CODES,
        &context::CODES,
        &candidates::CODES,
    ]
    .concat();
    let missing = [&read::MISSING_KEY, &names::UNKNOWN_REFERENCE, &engine::OPEN_WITHOUT_KEY];
    let unserved = [&serve::RESIDENT_ELSEWHERE, &shadow::CLOUD_NOT_ALLOWED, &ports::PORT_USED_TWICE];
    let all = [&rules_over_tables[..], &missing, &selectors::CODES, &unserved].concat();
    all.iter().any(|known| known.id == code.id)
}

/// How long a machine may take to become healthy, when the file does not say (fleet.toml, [fleet].gate).
const DEFAULT_GATE: Duration = Duration::from_mins(10);

/// The fleet as far as it is sound. It is the fleet of the file only when no problem is an error.
pub(crate) fn fleet(raw: &RawFile, tree: &Table, problems: &mut Problems) -> Option<Fleet> {
    if let Some(schema) = raw.schema.as_ref().filter(|schema| schema.value != 1) {
        problems.push(
            Problem::at(&OUT_OF_RANGE, schema.span.clone(), format!("schema {} is not known", schema.value))
                .help("this fleetctl reads schema = 1"),
        );
    }
    let table = raw.fleet.as_ref();
    let leaf =
        |get: fn(&crate::config::raw::RawFleet) -> Option<&crate::config::node::Spanned<String>>| table.and_then(get);
    let name = values::text(leaf(|fleet| fleet.name.as_ref()), 64, "fleet.name", problems);
    let timezone = values::zone(leaf(|fleet| fleet.timezone.as_ref()), "fleet.timezone", problems);
    let tailnet = values::host(leaf(|fleet| fleet.tailnet.as_ref()), "fleet.tailnet", problems);
    let user = values::user(leaf(|fleet| fleet.user.as_ref()), "fleet.user", problems);
    let home = values::path(leaf(|fleet| fleet.home.as_ref()), false, "fleet.home", problems);
    let gate = values::duration(leaf(|fleet| fleet.gate.as_ref()), "fleet.gate", problems).unwrap_or(DEFAULT_GATE);
    let keep_connection =
        values::duration(leaf(|fleet| fleet.keep_connection.as_ref()), "fleet.keep_connection", problems);

    // A stand-in lets the later stages look at the rest of the file; the zone's own problem keeps the fleet from being used.
    let timezone = timezone.or_else(|| Zone::new("UTC").ok())?;
    let omlx = raw.omlx.as_ref().map(|omlx| engine::parts(omlx, "omlx", problems)).unwrap_or_default();
    let inherited = Inherited {
        tailnet: tailnet.as_deref(),
        user: user.as_deref(),
        home: home.as_deref(),
        timezone: &timezone,
        omlx: &omlx,
    };
    let machines = machines::machines(raw, &inherited, problems);
    let no_machines: Map<RawMachine> = Map::default();
    let selectable = Machines { sound: &machines, raw: raw.machines.as_ref().unwrap_or(&no_machines) };
    let weights = models::models(raw, problems);
    let profiles = profiles::profiles(raw, problems);
    let served = serve::served(raw, &selectable, problems);
    let routes = Routes { file: raw, machines: &selectable, served: &served, weights: &weights };
    let slots = slots::slots(&routes, problems);
    let schedules = schedules::schedules(&routes, &selectable, problems);
    let jobs = jobs::jobs(raw, &selectable, problems);
    let gateway = raw.gateway.as_ref().and_then(|gateway| services::gateway(gateway, &selectable, problems));
    let resolver = raw.resolver.as_ref().and_then(|resolver| services::resolver(resolver, &selectable, problems));
    let hub = raw.hub.as_ref().and_then(|hub| services::hub(hub, &selectable, problems));
    let shadows = shadow::shadows(raw, problems);
    let fleet = Fleet {
        name: name.unwrap_or_default(),
        timezone,
        tailnet,
        gate,
        keep_connection,
        machines,
        weights,
        profiles,
        served,
        slots,
        schedules,
        jobs,
        gateway,
        resolver,
        hub,
        shadows,
        canonical: canonical(tree),
        placement: Placement::default(),
    };
    let view = View { raw, tree, fleet: &fleet, release: omlx.release };
    ports::check(view, problems);
    settings::check(view, problems);
    fields::check(view, problems);
    kinds::check(view, problems);
    exposed::check(view, problems);
    dflash::check(view, problems);
    windows::check(view, problems);
    let rooms = memory::Room::all(view);
    memory::check(view, &rooms, problems);
    candidates::check(view, &rooms, problems);
    context::check(view, &rooms, problems);
    findings::check(view, problems);
    // Notes are for a file that works: beside errors they would only hide them.
    if diagnostic::has_errors(problems) {
        problems.retain(|problem| problem.severity() > Severity::Note);
    }
    Some(fleet)
}
