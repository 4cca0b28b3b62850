//! `GET /v1/models/status`.

use serde::Deserialize;

use super::parse::or_empty;

/// `GET /v1/models/status` (API key): real ids.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModelsStatus {
    /// Bytes; null when disabled. Until 0.3.10.
    pub max_model_memory: Option<u64>,
    /// Bytes; 0 is no limit. Since 0.3.11.
    pub final_ceiling: Option<u64>,
    /// Bytes: the sum of estimates.
    pub current_model_memory: Option<u64>,
    /// The models.
    #[serde(deserialize_with = "or_empty")]
    pub models: Vec<ModelStatus>,
}

impl ModelsStatus {
    /// The limit in force, bytes; `None`: none, or unknown.
    pub fn limit(&self) -> Option<u64> {
        self.max_model_memory.or(self.final_ceiling).filter(|limit| *limit > 0)
    }

    /// A model by its id.
    pub fn get(&self, id: &str) -> Option<&ModelStatus> {
        self.models.iter().find(|model| model.id == id)
    }
}

/// A model in `/v1/models/status`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModelStatus {
    /// The id: the name of its directory or link.
    #[serde(deserialize_with = "or_empty")]
    pub id: String,
    /// Its path, the link not followed.
    pub model_path: Option<String>,
    /// Whether it is loaded.
    pub loaded: Option<bool>,
    /// Whether it is being loaded.
    pub is_loading: Option<bool>,
    /// Bytes: 1.05 times its weights.
    pub estimated_size: Option<u64>,
    /// Bytes, measured; since 0.3.9.
    pub actual_size: Option<u64>,
    /// Never evicted.
    pub pinned: Option<bool>,
    /// `batched`, `vlm`, `embedding`, `reranker`, `audio_…`; also with DFlash it says `batched`.
    pub engine_type: Option<String>,
    /// `llm`, `vlm`, `embedding`, `reranker`, …
    pub model_type: Option<String>,
    /// `model_type` of its config.json.
    pub config_model_type: Option<String>,
    /// The template's own default.
    pub thinking_default: Option<bool>,
    /// Seconds since 1970 of the last request's start; null: never.
    pub last_access: Option<f64>,
    /// Tokens.
    pub max_context_window: Option<u64>,
    /// Tokens.
    pub max_tokens: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn models_status_of_0_3_8() {
        let body = br#"{"max_model_memory":18199081451,"current_model_memory":0,"model_count":2,"loaded_count":0,"models":[{"id":"deep","model_path":"/x/models/deep","loaded":false,"is_loading":false,"estimated_size":420667,"pinned":false,"engine_type":"batched","model_type":"llm","config_model_type":"llama","thinking_default":null,"preserve_thinking_default":null,"last_access":null,"max_context_window":32768,"max_tokens":32768}]}"#;
        let status: ModelsStatus = parse("GET /v1/models/status", body).expect("the example of facts/omlx.md 6.4");
        assert_eq!(status.limit(), Some(18_199_081_451));
        let deep = status.get("deep").expect("deep");
        assert_eq!((deep.loaded, deep.estimated_size, deep.actual_size), (Some(false), Some(420_667), None));
        assert!(status.get("fast").is_none());
    }
}
