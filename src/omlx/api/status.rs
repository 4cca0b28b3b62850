//! `GET /api/status`.

use serde::Deserialize;

use super::parse::or_empty;

/// `GET /api/status` (API key).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The release as the server itself says it.
    pub version: Option<String>,
    /// Seconds since its start.
    pub uptime_seconds: Option<f64>,
    /// How many models were discovered.
    pub models_discovered: Option<u64>,
    /// How many are loaded.
    pub models_loaded: Option<u64>,
    /// How many are loading.
    pub models_loading: Option<u64>,
    /// The model that answers when none is named.
    pub default_model: Option<String>,
    /// Ids of the loaded ones.
    #[serde(deserialize_with = "or_empty")]
    pub loaded_models: Vec<String>,
    /// Requests since the start.
    pub total_requests: Option<u64>,
    /// Running now; without DFlash, embeddings, reranking and audio on 0.3.8.
    pub active_requests: Option<u64>,
    /// Waiting now; the same gaps.
    pub waiting_requests: Option<u64>,
    /// Since the start.
    pub total_prompt_tokens: Option<u64>,
    /// Since the start.
    pub total_completion_tokens: Option<u64>,
    /// Since the start.
    pub total_cached_tokens: Option<u64>,
    /// Cumulative average, tokens per second.
    pub avg_prefill_tps: Option<f64>,
    /// Cumulative average, tokens per second.
    pub avg_generation_tps: Option<f64>,
    /// Bytes: the sum of estimates.
    pub model_memory_used: Option<u64>,
    /// Bytes: the limit in force; null is none.
    pub model_memory_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn status_of_0_3_8() {
        let body = br#"{"status":"ok","version":"0.3.8","uptime_seconds":0.6,"models_discovered":2,"models_loaded":2,"models_loading":0,"default_model":"deep","loaded_models":["deep","fast"],"total_requests":2,"active_requests":0,"waiting_requests":0,"total_prompt_tokens":34,"total_completion_tokens":10,"total_cached_tokens":0,"cache_efficiency":0.0,"avg_prefill_tps":0.0,"avg_generation_tps":271.2,"model_memory_used":841334,"model_memory_max":18199081451,"model_memory_used_formatted":"821.62KB","model_memory_max_formatted":"16.95GB"}"#;
        let status: Status = parse("GET /api/status", body).expect("the example of facts/omlx.md 6.4");
        assert_eq!(status.version.as_deref(), Some("0.3.8"));
        assert_eq!(status.loaded_models, ["deep", "fast"]);
        assert_eq!((status.active_requests, status.avg_generation_tps), (Some(0), Some(271.2)));
        let sparse: Status = parse("GET /api/status", br#"{"loaded_models":null,"uptime_seconds":3}"#).expect("sparse");
        assert_eq!((sparse.loaded_models.len(), sparse.uptime_seconds), (0, Some(3.0)));
    }
}
