//! `fleetctl gateway render --json`: `fleetctl.gateway/1`.

use serde::Serialize;

use crate::fleet::{GatewayEngine, Machine};
use crate::slot::gateway::{GatewayConfig, LostSemantic};

/// The document.
#[derive(Debug, Serialize)]
pub struct GatewayDocument {
    schema: &'static str,
    machine: String,
    engine: &'static str,
    windows: String,
    config: String,
    lost: Vec<LostEntry>,
}

#[derive(Debug, Serialize)]
struct LostEntry {
    semantic: &'static str,
    slot: Option<String>,
    message: String,
}

impl GatewayDocument {
    /// A configuration for a gateway machine.
    pub fn new(machine: &Machine, engine: GatewayEngine, config: &GatewayConfig) -> Self {
        let entry = |lost: &LostSemantic| LostEntry {
            semantic: lost.id,
            slot: lost.slot.as_ref().map(ToString::to_string),
            message: lost.message.clone(),
        };
        Self {
            schema: "fleetctl.gateway/1",
            machine: machine.name.to_string(),
            engine: match engine {
                GatewayEngine::Litellm => "litellm",
            },
            windows: config.key.clone(),
            config: config.text.clone(),
            lost: config.lost.iter().map(entry).collect(),
        }
    }
}
