//! Chat, completion and embedding answers, whole and streamed (facts/omlx.md 11.2).

use serde::Deserialize;
use serde_json::Value;

use super::parse::or_empty;
use super::{ApiError, parse};

/// The counts and timings of an answer. Timings are null without a stream; durations are in seconds, rounded to 10 ms; rates are tokens per second and
/// computed before rounding. `prompt_tokens_per_second` divides all prompt tokens, cached ones too.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones too.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, thinking included.
    pub completion_tokens: Option<u64>,
    /// Both.
    pub total_tokens: Option<u64>,
    /// Of the prompt, what a cache knew.
    pub prompt_tokens_details: Option<PromptDetails>,
    /// Seconds to the first token, without the load.
    pub time_to_first_token: Option<f64>,
    /// Seconds of the whole request.
    pub total_time: Option<f64>,
    /// Seconds; the same as `time_to_first_token`.
    pub prompt_eval_duration: Option<f64>,
    /// Seconds from the first to the last token.
    pub generation_duration: Option<f64>,
    /// See the type.
    pub prompt_tokens_per_second: Option<f64>,
    /// Tokens of the answer over its time.
    pub generation_tokens_per_second: Option<f64>,
    /// Seconds; only when the model had to be loaded for more than one.
    pub model_load_duration: Option<f64>,
}

/// Of a prompt, what a cache knew.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PromptDetails {
    /// Tokens.
    pub cached_tokens: Option<u64>,
}

impl Usage {
    /// Prompt tokens that came from a cache.
    pub fn cached_tokens(&self) -> u64 {
        self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0)
    }
}

/// A part of a message, or a whole one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The text.
    pub content: Option<String>,
    /// The thinking, where the server tells it apart.
    pub reasoning_content: Option<String>,
}

/// One choice of an answer; fleetctl asks for one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// Of a stream.
    pub delta: Option<Message>,
    /// Of a whole answer.
    pub message: Option<Message>,
    /// Of `/v1/completions`.
    pub text: Option<String>,
    /// `stop`, `length`; always `stop` with DFlash.
    pub finish_reason: Option<String>,
}

impl Choice {
    /// The text of this choice or part of one, thinking not included; empty when it holds none.
    pub fn visible_text(&self) -> &str {
        let of =
            |message: &'_ Option<Message>| message.as_ref().and_then(|message| message.content.as_deref()).is_some();
        let holder = if of(&self.delta) { &self.delta } else { &self.message };
        holder.as_ref().and_then(|message| message.content.as_deref()).or(self.text.as_deref()).unwrap_or("")
    }
}

/// One chunk of a stream; the last but `[DONE]` has no choices and the usage, when asked for by `stream_options.include_usage`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StreamChunk {
    /// The model that answered.
    pub model: Option<String>,
    /// What it said.
    #[serde(deserialize_with = "or_empty")]
    pub choices: Vec<Choice>,
    /// Counts.
    pub usage: Option<Usage>,
    /// A late failure: the status was 200 already.
    pub error: Option<Value>,
}

/// An answer to `/v1/embeddings`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct EmbeddingAnswer {
    /// One a text.
    #[serde(deserialize_with = "or_empty")]
    pub data: Vec<Vector>,
    /// Counts.
    pub usage: Option<Usage>,
}

/// A vector.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Vector {
    /// Its numbers.
    #[serde(deserialize_with = "or_empty")]
    pub embedding: Vec<f64>,
    /// Of which text.
    pub index: Option<u64>,
}

/// What one line of a stream of server-sent events is.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamLine {
    /// A chunk.
    Chunk(Box<StreamChunk>),
    /// `data: [DONE]`.
    Done,
    /// Nothing: an empty line, a comment (0.3.8's keep-alive), another field.
    Nothing,
}

/// Reads one line of a stream, without its line end. Errors: see [`ApiError`].
pub fn stream_line(line: &str) -> Result<StreamLine, ApiError> {
    let Some(data) = line.trim_end_matches('\r').strip_prefix("data:") else { return Ok(StreamLine::Nothing) };
    match data.trim() {
        "" => Ok(StreamLine::Nothing),
        "[DONE]" => Ok(StreamLine::Done),
        json => parse("a streamed request", json.as_bytes()).map(|chunk| StreamLine::Chunk(Box::new(chunk))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_of_a_stream() {
        let line = r#"data: {"choices":[],"usage":{"prompt_tokens":17,"completion_tokens":8,"total_tokens":25,"input_tokens":17,"output_tokens":8,"prompt_tokens_details":{"cached_tokens":3},"time_to_first_token":0.01,"total_time":0.02,"prompt_eval_duration":0.01,"generation_duration":0.01,"prompt_tokens_per_second":2679.03,"generation_tokens_per_second":781.06}}"#;
        let StreamLine::Chunk(chunk) = stream_line(line).expect("a chunk") else { panic!("a chunk") };
        let usage = chunk.usage.expect("usage");
        assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens()), (Some(17), Some(8), 3));
        assert_eq!((usage.model_load_duration, usage.generation_tokens_per_second), (None, Some(781.06)));
    }

    #[test]
    fn lines_that_are_no_chunks() {
        for line in ["", ": keep-alive", "event: x", "data:", "data: \r"] {
            assert_eq!(stream_line(line).ok(), Some(StreamLine::Nothing), "{line:?}");
        }
        assert_eq!(stream_line("data: [DONE]\r").ok(), Some(StreamLine::Done));
        assert!(stream_line("data: {broken").is_err());
    }

    #[test]
    fn texts() {
        let first = |body: &str| {
            parse::<StreamChunk>("x", body.as_bytes()).expect("an answer").choices[0].visible_text().to_owned()
        };
        assert_eq!(first(r#"{"choices":[{"delta":{"content":"a","reasoning_content":null}}]}"#), "a");
        assert_eq!(first(r#"   {"choices":[{"message":{"content":"b"},"finish_reason":"stop"}]}"#), "b");
        assert_eq!(first(r#"{"choices":[{"text":"c"}]}"#), "c");
        assert_eq!(first(r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#), "");
    }

    #[test]
    fn a_vector() {
        let answer: EmbeddingAnswer = parse("x", br#"{"data":[{"embedding":[0.5,-1],"index":0}]}"#).expect("an answer");
        assert_eq!(answer.data[0].embedding, [0.5, -1.0]);
    }
}
