//! `fleetctl bench --json`: `fleetctl.bench/1`. What is not known is null.

use serde::{Deserialize, Serialize};

use crate::capacity::Spread;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct BenchDocument {
    /// `fleetctl.bench/1`
    pub schema: &'static str,
    /// When it began.
    pub taken_at: String,
    /// One a name, machine and number of requests at once.
    pub results: Vec<BenchEntry>,
}

/// One measurement. Also what the history keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchEntry {
    /// When.
    pub at: String,
    /// The slot that was asked for; null when the name itself was.
    pub slot: Option<String>,
    /// The name.
    pub served: String,
    /// Where.
    pub machine: String,
    /// Its weights.
    pub model: String,
    /// Its profile.
    pub profile: String,
    /// `chat` or `embedding`.
    pub kind: String,
    /// Requests at once.
    pub concurrent: u32,
    /// Runs that counted.
    pub runs: u32,
    /// Seconds to the first token.
    pub ttft: Option<SpreadEntry>,
    /// Tokens of the prompt per second.
    pub prefill_tps: Option<SpreadEntry>,
    /// Tokens of the answers per second, all requests together.
    pub decode_tps: Option<SpreadEntry>,
    /// Of an embedding name.
    pub vectors_per_second: Option<SpreadEntry>,
    /// Numbers a vector.
    pub dimensions: Option<u32>,
    /// What the memory's bandwidth allows.
    pub bound: Option<BoundEntry>,
    /// Under which it was measured.
    pub conditions: Conditions,
    /// `ok`, `below-expectation`, `dropped`, `wrong-dimension` or `failed`.
    pub verdict: String,
    /// What is to be said of it.
    pub detail: Option<String>,
}

/// The middle of the runs and their spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadEntry {
    /// The median.
    pub median: f64,
    /// The median of the distances from it.
    pub mad: f64,
}

impl From<Spread> for SpreadEntry {
    fn from(spread: Spread) -> Self {
        Self { median: spread.median, mad: spread.mad }
    }
}

/// The bound that matches the profile, and how near to it the measurement is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundEntry {
    /// `plain`, or `speculative` (every token of a block accepted).
    pub kind: String,
    /// Tokens per second at most.
    pub tps: f64,
    /// The measured speed as a share of it.
    pub share: f64,
    /// Of speculation: accepted tokens a step, if the bandwidth were the only limit.
    pub accepted: Option<f64>,
    /// The shares that such a model usually reaches, lowest and highest; null for speculation.
    pub usual: Option<(f64, f64)>,
    /// Whose shape it was computed from: `measured` (the machine's own config.json) or `catalogue`; null in a result of an earlier release.
    pub shape_by: Option<String>,
}

/// Under which something was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// The release as the server itself says it.
    pub release: Option<String>,
    /// Other names that were loaded.
    pub beside: Option<Vec<String>>,
    /// Requests of others when it began, by the server's count.
    pub in_flight: Option<u64>,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens of an answer.
    pub tokens: Option<u64>,
    /// Whether thinking was on; null where the profile leaves it to the model.
    pub thinking: Option<bool>,
    /// Whether the profile runs DFlash.
    pub dflash: bool,
    /// Which draft ran beside it: the beginning of the SHA-256 of the text of its config.json.
    pub draft_revision: Option<String>,
    /// `low`, `normal` or `high`.
    pub power_mode: Option<String>,
    /// Thermal pressure before the first request: `nominal`, `moderate`, `heavy`, `trapping`, `sleeping`, or `limited`.
    pub thermal_before: Option<String>,
    /// The same behind the last one.
    pub thermal_after: Option<String>,
    /// Where it was asked.
    pub base_url: String,
    /// All requests of the measurement, the discarded ones too.
    pub requests: u64,
    /// Tokens of their answers.
    pub tokens_in_all: u64,
    /// Requests that the server counted meanwhile; above `requests` somebody else asked too.
    pub counted_requests: Option<u64>,
    /// Tokens of answers that the server counted meanwhile.
    pub counted_tokens: Option<u64>,
}
