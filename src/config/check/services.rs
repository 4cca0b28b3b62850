//! `[gateway]`, `[resolver]` and `[hub]`.

use super::engine::OPEN_WITHOUT_KEY;
use super::secrets;
use super::selectors::Machines;
use super::values::{self, Problems, quoted};
use crate::config::raw::{RawGateway, RawHub, RawResolver};
use crate::config::read::RawTable as _;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bind, Gateway, GatewayEngine, Hub, Resolver};

/// A hub on several machines.
pub(crate) static MANY_HUBS: Code = Code {
    id: "many-hubs",
    severity: Severity::Error,
    title: "a hub on more than one machine",
    explanation: "The hub is where weights are kept and copied from: one machine.",
};

pub(crate) static CODES: [&Code; 1] = [&MANY_HUBS];

/// `[gateway]`
pub(crate) fn gateway(raw: &RawGateway, machines: &Machines<'_>, problems: &mut Problems) -> Option<Gateway> {
    let engine =
        values::choice(raw.engine.as_ref(), &[("litellm", GatewayEngine::Litellm)], "gateway.engine", problems);
    let on = machines.list(raw.on.as_ref(), "gateway.on", problems);
    let program = values::path(raw.program.as_ref(), false, "gateway.program", problems);
    let bind = values::bind(raw.bind.as_ref(), "gateway.bind", problems).unwrap_or(Bind::Loopback);
    let port = values::port(raw.port.as_ref(), "gateway.port", problems).unwrap_or(4000);
    let api_key = secrets::source(raw.api_key.as_ref(), "gateway.api_key", problems);
    if let (Bind::All, false, Some(leaf)) = (bind, raw.names("api_key"), &raw.bind) {
        problems.push(
            Problem::at(
                &OPEN_WITHOUT_KEY,
                leaf.span.clone(),
                format!("bind = {} demands an api_key", quoted(&leaf.value)),
            )
            .help("add api_key = { env = \"FLEET_GATEWAY_API_KEY\" }, or bind to \"tailnet\" or \"loopback\""),
        );
    }
    Some(Gateway { engine: engine?, on, program: program?, bind, port, api_key })
}

/// `[resolver]`
pub(crate) fn resolver(raw: &RawResolver, machines: &Machines<'_>, problems: &mut Problems) -> Option<Resolver> {
    let on = machines.list(raw.on.as_ref(), "resolver.on", problems);
    let program = values::path(raw.program.as_ref(), false, "resolver.program", problems);
    let bind = values::bind(raw.bind.as_ref(), "resolver.bind", problems).unwrap_or(Bind::Loopback);
    let port = values::port(raw.port.as_ref(), "resolver.port", problems).unwrap_or(4100);
    Some(Resolver { on, program: program?, bind, port })
}

/// `[hub]`
pub(crate) fn hub(raw: &RawHub, machines: &Machines<'_>, problems: &mut Problems) -> Option<Hub> {
    let on = machines.list(raw.on.as_ref(), "hub.on", problems);
    if let (true, Some(list)) = (on.len() > 1, &raw.on) {
        problems.push(
            Problem::at(&MANY_HUBS, list.span.clone(), format!("hub.on selects {} machines", on.len()))
                .help("name the one machine that keeps the weights"),
        );
    }
    let path = values::path(raw.path.as_ref(), false, "hub.path", problems);
    let mount = values::path(raw.mount.as_ref(), false, "hub.mount", problems);
    Some(Hub { on, path: path?, mount })
}
