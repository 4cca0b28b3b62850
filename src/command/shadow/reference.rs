//! The reference model: how its two APIs are asked, and what their answers mean.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::fleet::{ReferenceApi, Shadow};
use crate::secret::SecretString;
use crate::shadow::{Arm, Failure, Input, judge};
use crate::transport::{JsonClient, KeyHeader, Post};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often a request is repeated that met a full or failing server.
const ATTEMPTS: u32 = 4;
/// The longest wait before one, seconds.
const LONGEST_WAIT: u64 = 60;
/// Anthropic's API wants a limit; an input may set its own.
const MAX_TOKENS: u32 = 4_096;

/// What the reference said.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Judged, and timed.
    pub(super) arm: Arm,
    /// Its text.
    pub(super) text: Option<String>,
    /// Prompt and completion tokens, as it counts them.
    pub(super) tokens: Option<(u32, u32)>,
    /// Whether it was an answer at all: then it was paid for, and is not asked for again.
    pub(super) paid: bool,
    /// Why no other input would fare better: a refused key, an unknown model.
    pub(super) hopeless: Option<String>,
}

/// Asks for one input, again where the server is full.
pub(super) async fn ask(client: &JsonClient, shadow: &Shadow, key: Option<&SecretString>, input: &Input) -> Answer {
    let (url, body, header) = request(shadow, input);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let posted = client.post(&url, key.map(|key| (key, header)), &body, PATIENCE).await;
        let none = |failure, hopeless| Answer {
            arm: Arm { said: Err(failure), seconds: Some(posted.seconds) },
            text: None,
            tokens: None,
            paid: false,
            hopeless,
        };
        let (failure, wait) = match &posted.got {
            Post::Answer { status: 200, body, .. } => return read(shadow, body, posted.seconds),
            Post::Answer { status: status @ (408 | 409 | 429 | 500..), retry_after, .. } => (
                Failure::Refused,
                retry_after.unwrap_or(1 << attempt.min(6)).min(LONGEST_WAIT).max(u64::from(*status == 429)),
            ),
            Post::Answer { status, body, .. } => {
                let said = serde_json::from_slice::<Value>(body)
                    .ok()
                    .and_then(|value| value.pointer("/error/message").and_then(Value::as_str).map(str::to_owned))
                    .unwrap_or_default();
                let said: String = said.chars().take(200).collect();
                // 400 and 413 may be about this input alone.
                let hopeless = matches!(status, 401..=404)
                    .then(|| format!("{url} answered {status} {said}").trim_end().to_owned());
                return none(Failure::Refused, hopeless);
            }
            Post::TooLong => return Answer { paid: true, ..none(Failure::TooLong, None) },
            // A request that timed out may have been worked on and paid for: it is not repeated by itself.
            Post::Timeout => return none(Failure::Timeout, None),
            Post::Failed(said) if attempt >= 2 => {
                return none(Failure::Unreachable, Some(format!("{url}: {said}")));
            }
            Post::Failed(_) => (Failure::Unreachable, 1),
        };
        if attempt >= ATTEMPTS {
            return none(failure, None);
        }
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
}

fn request(shadow: &Shadow, input: &Input) -> (String, Value, KeyHeader) {
    let reference = &shadow.reference;
    match reference.api {
        ReferenceApi::OpenAi => {
            let mut body = input.fields.clone();
            body.insert("model".to_owned(), json!(reference.model));
            body.insert("messages".to_owned(), Value::from(input.messages.clone()));
            (format!("{}/chat/completions", reference.base_url), Value::Object(body), KeyHeader::Bearer)
        }
        ReferenceApi::Anthropic => {
            let root = reference.base_url.trim_end_matches("/v1");
            (format!("{root}/v1/messages"), anthropic(&reference.model, input), KeyHeader::Anthropic)
        }
    }
}

/// The same request in Anthropic's form: system messages apart, `max_tokens` always, `stop` by its other name; what it does not know is left out.
fn anthropic(model: &str, input: &Input) -> Value {
    let role = |message: &&Value| message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (system, messages): (Vec<&Value>, Vec<&Value>) =
        input.messages.iter().partition(|message| matches!(role(message).as_str(), "system" | "developer"));
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    let limit = input.fields.get("max_tokens").or_else(|| input.fields.get("max_completion_tokens"));
    body.insert("max_tokens".to_owned(), limit.cloned().unwrap_or_else(|| json!(MAX_TOKENS)));
    let texts: Vec<&str> = system.iter().filter_map(|message| message.get("content").and_then(Value::as_str)).collect();
    if !texts.is_empty() {
        body.insert("system".to_owned(), json!(texts.join("\n\n")));
    }
    for field in ["temperature", "top_p", "top_k"] {
        if let Some(value) = input.fields.get(field) {
            body.insert(field.to_owned(), value.clone());
        }
    }
    match input.fields.get("stop") {
        Some(Value::String(stop)) => drop(body.insert("stop_sequences".to_owned(), json!([stop]))),
        Some(Value::Array(stop)) => drop(body.insert("stop_sequences".to_owned(), json!(stop))),
        _ => {}
    }
    body.insert("messages".to_owned(), json!(messages));
    Value::Object(body)
}

fn read(shadow: &Shadow, body: &[u8], seconds: f64) -> Answer {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let (text, tokens, cut) = match shadow.reference.api {
        ReferenceApi::OpenAi => chat_answer(&value),
        ReferenceApi::Anthropic => {
            let parts = value.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
            let text: String = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
            let tokens = count(&value, "/usage/input_tokens").zip(count(&value, "/usage/output_tokens"));
            (text, tokens, value.get("stop_reason").and_then(Value::as_str) == Some("max_tokens"))
        }
    };
    let arm = Arm { said: judged(&text, cut, shadow), seconds: Some(seconds) };
    Answer { arm, text: Some(text), tokens, paid: true, hopeless: None }
}

/// Text, tokens, and whether it was cut off, of an answer in the form of chat completions.
pub(super) fn chat_answer(value: &Value) -> (String, Option<(u32, u32)>, bool) {
    let text = value.pointer("/choices/0/message/content").and_then(Value::as_str).unwrap_or_default().to_owned();
    let tokens = count(value, "/usage/prompt_tokens").zip(count(value, "/usage/completion_tokens"));
    (text, tokens, value.pointer("/choices/0/finish_reason").and_then(Value::as_str) == Some("length"))
}

/// An answer that was cut off and holds no verdict is truncated, whatever else is wrong with it.
pub(super) fn judged(text: &str, cut: bool, shadow: &Shadow) -> Result<crate::shadow::Judged, Failure> {
    judge(text, shadow).map_err(|failure| if cut && failure != Failure::TooLong { Failure::Truncated } else { failure })
}

fn count(value: &Value, pointer: &str) -> Option<u32> {
    value.pointer(pointer).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::inputs;
    use crate::testing;

    #[test]
    fn both_apis_are_asked_in_their_own_words() {
        let text = include_str!("../../../fleet.toml");
        let line = r#"{"id":1,"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"temperature":0,"stop":"x","response_format":{"type":"json_object"}}"#;
        let input = inputs(line).expect("an input").remove(0);
        let of = |text: &str| {
            let fleet = testing::fleet(text);
            request(fleet.shadows.get("job-score").expect("declared"), &input)
        };
        let (url, body, header) = of(text);
        assert_eq!((url.as_str(), header), ("https://api.openai.com/v1/chat/completions", KeyHeader::Bearer));
        assert_eq!(body["response_format"]["type"], "json_object");
        let (url, body, header) = of(&text.replace("https://api.openai.com/v1", "https://api.anthropic.com/v1"));
        assert_eq!((url.as_str(), header), ("https://api.anthropic.com/v1/messages", KeyHeader::Anthropic));
        insta::assert_snapshot!(body, @r#"{"model":"gpt-5","max_tokens":4096,"system":"s","temperature":0,"stop_sequences":["x"],"messages":[{"role":"user","content":"u"}]}"#);
    }

    #[test]
    fn answers_are_read_and_counted() {
        let fleet = testing::example();
        let shadow = fleet.shadows.get("job-score").expect("declared");
        let answer = |text: &str, end: &str| {
            let body = json!({"choices": [{"message": {"content": text}, "finish_reason": end}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}});
            read(shadow, body.to_string().as_bytes(), 1.5)
        };
        let good = answer(r#"{"score":3,"tier":"Weak"}"#, "stop");
        assert_eq!((good.arm.said.map(|j| j.tier), good.tokens, good.paid), (Ok(2), Some((7, 3)), true));
        assert_eq!(answer("I think that", "length").arm.said, Err(Failure::Truncated));
        assert_eq!(read(shadow, b"<html>", 1.0).arm.said, Err(Failure::Empty));
    }
}
