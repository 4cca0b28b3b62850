//! `[machines.NAME]`.

use super::engine::{self, OPEN_WITHOUT_KEY, Parts};
use super::names;
use super::values::{self, Problems};
use crate::config::raw::{RawFile, RawMachine};
use crate::config::read::MISSING_KEY;
use crate::diagnostic::Problem;
use crate::fleet::{Address, Bind, Declared, Machine, MachineName, TierLabel, Zone};

/// What machines inherit.
pub(crate) struct Inherited<'a> {
    pub(crate) tailnet: Option<&'a str>,
    /// Whether the file gives a tailnet, sound or not.
    pub(crate) names_tailnet: bool,
    pub(crate) user: Option<&'a str>,
    /// Whether the file gives a user, sound or not.
    pub(crate) names_user: bool,
    pub(crate) home: Option<&'a str>,
    pub(crate) timezone: &'a Zone,
    pub(crate) omlx: &'a Parts,
}

/// All sound machines.
pub(crate) fn machines(raw: &RawFile, from: &Inherited<'_>, problems: &mut Problems) -> Declared<Machine> {
    let mut sound = Declared::default();
    for (key, span, machine) in raw.machines.iter().flat_map(|map| map.iter()) {
        let name = names::name(key, span, "a machine", MachineName::new, problems);
        if let Some(machine) = machine.and_then(|raw_machine| one(name, key, span, raw_machine, raw, from, problems)) {
            sound.insert(machine);
        }
    }
    sound
}

fn one(
    name: Option<MachineName>,
    key: &str,
    span: &std::ops::Range<usize>,
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
        None => match from.tailnet {
            Some(tailnet) => Some(Address::Tailnet(format!("{key}.{tailnet}"))),
            None => {
                if !from.names_tailnet {
                    problems.push(
                        Problem::at(&MISSING_KEY, span.clone(), format!("machines.{key} has no address"))
                            .help("give it `address`, or the fleet its `tailnet`"),
                    );
                }
                None
            }
        },
    };
    let user = own_user.as_deref().or(from.user);
    if user.is_none() && !from.names_user && raw.user.is_none() {
        problems.push(
            Problem::at(&MISSING_KEY, span.clone(), format!("machines.{key} has no user"))
                .help("give it `user`, or the fleet its `user`"),
        );
    }
    let fleet_names_version = file.omlx.as_ref().is_none_or(|omlx| omlx.version.is_some());
    let own_names_version = raw.omlx.as_ref().is_some_and(|omlx| omlx.version.is_some());
    if !fleet_names_version && !own_names_version {
        problems.push(
            Problem::at(&MISSING_KEY, span.clone(), format!("machines.{key} has no release of oMLX"))
                .help("give [omlx] its `version`"),
        );
    }
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
    let names_key = own.is_some_and(|omlx| omlx.api_key.is_some()) || fleet.is_some_and(|omlx| omlx.api_key.is_some());
    if omlx.bind != Bind::All || names_key {
        return;
    }
    let bind = own.and_then(|omlx| omlx.bind.as_ref()).or_else(|| fleet.and_then(|omlx| omlx.bind.as_ref()));
    if let Some(bind) = bind {
        problems.push(
            Problem::at(&OPEN_WITHOUT_KEY, bind.span.clone(), "bind = \"all\" demands an api_key")
                .help("add api_key = { env = \"FLEET_OMLX_API_KEY\" }, or bind to \"tailnet\" or \"loopback\""),
        );
    }
}
