//! The gateway and the resolver of a machine: whether they run.

use super::alert::{self, alert};
use crate::fleet::{Fleet, Machine, layout};
use crate::observe::{LaunchdJob, Observed, is_held};
use crate::ui::json::Alert;

/// An alert for each service that is declared on the machine, does not run, and was not stopped by hand.
pub(super) fn service_alerts(fleet: &Fleet, machine: &Machine, observed: &Observed) -> Vec<Alert> {
    let gateway = fleet.gateway.as_ref().filter(|gateway| gateway.on.contains(&machine.name));
    let resolver = fleet.resolver.as_ref().filter(|resolver| resolver.on.contains(&machine.name));
    let declared = [
        ("gateway", gateway.map(|gateway| &gateway.program)),
        ("resolver", resolver.map(|resolver| &resolver.program)),
    ];
    declared
        .into_iter()
        .filter_map(|(unit, program)| Some((unit, program?)))
        .filter(|(unit, _)| !is_held(observed, unit))
        .filter_map(|(unit, program)| {
            let is_there = observed.programs.as_ref().is_none_or(|programs| programs.contains(program));
            let why = trouble(observed.jobs.get(&layout::label(unit)), program, is_there)?;
            Some(alert(&alert::SERVICE_STOPPED, format!("the {unit} does not run: {why}")))
        })
        .collect()
}

/// Why a daemon does not run; `None` while it has a process.
fn trouble(job: Option<&LaunchdJob>, program: &str, is_there: bool) -> Option<String> {
    if !is_there {
        return Some(format!("{program} is not there or not executable"));
    }
    let Some(job) = job else { return Some("launchd does not have it".to_owned()) };
    match (job.pid, job.last_signal, job.last_exit) {
        (Some(_), ..) => None,
        (None, Some(signal), _) => Some(format!("it last died of signal {signal}")),
        (None, None, Some(code)) => Some(format!("it last ended with exit {code}")),
        (None, None, None) => Some("it has no process".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_without_a_process_has_its_reason() {
        let ended = LaunchdJob { last_exit: Some(1), ..LaunchdJob::default() };
        let killed = LaunchdJob { last_signal: Some(9), ..ended.clone() };
        let runs = LaunchdJob { pid: Some(4711), ..killed.clone() };
        let why = |job: Option<&LaunchdJob>, is_there| trouble(job, "/opt/litellm", is_there);
        assert_eq!(why(None, true).as_deref(), Some("launchd does not have it"));
        assert_eq!(why(Some(&LaunchdJob::default()), true).as_deref(), Some("it has no process"));
        assert_eq!(why(Some(&ended), true).as_deref(), Some("it last ended with exit 1"));
        assert_eq!(why(Some(&killed), true).as_deref(), Some("it last died of signal 9"));
        assert_eq!(why(Some(&runs), true), None);
        assert_eq!(why(None, false).as_deref(), Some("/opt/litellm is not there or not executable"));
    }
}
