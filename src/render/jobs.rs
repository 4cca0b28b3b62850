//! Jobs: the daemon of each, and how its command finds its slot.

use super::daemon::{Calendar, Daemon};
use super::environment::Environment;
use super::units::path_with;
use super::{Entry, Owner, Placeholder, SecretId, Text, Unit, UnitKind, gateway_secret, omlx_secret};
use crate::fleet::{Bind, Fleet, Job, Machine, Slot, Weekday, Window, layout};
use crate::schedule::calendar_times;
use crate::slot::{candidates, host, url_host};

/// A job's daemon and its environment file.
pub(super) struct JobDaemon<'a> {
    pub(super) unit: (Entry, Unit),
    pub(super) user: &'a str,
    pub(super) environment: Option<Text>,
}

/// The short name of a job's daemon.
pub(super) fn unit_name(job: &Job) -> String {
    format!("job.{}", job.name)
}

/// A job: launchd starts the wrapper at every time of the machine's clock that `at` can fall on; the wrapper starts the command only when it is `at` in the
/// fleet's zone (fleet.md, Time).
pub(super) fn job<'a>(fleet: &Fleet, machine: &'a Machine, job: &'a Job) -> JobDaemon<'a> {
    let name = unit_name(job);
    let (user, home) = user_of(job, machine);
    let slot = job.slot.as_ref().and_then(|slot| fleet.slots.get(slot));
    let way = slot.map_or(Way { arguments: Vec::new(), variables: Vec::new() }, |slot| way(fleet, machine, slot));
    let mut arguments = vec![
        layout::script_path("job"),
        job.name.to_string(),
        "--at".to_owned(),
        job.at.to_string(),
        "--days".to_owned(),
        job.days.iter().map(Weekday::short).collect::<Vec<_>>().join(","),
        "--zone".to_owned(),
        fleet.timezone.name().to_owned(),
    ];
    if let Some(timeout) = job.timeout {
        arguments.extend(["--timeout".to_owned(), timeout.as_secs().to_string()]);
    }
    arguments.extend(way.arguments);
    arguments.push("--".to_owned());
    arguments.extend(job.run.iter().cloned());
    let mut daemon = Daemon::new(&name, arguments).run_by(user, &home);
    daemon.environment_variables.insert("PATH".to_owned(), path_with(job.run.first().map_or("", String::as_str)));
    daemon.start_calendar_interval =
        calendar_times(&fleet.timezone, &machine.timezone, job.at, job.days).into_iter().map(Calendar::from).collect();
    if user == machine.user {
        // Another user's home is not known to be there, and a missing directory is exit 78.
        daemon.working_directory = Some(machine.home.clone());
    }
    daemon.process_type = Some("Standard");
    // The wrapper gives its command 15 s after SIGTERM, then writes its record.
    daemon.exit_timeout = Some(30);
    // The declared variables may have any name, also one that the wrapper uses: they are in the file, which is read last.
    let mut environment = Environment::default();
    for (name, value) in way.variables {
        match value {
            Value::Known(text) => environment.set(&name, &text),
            Value::Secret(id) => environment.set_hole(&name, Placeholder::Secret(id)),
        }
    }
    for (name, value) in &job.environment {
        environment.set(name, value);
    }
    JobDaemon { unit: daemon.into_unit(&name, UnitKind::Timed, Vec::new()), user, environment: environment.into_text() }
}

/// Who runs a job, and that user's home.
fn user_of<'a>(job: &'a Job, machine: &'a Machine) -> (&'a str, String) {
    match job.user.as_deref() {
        Some("root") => ("root", "/var/root".to_owned()),
        Some(user) if user != machine.user => (user, format!("/Users/{user}")),
        _ => (machine.user.as_str(), machine.home.clone()),
    }
}

/// STATE/jobs: each wrapper replaces its record there by a rename, so their user owns it; where jobs run as several users, their group writes it.
/// `None`: the machine has no job.
pub(super) fn record_directory(fleet: &Fleet, machine: &Machine) -> Option<(Owner, u32)> {
    let jobs = fleet.jobs.iter().filter(|job| job.on.contains(&machine.name));
    let mut users: Vec<&str> = jobs.map(|job| user_of(job, machine).0).collect();
    users.sort_unstable();
    users.dedup();
    match users.as_slice() {
        [] => None,
        [user] => Some((Owner::staff(user), 0o755)),
        _ => Some((Owner { user: "root".to_owned(), group: "staff".to_owned() }, 0o775)),
    }
}

enum Value {
    Known(String),
    Secret(SecretId),
}

/// How a job's command finds its slot: arguments of the wrapper and variables of the environment file.
struct Way {
    arguments: Vec<String>,
    variables: Vec<(String, Value)>,
}

/// The gateway and the slot's name where a gateway can be reached; else the wrapper asks the slot's candidates.
fn way(fleet: &Fleet, machine: &Machine, slot: &Slot) -> Way {
    let Some(url) = gateway_url(fleet, machine) else { return by_candidates(fleet, machine, slot) };
    let known = |name: &str, text: String| (name.to_owned(), Value::Known(text));
    let key = match gateway_secret(fleet) {
        Some(id) => ("OPENAI_API_KEY".to_owned(), Value::Secret(id)),
        // A client refuses to start without one.
        None => known("OPENAI_API_KEY", "none".to_owned()),
    };
    let variables = vec![known("OPENAI_BASE_URL", url), known("OPENAI_MODEL", slot.name.to_string()), key];
    Way { arguments: Vec::new(), variables }
}

/// The gateway as this machine dials it: its own first, then in the order of declaration. `None`: there is none, or none that listens beyond its own machine.
fn gateway_url(fleet: &Fleet, machine: &Machine) -> Option<String> {
    let gateway = fleet.gateway.as_ref()?;
    let own = gateway.on.iter().filter(|name| **name == machine.name);
    let others = gateway.on.iter().filter(|name| **name != machine.name);
    own.chain(others)
        .filter_map(|name| fleet.machines.get(name))
        .find_map(|at| dialled(at, gateway.bind, machine).map(|host| format!("http://{host}:{}/v1", gateway.port)))
}

/// The host of a daemon of `at` that is bound so, as `from` dials it, as it stands in a URL. `None`: it listens on its own machine only.
fn dialled(at: &Machine, bind: Bind, from: &Machine) -> Option<String> {
    let is_own = at.name == from.name;
    match bind {
        Bind::All | Bind::Loopback if is_own => Some("127.0.0.1".to_owned()),
        Bind::Loopback => None,
        Bind::All | Bind::Tailnet | Bind::Address(_) => Some(url_host(&host(at, bind))),
    }
}

/// Windows that rebind the slot, and its candidates in each of them and outside: the wrapper asks them in this order when the job starts.
fn by_candidates(fleet: &Fleet, machine: &Machine, slot: &Slot) -> Way {
    let mut way = Way { arguments: Vec::new(), variables: Vec::new() };
    let mut keys: Vec<SecretId> = Vec::new();
    let rebindings = fleet.schedules.iter().filter_map(|schedule| {
        let rebinding = schedule.slots.iter().find(|rebinding| rebinding.slot == slot.name)?;
        Some((schedule, rebinding))
    });
    let mut routes = vec![("-".to_owned(), &slot.route)];
    for (schedule, rebinding) in rebindings {
        way.arguments
            .extend(["--window".to_owned(), window_line(schedule.name.as_str(), schedule.window, schedule.days)]);
        routes.push((schedule.name.to_string(), &rebinding.route));
    }
    for (window, route) in routes {
        for candidate in candidates(fleet, route) {
            let Some(host) = dialled(candidate.machine, candidate.machine.omlx.bind, machine) else { continue };
            let key = omlx_secret(fleet, candidate.machine).map_or("-".to_owned(), |id| {
                let place = keys.iter().position(|known| *known == id).unwrap_or_else(|| {
                    keys.push(id);
                    keys.len() - 1
                });
                format!("FLEETCTL_KEY_{place}")
            });
            let url = format!("http://{host}:{}/v1", candidate.machine.omlx.port);
            way.arguments.extend(["--candidate".to_owned(), format!("{window} {url} {} {key}", candidate.served.name)]);
        }
    }
    way.variables =
        keys.into_iter().enumerate().map(|(place, id)| (format!("FLEETCTL_KEY_{place}"), Value::Secret(id))).collect();
    way
}

/// A window as `templates/clock.sh` reads it: `NAME START END DAYS`, times in minutes of the day, days as digits from 0, Monday.
pub(super) fn window_line(name: &str, window: Window, days: crate::fleet::Weekdays) -> String {
    let days: String = days.iter().map(|day| char::from(b'0' + day as u8)).collect();
    format!("{name} {} {} {days}", window.start.minutes(), window.end.minutes())
}
