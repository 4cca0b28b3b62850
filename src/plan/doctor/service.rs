//! What starts a gateway or a resolver that does not run: which command, and what else must be known for it.

use super::mend::{environment_of, said_beside};
use super::{Examined, Mend};
use crate::fleet::layout;

/// The LiteLLM that the gateway's file is written for and that the lab runs (tests/lab/litellm/requirements.txt).
const LITELLM: &str = "litellm[proxy]==1.106.2";

/// The command for a stopped `gateway` or `resolver`, and what stands beside it.
pub fn mend_service(unit: &str, examined: &Examined<'_>) -> (Mend, Option<String>) {
    let (fleet, machine, observed, quote) = (examined.fleet, examined.machine, examined.observed, examined.quote);
    let gateway = fleet.gateway.as_ref().filter(|_| unit == "gateway").map(|gateway| &gateway.program);
    let resolver = fleet.resolver.as_ref().filter(|_| unit == "resolver").map(|resolver| &resolver.program);
    let is_missing = |program: &&String| observed.programs.as_ref().is_some_and(|there| !there.contains(*program));
    if let Some(program) = gateway.filter(is_missing)
        && let Some(environment) = environment_of(program, "litellm", "litellm", machine)
    {
        let path = quote(&environment);
        let install = Mend::There(format!("python3.11 -m venv {path} && {path}/bin/pip install {}", quote(LITELLM)));
        let installed = format!("{environment}/bin/litellm");
        return (install, (installed != *program).then(|| said_beside(&installed, "gateway")));
    }
    if let Some(program) = gateway.or(resolver).filter(is_missing) {
        let what = if resolver.is_some() { "fleetctl, built on a Mac" } else { "LiteLLM" };
        let hint = format!("`program` in [{unit}] names {what}: put it there, or name where it is");
        return (Mend::There(format!("ls -l {}", quote(program))), Some(hint));
    }
    let name = &machine.name;
    // What launchd does not have has no log to explain it either.
    let command = if observed.jobs.contains_key(&layout::label(unit)) {
        format!("fleetctl logs {name} {unit}")
    } else {
        format!("fleetctl apply --on {name}")
    };
    (Mend::Here(command), None)
}
