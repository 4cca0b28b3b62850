//! The daemons of a machine (machine.md, its table).

use super::daemon::{Calendar, Daemon};
use super::{Entry, Unit, UnitKind};
use crate::fleet::{Bind, Fleet, Machine, Schedule, TimeOfDay, Weekdays, layout};
use crate::schedule::calendar_times;

/// oMLX itself: `PROGRAM serve --base-path BASE` and nothing else, because every other flag makes it rewrite settings.json or stops a later release
/// (facts/omlx.md 1.1, 1.4).
pub(super) fn omlx(machine: &Machine) -> (Entry, Unit) {
    let engine = &machine.omlx;
    let mut arguments: Vec<String> =
        [engine.program.as_str(), "serve", "--base-path", engine.base.as_str()].map(str::to_owned).into();
    if waits_for_address(machine) {
        arguments.insert(0, layout::script_path("omlx-when-bindable"));
    }
    let mut daemon = Daemon::new("omlx", arguments).run_by(&machine.user, &machine.home);
    daemon.environment_variables.insert("PATH".to_owned(), path_with(&engine.program));
    // Block-buffered output looks like a hang (facts/omlx.md 9, #1814).
    daemon.environment_variables.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
    daemon.environment_variables.extend(engine.environment.clone());
    daemon.working_directory = Some(machine.home.clone());
    daemon.run_at_load = true;
    daemon.keep_alive = true;
    daemon.process_type = Some("Interactive");
    daemon.exit_timeout = Some(300);
    daemon.throttle_interval = Some(30);
    daemon.umask = Some(0o077);
    daemon.soft_resource_limits.insert("NumberOfFiles", 65_536);
    daemon.into_unit("omlx", UnitKind::Omlx, Vec::new())
}

/// Whether the address that oMLX is bound to may not be there yet when the machine boots.
pub(super) fn waits_for_address(machine: &Machine) -> bool {
    match machine.omlx.bind {
        Bind::All | Bind::Loopback => false,
        Bind::Address(address) => !address.is_loopback(),
        Bind::Tailnet => true,
    }
}

/// The reconciler: at every boundary, at boot and every 15 minutes. It reads keys of another user and writes below STATE: root.
pub(super) fn schedule(fleet: &Fleet, machine: &Machine) -> (Entry, Unit) {
    let mut daemon = Daemon::new("schedule", vec![layout::script_path("schedule")]);
    daemon.run_at_load = true;
    daemon.start_interval = Some(900);
    daemon.start_calendar_interval = boundaries(fleet, machine);
    // Standard and Background may be put off (facts/macos.md 7.1).
    daemon.process_type = Some("Interactive");
    daemon.exit_timeout = Some(30);
    daemon.into_unit("schedule", UnitKind::Timed, Vec::new())
}

/// Whether the machine has a reconciler: windows decide its residents, or the routes of its gateway.
pub(super) fn has_schedule(fleet: &Fleet, machine: &Machine) -> bool {
    fleet.schedules.iter().any(|schedule| matters(fleet, machine, schedule))
}

fn matters(fleet: &Fleet, machine: &Machine, schedule: &Schedule) -> bool {
    let has_gateway = || fleet.gateway.as_ref().is_some_and(|gateway| gateway.on.contains(&machine.name));
    (schedule.on.contains(&machine.name) && schedule.resident.is_some())
        || (!schedule.slots.is_empty() && has_gateway())
}

/// Every time of the machine's clock on which a window that matters there can open or close. Days do not matter: the script decides, a start too many is idle.
fn boundaries(fleet: &Fleet, machine: &Machine) -> Vec<Calendar> {
    let mut times: Vec<TimeOfDay> = fleet
        .schedules
        .iter()
        .filter(|schedule| matters(fleet, machine, schedule))
        .flat_map(|schedule| [schedule.window.start, schedule.window.end])
        .flat_map(|edge| calendar_times(&fleet.timezone, &machine.timezone, edge, Weekdays::DAILY))
        .map(|at| at.time)
        .collect();
    times.sort();
    times.dedup();
    times.into_iter().map(|time| Calendar { weekday: None, hour: Some(time.hour()), minute: time.minute() }).collect()
}

/// Sets `iogpu.wired_limit_mb` at each boot: it is lost at reboot, and present macOS has no /etc/sysctl.conf (facts/macos.md 3.5). MiB, rounded down.
pub(super) fn gpu_limit(machine: &Machine) -> Option<(Entry, Unit)> {
    let mebibytes = machine.gpu_limit?.get() >> 20;
    let arguments = vec!["/usr/sbin/sysctl".to_owned(), format!("iogpu.wired_limit_mb={mebibytes}")];
    let mut daemon = Daemon::new("gpu-limit", arguments);
    daemon.run_at_load = true;
    Some(daemon.into_unit("gpu-limit", UnitKind::Timed, Vec::new()))
}

/// Keeps the logs of all daemons small; hourly, so that a job that prints much fills no disk.
pub(super) fn rotate() -> (Entry, Unit) {
    let mut daemon = Daemon::new("rotate", vec![layout::script_path("rotate")]);
    daemon.run_at_load = true;
    daemon.start_calendar_interval = vec![Calendar { weekday: None, hour: None, minute: 7 }];
    daemon.into_unit("rotate", UnitKind::Timed, Vec::new())
}

/// A PATH that finds a program's neighbours: launchd's own is /usr/bin:/bin:/usr/sbin:/sbin, without Homebrew.
pub(super) fn path_with(program: &str) -> String {
    const SYSTEM: &str = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
    match program.rsplit_once('/').map(|(directory, _)| directory) {
        Some(directory)
            if !directory.is_empty()
                && !SYSTEM.split(':').any(|known| known == directory)
                && !directory.contains(':') =>
        {
            format!("{directory}:{SYSTEM}")
        }
        _ => SYSTEM.to_owned(),
    }
}
