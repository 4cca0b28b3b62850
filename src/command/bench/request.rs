//! One request, timed.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::capacity::Timing;
use crate::omlx::api::{EmbeddingAnswer, ErrorAnswer, StreamLine, Usage, parse, stream_line};
use crate::secret::SecretString;
use crate::transport::{JsonClient, KeyHeader, Post, nonce};

/// A cold load of the largest weights takes minutes, and blocks everybody meanwhile.
const PATIENCE: Duration = Duration::from_mins(10);

/// Where requests go, and what they carry.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) client: JsonClient,
    pub(super) base_url: String,
    pub(super) key: Option<SecretString>,
    pub(super) model: String,
    pub(super) overlay: Map<String, Value>,
    pub(super) words: u32,
    pub(super) tokens: u32,
    pub(super) vectors: usize,
}

/// Vectors that came.
pub(super) struct Vectors {
    pub(super) seconds: f64,
    pub(super) count: usize,
    pub(super) dimensions: usize,
}

impl Door {
    /// Streams one answer. Each prompt begins with a word that was never sent before: no cache knows it (blocks of 256 tokens, on SSD too). Errors: in words.
    pub(super) async fn chat(&self) -> Result<Timing, String> {
        let mut body = self.overlay.clone();
        body.insert("model".to_owned(), json!(self.model));
        body.insert("messages".to_owned(), json!([{"role": "user", "content": self.prompt()}]));
        body.insert("max_tokens".to_owned(), json!(self.tokens));
        body.insert("temperature".to_owned(), json!(0));
        body.insert("stream".to_owned(), json!(true));
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        let began = Instant::now();
        let mut seen = Seen::default();
        let url = format!("{}/chat/completions", self.base_url);
        let line = |line: &str| seen.take(line, began.elapsed().as_secs_f64());
        let post = self.client.stream(&url, self.key.as_ref(), &Value::Object(body), PATIENCE, line).await;
        answered(post)?;
        seen.timing()
    }

    /// Asks for the vectors of a batch. Errors: in words.
    pub(super) async fn embed(&self) -> Result<Vectors, String> {
        let texts: Vec<String> = (0..self.vectors).map(|_| self.prompt()).collect();
        let body = json!({"model": self.model, "input": texts});
        let url = format!("{}/embeddings", self.base_url);
        let key = self.key.as_ref().map(|key| (key, KeyHeader::Bearer));
        let posted = self.client.post(&url, key, &body, PATIENCE).await;
        let body = answered(posted.got)?;
        let answer: EmbeddingAnswer = parse("POST /v1/embeddings", &body).map_err(|error| error.to_string())?;
        let dimensions = answer.data.first().map_or(0, |vector| vector.embedding.len());
        if answer.data.len() != self.vectors || answer.data.iter().any(|vector| vector.embedding.len() != dimensions) {
            return Err(format!("{} vectors for {} texts, or of different lengths", answer.data.len(), self.vectors));
        }
        Ok(Vectors { seconds: posted.seconds, count: self.vectors, dimensions })
    }

    /// A prompt of plain words behind one of its own; deterministic but for that.
    fn prompt(&self) -> String {
        const WORDS: [&str; 8] = ["river", "stone", "lamp", "seven", "window", "quiet", "north", "paper"];
        let mut text = format!("{} Continue this list of words.", nonce());
        for place in 0..self.words {
            text.push(' ');
            text.push_str(WORDS[(place.wrapping_mul(2_654_435_761) >> 16) as usize % WORDS.len()]);
        }
        text
    }
}

/// What came of a stream.
#[derive(Default)]
struct Seen {
    first: Option<f64>,
    last: Option<f64>,
    usage: Option<Usage>,
    trouble: Option<String>,
}

impl Seen {
    fn take(&mut self, line: &str, now: f64) {
        let chunk = match stream_line(line) {
            Ok(StreamLine::Chunk(chunk)) => chunk,
            Ok(StreamLine::Done | StreamLine::Nothing) => return,
            Err(error) => {
                self.trouble.get_or_insert(error.to_string());
                return;
            }
        };
        if let Some(error) = &chunk.error {
            self.trouble.get_or_insert(error.to_string());
        }
        let says = chunk.choices.iter().any(|choice| {
            let thinks = choice.delta.as_ref().and_then(|delta| delta.reasoning_content.as_deref()).unwrap_or("");
            !choice.visible_text().is_empty() || !thinks.is_empty()
        });
        if says {
            self.first.get_or_insert(now);
            self.last = Some(now);
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage);
        }
    }

    fn timing(self) -> Result<Timing, String> {
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let usage = self.usage.ok_or("the stream ended without its usage")?;
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return Err("the answer holds no token".to_owned());
        };
        Ok(Timing {
            first,
            last,
            prompt_tokens: usage.prompt_tokens.unwrap_or(0),
            cached_tokens: usage.cached_tokens(),
            tokens: usage.completion_tokens.unwrap_or(0),
        })
    }
}

fn answered(post: Post) -> Result<Vec<u8>, String> {
    match post {
        Post::Answer { status: 200, body, .. } => Ok(body),
        Post::Answer { status, body, .. } => {
            let said = parse::<ErrorAnswer>("an error", &body).ok().and_then(|answer| answer.message());
            Err(match said.filter(|said| !said.is_empty()) {
                Some(said) => format!("HTTP {status}: {said}"),
                None => format!("HTTP {status}"),
            })
        }
        Post::TooLong => Err("the answer is too long".to_owned()),
        Post::Timeout => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Post::Failed(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_timed_by_its_tokens_and_counted_by_its_usage() {
        let mut seen = Seen::default();
        seen.take(r#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#, 0.1);
        seen.take(r#"data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}"#, 0.5);
        seen.take(": keep-alive", 0.6);
        seen.take(r#"data: {"choices":[{"delta":{"content":"three tokens"}}]}"#, 1.5);
        seen.take(r#"data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}"#, 1.6);
        seen.take("data: [DONE]", 1.7);
        let timing = seen.timing().expect("whole");
        assert_eq!(timing, Timing { first: 0.5, last: 1.5, prompt_tokens: 20, cached_tokens: 2, tokens: 4 });
        assert_eq!(Seen::default().timing(), Err("the stream ended without its usage".to_owned()));
        let mut broken = Seen::default();
        broken.take("data: {", 0.1);
        assert!(broken.timing().is_err());
    }
}
