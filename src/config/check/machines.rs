//! `[machines.NAME]`.

use super::engine::{self, OPEN_WITHOUT_KEY, Parts};
use super::names;
use super::values::{self, Problems, quoted};
use crate::config::raw::{RawFile, RawMachine};
use crate::config::read::{MISSING_KEY, Map, RawTable as _};
use crate::config::wording::shortened;
use crate::diagnostic::Problem;
use crate::fleet::{Address, Bind, Declared, Machine, MachineName, TierLabel, Zone};

/// What machines inherit.
pub(crate) struct Inherited<'a> {
    pub(crate) tailnet: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    pub(crate) home: Option<&'a str>,
    pub(crate) timezone: &'a Zone,
    pub(crate) omlx: &'a Parts,
}

/// All sound machines.
pub(crate) fn machines(raw: &RawFile, from: &Inherited<'_>, problems: &mut Problems) -> Declared<Machine> {
    let mut sound = Declared::default();
    inherited(raw, problems);
    for (key, span, machine) in raw.machines.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a machine", MachineName::new, problems);
        if let Some(machine) = machine.and_then(|raw_machine| one(name, key, raw_machine, raw, from, problems)) {
            sound.insert(machine);
        }
    }
    sound
}

/// What neither the fleet nor a machine says: once, where the fewest words mend it.
fn inherited(raw: &RawFile, problems: &mut Problems) {
    let lacking = |says: &dyn Fn(&RawMachine) -> bool| -> Vec<(&str, &std::ops::Range<usize>)> {
        let all = raw.machines.iter().flat_map(Map::iter);
        all.filter(|(_, _, machine)| machine.is_some_and(|machine| !says(machine)))
            .map(|(name, span, _)| (name, span))
            .collect()
    };
    let mut say = |lacking: Vec<(&str, &std::ops::Range<usize>)>, what: &str, help: &str| {
        if let Some((first, span)) = lacking.first() {
            let others = match lacking.len() {
                1 => String::new(),
                2 => ", nor has 1 other machine".to_owned(),
                many => format!(", nor have {} other machines", many - 1),
            };
            problems.push(
                Problem::at(
                    &MISSING_KEY,
                    (*span).clone(),
                    format!("machines.{} has no {what}{others}", shortened(first)),
                )
                .help(help),
            );
        }
    };
    let fleet = raw.fleet.as_ref();
    if fleet.is_some_and(|fleet| !fleet.names("tailnet")) {
        let help = "give the fleet its `tailnet`, or each machine its `address`";
        say(lacking(&|machine| machine.names("address")), "address", help);
    }
    if fleet.is_some_and(|fleet| !fleet.names("user")) {
        say(lacking(&|machine| machine.names("user")), "user", "give the fleet its `user`, or each machine its own");
    }
    if raw.omlx.as_ref().is_some_and(|omlx| !omlx.names("version")) {
        let says = |machine: &RawMachine| machine.omlx.as_ref().is_some_and(|omlx| omlx.names("version"));
        say(lacking(&says), "release of oMLX", "give [omlx] its `version`");
    }
}

fn one(
    name: Option<MachineName>,
    key: &str,
    raw: &RawMachine,
    file: &RawFile,
    from: &Inherited<'_>,
    problems: &mut Problems,
) -> Option<Machine> {
    let before = problems.len();
    let what = |field: &str| format!("machines.{key}.{field}");
    let tier =
        raw.tier.as_ref().and_then(|tier| names::name(&tier.value, &tier.span, "a tier", TierLabel::new, problems));
    let chip = values::text(raw.chip.as_ref(), 64, &what("chip"), problems);
    let memory = values::size(raw.memory.as_ref(), &what("memory"), problems);
    let cores = values::count(raw.cores.as_ref(), &what("cores"), problems);
    let lan = values::host(raw.lan.as_ref(), &what("lan"), problems);
    let gpu_limit = values::size(raw.gpu_limit.as_ref(), &what("gpu_limit"), problems);
    if let (Some(limit), Some(memory), Some(leaf)) = (gpu_limit, memory, &raw.gpu_limit)
        && limit > memory
    {
        problems.push(Problem::at(
            &values::OUT_OF_RANGE,
            leaf.span.clone(),
            format!("{} is more than the machine's memory ({memory})", what("gpu_limit")),
        ));
    }
    let note = values::text(raw.note.as_ref(), 500, &what("note"), problems);
    let ssh_port = values::port(raw.ssh_port.as_ref(), &what("ssh_port"), problems);
    let tailnet_ip = values::ip(raw.tailnet_ip.as_ref(), &what("tailnet_ip"), problems);
    let own_user = values::user(raw.user.as_ref(), &what("user"), problems);
    let own_home = values::path(raw.home.as_ref(), false, &what("home"), problems);
    let own_zone = values::zone(raw.timezone.as_ref(), &what("timezone"), problems);
    let own = raw.omlx.as_ref().map(|omlx| engine::parts(omlx, &what("omlx"), problems)).unwrap_or_default();

    let address = match raw.address.as_ref() {
        Some(leaf) if leaf.value == "local" => Some(Address::Local),
        Some(_) => values::host(raw.address.as_ref(), &what("address"), problems).map(Address::Explicit),
        None => from.tailnet.map(|tailnet| Address::Tailnet(format!("{key}.{tailnet}"))),
    };
    let user = own_user.as_deref().or(from.user);
    let sound = !problems[before..].iter().any(|problem| problem.severity() == crate::diagnostic::Severity::Error);
    let (user, sound) = (user?.to_owned(), sound);
    let home = own_home
        .or_else(|| (own_user.is_none()).then(|| from.home.map(str::to_owned)).flatten())
        .unwrap_or_else(|| format!("/Users/{user}"));
    let omlx = engine::merged(from.omlx, &own, &home)?;
    open_without_key(raw, file, &omlx, problems);
    if !sound {
        return None;
    }
    Some(Machine {
        name: name?,
        tier,
        chip: chip?,
        memory: memory?,
        cores,
        address: address?,
        lan,
        ssh_port,
        tailnet_ip,
        user,
        home,
        timezone: own_zone.unwrap_or_else(|| from.timezone.clone()),
        gpu_limit,
        note,
        omlx,
    })
}

/// `bind = "all"` without a key, said where `bind` is written.
fn open_without_key(raw: &RawMachine, file: &RawFile, omlx: &crate::fleet::Engine, problems: &mut Problems) {
    let own = raw.omlx.as_ref();
    let fleet = file.omlx.as_ref();
    let names_key = [own, fleet].into_iter().flatten().any(|omlx| omlx.names("api_key"));
    if omlx.bind != Bind::All || names_key {
        return;
    }
    let bind = own.and_then(|omlx| omlx.bind.as_ref()).or_else(|| fleet.and_then(|omlx| omlx.bind.as_ref()));
    if let Some(bind) = bind {
        problems.push(
            Problem::at(
                &OPEN_WITHOUT_KEY,
                bind.span.clone(),
                format!("bind = {} demands an api_key", quoted(&bind.value)),
            )
            .help("add api_key = { env = \"FLEET_OMLX_API_KEY\" }, or bind to \"tailnet\" or \"loopback\""),
        );
    }
}
