//! Lines of JSON: inputs to run, and pairs that an application or the gateway recorded. Formats: docs/shadow.md.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ANSWER_LIMIT, Arm, Failure, Judged, hash, judge, of_parts};
use crate::fleet::Shadow;

/// One input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The application's own name of it, or the hash of its content.
    pub id: String,
    /// The line that it stands on, from 1.
    pub line: usize,
    /// The messages.
    pub messages: Vec<Value>,
    /// What else the request carries: temperature, `max_tokens`, `response_format`.
    pub fields: Map<String, Value>,
}

impl Input {
    /// The hash of what is asked.
    pub fn content(&self) -> String {
        hash(&[&Value::from(self.messages.clone()).to_string(), &Value::from(self.fields.clone()).to_string()])
    }

    /// What the prompt is around the input: system messages and request fields. A part of the fingerprint.
    pub fn prompt(&self) -> String {
        prompt(&self.messages, &self.fields)
    }
}

fn prompt(messages: &[Value], fields: &Map<String, Value>) -> String {
    let system: Vec<&Value> = messages
        .iter()
        .filter(|message| matches!(message.get("role").and_then(Value::as_str), Some("system" | "developer")))
        .collect();
    serde_json::json!([system, fields]).to_string()
}

/// Why a file of inputs is refused; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A line that is none.
    #[error("line {line}: {what}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// One id for two contents.
    #[error("lines {first} and {second} have the id {id:?} and different content")]
    Twice {
        /// The id.
        id: String,
        /// The earlier line.
        first: usize,
        /// The later line.
        second: usize,
    },
}

/// Reads a file of inputs: `{"id": …, "messages": […]}` or `{"id": …, "input": "…"}`, a line each. Repeated lines count once.
pub fn inputs(text: &str) -> Result<Vec<Input>, InputError> {
    let mut found: Vec<Input> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let wrong = |what: String| InputError::Line { line: number, what };
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(format!("no JSON: {error}")))?;
        let Value::Object(mut fields) = value else { return Err(wrong("no JSON object".to_owned())) };
        let id = fields.shift_remove("id");
        fields.shift_remove("model");
        fields.shift_remove("stream");
        let messages = match (fields.shift_remove("messages"), fields.shift_remove("input")) {
            (Some(Value::Array(messages)), None) if !messages.is_empty() => messages,
            (None, Some(Value::String(text))) if !text.is_empty() => {
                vec![serde_json::json!({"role": "user", "content": text})]
            }
            _ => return Err(wrong("it needs `messages`, a list, or `input`, a text".to_owned())),
        };
        let mut input = Input { id: String::new(), line: number, messages, fields };
        let content = input.content();
        input.id = match id {
            None => content.clone(),
            Some(Value::String(id)) if !id.is_empty() && id.len() <= 300 => id,
            Some(Value::Number(id)) => id.to_string(),
            Some(_) => return Err(wrong("`id` is a text of at most 300 bytes, or a number".to_owned())),
        };
        if let Some(earlier) = known.get(&input.id).and_then(|place| found.get(*place)) {
            if earlier.content() == content {
                continue;
            }
            return Err(InputError::Twice { id: input.id, first: earlier.line, second: number });
        }
        known.insert(input.id.clone(), found.len());
        found.push(input);
    }
    Ok(found)
}

/// One side of a recorded pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// The judged answer and its time.
    pub arm: Arm,
    /// Its text, where the recording holds it.
    pub text: Option<String>,
}

/// A pair as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedPair {
    /// The item.
    pub id: String,
    /// The hash of the input; the id's where the recording does not hold it.
    pub content: String,
    /// The prompt around the input, for the fingerprint.
    pub prompt: String,
    /// The input's text.
    pub input: Option<String>,
    /// When, seconds since 1970.
    pub at: Option<i64>,
    /// The reference's answer.
    pub reference: Side,
    /// The local answer.
    pub local: Side,
}

/// A line that could not be read; the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Reads recorded pairs, ours and the gateway's, also mixed: what was understood, what was not, and how many halves found no other.
pub fn recorded(text: &str, shadow: &Shadow) -> (Vec<RecordedPair>, Vec<RecordingError>, usize) {
    let mut pairs = Vec::new();
    let mut errors = Vec::new();
    let mut halves: BTreeMap<String, (Option<Half>, Option<Half>)> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            errors.push(RecordingError { line: number, what: "no JSON".to_owned() });
            continue;
        };
        let read = if value.get("model_group").is_some() {
            half(&value, shadow).map(|(key, half)| {
                let entry = halves.entry(key).or_default();
                let place = if half.is_reference { &mut entry.0 } else { &mut entry.1 };
                place.get_or_insert(half);
            })
        } else {
            whole(&value, shadow).map(|pair| pairs.push(pair))
        };
        if let Err(what) = read {
            errors.push(RecordingError { line: number, what });
        }
    }
    let mut alone = 0;
    for (key, both) in halves {
        match both {
            (Some(reference), Some(local)) => pairs.push(RecordedPair {
                content: reference.content.clone(),
                id: reference.item.clone().or(local.item).unwrap_or(key),
                prompt: reference.prompt,
                input: reference.input,
                at: local.at.max(reference.at),
                reference: reference.side,
                local: local.side,
            }),
            _ => alone += 1,
        }
    }
    pairs.sort_by_key(|pair| pair.at);
    (pairs, errors, alone)
}

/// Our own form: `{"id", "input"|"messages"|"input_hash", "at", "reference": {…}, "local": {…}}`; a side is `{"text"}`, or `{"score", "tier"}`, or `{"error"}`,
/// each with `seconds`.
fn whole(value: &Value, shadow: &Shadow) -> Result<RecordedPair, String> {
    let messages = match (value.get("messages"), value.get("input")) {
        // `input` may be a list too: the gateway's own recorder writes it so (templates/gateway/pairs.py).
        (Some(Value::Array(messages)), _) | (None, Some(Value::Array(messages))) => Some(messages.clone()),
        (None, Some(Value::String(text))) => Some(vec![serde_json::json!({"role": "user", "content": text})]),
        _ => None,
    };
    let no_fields = Map::new();
    let content = match (&messages, value.get("input_hash").and_then(Value::as_str)) {
        (Some(messages), _) => Some(hash(&[&Value::from(messages.clone()).to_string(), "{}"])),
        (None, Some(given)) => Some(given.to_owned()),
        (None, None) => None,
    };
    let id = match value.get("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 300 => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        None => content.clone(),
        Some(_) => return Err("`id` is a text of at most 300 bytes, or a number".to_owned()),
    };
    let id = id.ok_or("it needs an `id`, or its input")?;
    let at = match value.get("at") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            Some(text.parse::<jiff::Timestamp>().map_err(|_| "`at` is no time of RFC 3339".to_owned())?.as_second())
        }
        Some(_) => return Err("`at` is no time of RFC 3339".to_owned()),
    };
    let part = |name: &str| {
        side(value.get(name).ok_or(format!("no `{name}`"))?, shadow).map_err(|what| format!("`{name}`: {what}"))
    };
    Ok(RecordedPair {
        content: content.unwrap_or_else(|| hash(&[&id])),
        prompt: value
            .get("prompt_version")
            .and_then(Value::as_str)
            .map_or_else(|| prompt(messages.as_deref().unwrap_or_default(), &no_fields), str::to_owned),
        input: messages.map(|messages| Value::from(messages).to_string()),
        at,
        reference: part("reference")?,
        local: part("local")?,
        id,
    })
}

fn side(value: &Value, shadow: &Shadow) -> Result<Side, String> {
    let seconds = value.get("seconds").and_then(Value::as_f64).filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let text = value.get("text").and_then(Value::as_str);
    let said = if let Some(error) = value.get("error").and_then(Value::as_str) {
        Err(Failure::parse(error).unwrap_or_else(|| of_error(error)))
    } else if let Some(text) = text {
        judge(text, shadow)
    } else if value.get("text").is_some_and(Value::is_null) {
        Err(Failure::Empty)
    } else {
        let score = value.get("score").ok_or("neither `text` nor `score` nor `error`")?;
        match value.get("tier").and_then(Value::as_str) {
            Some(tier) => of_parts(score, tier, &shadow.tiers),
            None => Err(Failure::NoTier),
        }
    };
    Ok(Side { arm: Arm { said, seconds }, text: kept(text) })
}

/// What a client's error text amounts to.
fn of_error(error: &str) -> Failure {
    let error = error.to_ascii_lowercase();
    if error.contains("timeout") || error.contains("timed out") { Failure::Timeout } else { Failure::Refused }
}

fn kept(text: Option<&str>) -> Option<String> {
    text.filter(|text| text.len() <= ANSWER_LIMIT).map(str::to_owned)
}

/// One answer in the gateway's log.
struct Half {
    is_reference: bool,
    item: Option<String>,
    content: String,
    prompt: String,
    input: Option<String>,
    at: Option<i64>,
    side: Side,
}

/// `LiteLLM`'s logging payload (StandardLoggingPayload): `model_group` is `shadow.NAME` for the reference and the slot's name for the fleet; both answers of
/// one request share `trace_id`, or at least their messages.
fn half(value: &Value, shadow: &Shadow) -> Result<(String, Half), String> {
    let group = value.get("model_group").and_then(Value::as_str).unwrap_or_default();
    let is_reference = group == format!("shadow.{}", shadow.name);
    if !is_reference && group != shadow.slot.as_str() {
        return Err(format!("model group {group:?} is neither shadow.{} nor {}", shadow.name, shadow.slot));
    }
    let messages = value.get("messages").cloned().unwrap_or(Value::Null);
    let content = hash(&[&messages.to_string(), "{}"]);
    let text = value.pointer("/response/choices/0/message/content").and_then(Value::as_str);
    let time = |name: &str| value.get(name).and_then(Value::as_f64);
    let seconds = time("startTime").zip(time("endTime")).map(|(start, end)| (end - start).max(0.0));
    let failed = value.get("status").and_then(Value::as_str) == Some("failure");
    let said = match text {
        _ if failed => Err(of_error(value.get("error_str").and_then(Value::as_str).unwrap_or_default())),
        Some(text) => judge(text, shadow),
        None => Err(Failure::Empty),
    };
    let list = messages.as_array().cloned().unwrap_or_default();
    let trace = value.get("trace_id").and_then(Value::as_str).filter(|trace| !trace.is_empty());
    let key = trace.map_or_else(|| content.clone(), str::to_owned);
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds since 1970")]
    let at = time("endTime").map(|end| end as i64);
    let item = value.pointer("/metadata/requester_metadata/item").and_then(Value::as_str).map(str::to_owned);
    Ok((
        key,
        Half {
            is_reference,
            item,
            prompt: prompt(&list, &Map::new()),
            input: (!messages.is_null()).then(|| messages.to_string()),
            content,
            at,
            side: Side { arm: Arm { said, seconds }, text: kept(text) },
        },
    ))
}

impl Side {
    /// The judgement, where there is one.
    pub fn judged(&self) -> Option<Judged> {
        self.arm.said.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn inputs_are_read_or_refused_whole() {
        let text = "{\"id\":\"a\",\"input\":\"one\"}\n\n{\"id\":2,\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}],\"temperature\":0}\n{\"id\":\"a\",\"input\":\"one\"}\n{\"input\":\"one\"}";
        let found = inputs(text).expect("inputs");
        assert_eq!(found.iter().map(|input| input.line).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(found[1].id, "2");
        assert_eq!(found[0].content(), found[2].id, "without an id the content names it");
        assert_ne!(found[0].prompt(), found[1].prompt());
        for (text, error) in [
            (
                "{\"id\":\"a\",\"input\":\"one\"}\n{\"id\":\"a\",\"input\":\"two\"}",
                "lines 1 and 2 have the id \"a\" and different content",
            ),
            ("x", "line 1: no JSON: expected value at line 1 column 1"),
            ("[]", "line 1: no JSON object"),
            ("{\"id\":\"a\"}", "line 1: it needs `messages`, a list, or `input`, a text"),
            ("{\"id\":\"\",\"input\":\"x\"}", "line 1: `id` is a text of at most 300 bytes, or a number"),
        ] {
            assert_eq!(inputs(text).expect_err("refused").to_string(), error);
        }
    }

    #[test]
    fn our_own_form_and_the_gateways() {
        let fleet = testing::example();
        let shadow = fleet.shadows.get("job-score").expect("declared");
        let gateway = |group: &str, content: &str, trace: &str| {
            serde_json::json!({"model_group": group, "trace_id": trace, "messages": [{"role": "user", "content": "q"}],
                "response": {"choices": [{"message": {"content": content}}]}, "startTime": 100.0, "endTime": 102.5, "status": "success"})
            .to_string()
        };
        let text = [
            r#"{"id":"1","input":"x","at":"2026-01-02T03:04:05Z","reference":{"score":80,"tier":"Strong","seconds":2},"local":{"text":"{\"score\":70,\"tier\":\"Medium\"}","seconds":9}}"#.to_owned(),
            r#"{"id":"2","reference":{"score":80,"tier":"Strong"},"local":{"error":"timeout","seconds":30}}"#.to_owned(),
            gateway("shadow.job-score", r#"{"score":1,"tier":"No"}"#, "t"),
            gateway("score-deep", "```json\n{\"score\":2,\"tier\":\"No\"}\n```", "t"),
            r#"{"id":"g","at":"2026-01-02T03:04:06Z","input":[{"role":"user","content":"z"}],"reference":{"model":"m","text":"{\"score\":1,\"tier\":\"No\"}","error":null,"seconds":1.0},"local":{"model":"n","text":null,"error":"Request timed out.","seconds":9.0}}"#.to_owned(),
            gateway("shadow.job-score", "x", "alone"),
            gateway("chat", "x", "y"),
            "x".to_owned(),
            r#"{"id":"3","reference":{}}"#.to_owned(),
        ]
        .join("\n");
        let (pairs, errors, alone) = recorded(&text, shadow);
        assert_eq!((pairs.len(), alone), (4, 1));
        let by_id = |id: &str| pairs.iter().find(|pair| pair.id == id).expect("a pair");
        assert_eq!(by_id("1").local.judged(), Some(Judged { score: 70.0, tier: 1 }));
        assert_eq!(by_id("1").at, Some(1_767_323_045));
        assert_eq!(by_id("2").local.arm, Arm { said: Err(Failure::Timeout), seconds: Some(30.0) });
        assert_eq!((by_id("t").reference.judged().map(|j| j.tier), by_id("t").local.arm.seconds), (Some(3), Some(2.5)));
        assert_eq!(by_id("g").local.arm.said, Err(Failure::Timeout));
        let said: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.line, error.what)).collect();
        assert_eq!(
            said,
            [
                "7: model group \"chat\" is neither shadow.job-score nor score-deep",
                "8: no JSON",
                "9: `reference`: neither `text` nor `score` nor `error`"
            ]
        );
    }
}
