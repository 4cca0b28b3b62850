//! What lies in STATE/gateway on a machine of the gateway: for `render` to place.

use super::{litellm, mirrors, states};
use crate::fleet::{Fleet, Machine};

/// The supervisor: holds the listening socket and hands over to a new configuration without cutting a stream. It runs under LiteLLM's own Python.
pub const SUPERVISOR: &str = include_str!("../../../templates/gateway/serve.py");

/// Its name in STATE/gateway.
pub const SUPERVISOR_FILE: &str = "serve.py";

/// `LIB/gateway PROGRAM HOST PORT`: finds that Python and becomes the supervisor.
pub const START_SCRIPT: &str = include_str!("../../../templates/gateway/gateway.sh");

/// LiteLLM's callback that writes mirrored pairs down.
const PAIRS: &str = include_str!("../../../templates/gateway/pairs.py");

/// A file below STATE/gateway. No secret is in any: keys are read from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// The files of a gateway machine: a configuration a state of the windows (`config.STATE.yaml`), the supervisor and, with a mirror, the callback.
///
/// Which state is in force stands in the file `active` there (a line; without it the baseline): the reconciler writes it at a boundary and sends the
/// supervisor SIGHUP. A machine that apply is draining has a file in the directory `left-out`.
pub fn files(fleet: &Fleet, gateway: &Machine) -> Vec<GatewayFile> {
    let mut files: Vec<GatewayFile> = states(fleet)
        .iter()
        .map(|state| GatewayFile {
            name: format!("config.{}.yaml", state.key),
            text: litellm(fleet, gateway, state, None).text,
        })
        .collect();
    files.push(GatewayFile { name: SUPERVISOR_FILE.to_owned(), text: SUPERVISOR.to_owned() });
    if !mirrors(fleet).is_empty() {
        files.push(GatewayFile { name: "fleetctl_pairs.py".to_owned(), text: PAIRS.to_owned() });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_configuration_a_state_and_what_serves_it() {
        let fleet = testing::example();
        let gateway = fleet.machines.get("mac-studio1").expect("declared");
        let names: Vec<String> = files(&fleet, gateway).into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["config.baseline.yaml", "config.night.yaml", "serve.py"]);
    }
}
