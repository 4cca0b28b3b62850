//! The gateway and the resolver of a machine: whether they run, and where.

use super::alert::{self, alert};
use crate::fleet::{Bind, Fleet, Machine, layout};
use crate::observe::{LaunchdJob, Observed, is_held};
use crate::slot::{host, url_host};
use crate::ui::json::{Alert, ServiceState, ServiceStatus};

/// The services that are declared on the machine; `None` for `observed`: it did not answer.
pub(super) fn services(fleet: &Fleet, machine: &Machine, observed: Option<&Observed>) -> Vec<ServiceStatus> {
    let gateway = fleet.gateway.as_ref().filter(|gateway| gateway.on.contains(&machine.name));
    let resolver = fleet.resolver.as_ref().filter(|resolver| resolver.on.contains(&machine.name));
    let gateway = gateway.map(|gateway| ("gateway", &gateway.program, gateway.bind, gateway.port));
    let resolver = resolver.map(|resolver| ("resolver", &resolver.program, resolver.bind, resolver.port));
    gateway
        .into_iter()
        .chain(resolver)
        .map(|(name, program, bind, port)| ServiceStatus {
            name,
            state: observed.map_or(ServiceState::Unknown, |observed| state(observed, name, program)),
            url: url(machine, bind, port),
        })
        .collect()
}

/// An alert for each that does not run and was not stopped by hand.
pub(super) fn service_alerts(services: &[ServiceStatus]) -> Vec<Alert> {
    let stopped = services.iter().filter_map(|service| match &service.state {
        ServiceState::Stopped(why) => Some((service.name, why)),
        _ => None,
    });
    stopped
        .map(|(name, why)| Alert {
            unit: Some(name),
            ..alert(&alert::SERVICE_STOPPED, format!("the {name} does not run: {why}"))
        })
        .collect()
}

fn url(machine: &Machine, bind: Bind, port: u16) -> String {
    format!("http://{}:{port}", url_host(&host(machine, bind)))
}

fn state(observed: &Observed, unit: &str, program: &str) -> ServiceState {
    if is_held(observed, unit) {
        return ServiceState::Held;
    }
    let is_there = observed.programs.as_ref().is_none_or(|programs| programs.contains(program));
    trouble(observed.jobs.get(&layout::label(unit)), program, is_there)
        .map_or(ServiceState::Running, ServiceState::Stopped)
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
