//! The gateway, the resolver service and the hub of weights.

use super::{Bind, MachineName, SecretSource};

/// Which router carries the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayEngine {
    /// LiteLLM's proxy.
    Litellm,
}

/// [gateway]: one OpenAI-compatible address where the model name is the slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// The router.
    pub engine: GatewayEngine,
    /// The machines that run it.
    pub on: Vec<MachineName>,
    /// Absolute path of its program.
    pub program: String,
    /// What it listens on.
    pub bind: Bind,
    /// TCP port, 1 to 65535.
    pub port: u16,
    /// The key that its clients send.
    pub api_key: Option<SecretSource>,
}

/// [resolver]: a resident that answers "where is this slot now".
#[derive(Clone, Debug, PartialEq)]
pub struct Resolver {
    /// The machines that run it.
    pub on: Vec<MachineName>,
    /// Absolute path of fleetctl there.
    pub program: String,
    /// What it listens on.
    pub bind: Bind,
    /// TCP port, 1 to 65535.
    pub port: u16,
}

/// [hub]: where weights are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Hub {
    /// The machines that hold it (one).
    pub on: Vec<MachineName>,
    /// Its directory there, absolute.
    pub path: String,
    /// Where the other machines see it, absolute.
    pub mount: Option<String>,
}
