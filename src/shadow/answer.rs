//! From the text of an answer to a score and a tier. The text is a stranger's: it may be empty, cut off, ten megabytes long, or chat around the JSON.

use serde_json::Value;

use crate::fleet::Shadow;

/// The longest answer that is read, bytes.
pub const LIMIT: usize = 1 << 20;
/// The largest score, either way. The fleet file declares no range; what lies outside of this is no score of anybody's.
const LARGEST: f64 = 1e6;
/// So many places where an object may begin are tried; a text with more braces is not worth the time.
const PLACES: usize = 512;

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The score.
    pub score: f64,
    /// The place of the tier in `tiers`, 0 is best.
    pub tier: u8,
}

/// Why an answer counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Nothing, or blanks.
    Empty,
    /// More than [`LIMIT`].
    TooLong,
    /// A JSON object begins and does not end.
    Truncated,
    /// No JSON object in it.
    NotJson,
    /// No value at the pointer of the score.
    NoScore,
    /// The score is no finite number.
    BadScore,
    /// The score is too large to be one.
    OutOfRange,
    /// No text at the pointer of the tier.
    NoTier,
    /// A tier that is not declared.
    UnknownTier,
    /// No answer in time.
    Timeout,
    /// No connection.
    Unreachable,
    /// The server refused or failed.
    Refused,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Empty,
        Self::TooLong,
        Self::Truncated,
        Self::NotJson,
        Self::NoScore,
        Self::BadScore,
        Self::OutOfRange,
        Self::NoTier,
        Self::UnknownTier,
        Self::Timeout,
        Self::Unreachable,
        Self::Refused,
    ];

    /// As the store and the report write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Truncated => "truncated",
            Self::NotJson => "not-json",
            Self::NoScore => "no-score",
            Self::BadScore => "bad-score",
            Self::OutOfRange => "out-of-range",
            Self::NoTier => "no-tier",
            Self::UnknownTier => "unknown-tier",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
        }
    }

    /// The failure that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == text)
    }
}

/// Reads score and tier out of an answer: plain JSON, JSON in a fence, or the last object in a chat that holds both.
pub fn judge(text: &str, shadow: &Shadow) -> Result<Judged, Failure> {
    if text.len() > LIMIT {
        return Err(Failure::TooLong);
    }
    // What a model thinks aloud is no answer.
    let text = text.rsplit_once("</think>").map_or(text, |(_, answer)| answer).trim();
    if text.is_empty() {
        return Err(Failure::Empty);
    }
    let mut last = Err(Failure::NotJson);
    let mut from = 0;
    for _ in 0..PLACES {
        let Some(place) = text.get(from..).and_then(|rest| rest.find(['{', '['])).map(|place| place + from) else {
            break;
        };
        let mut stream = serde_json::Deserializer::from_str(&text[place..]).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                from = place + stream.byte_offset().max(1);
                let found = of_value(&value, shadow);
                // A later object that lacks both says nothing against an earlier one that has them.
                if found.is_ok() || last.is_err() {
                    last = found;
                }
            }
            Some(Err(error)) if error.is_eof() => {
                // Cut off, or prose that opens a brace; an inner object could still be whole.
                if last == Err(Failure::NotJson) {
                    last = Err(Failure::Truncated);
                }
                from = place + 1;
            }
            _ => from = place + 1,
        }
    }
    last
}

/// Reads score and tier out of a document.
pub fn of_value(value: &Value, shadow: &Shadow) -> Result<Judged, Failure> {
    let score = value.pointer(&shadow.score).ok_or(Failure::NoScore)?;
    let tier = value.pointer(&shadow.tier).and_then(Value::as_str).ok_or(Failure::NoTier)?;
    of_parts(score, tier, &shadow.tiers)
}

/// The same of a score and a tier that an application has already taken out.
pub fn of_parts(score: &Value, tier: &str, tiers: &[String]) -> Result<Judged, Failure> {
    let score = match score {
        Value::Number(number) => number.as_f64(),
        // Models quote numbers now and then.
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let score = score.filter(|score| score.is_finite()).ok_or(Failure::BadScore)?;
    if score.abs() > LARGEST {
        return Err(Failure::OutOfRange);
    }
    let tier = tiers.iter().position(|known| known.eq_ignore_ascii_case(tier.trim())).ok_or(Failure::UnknownTier)?;
    Ok(Judged { score, tier: u8::try_from(tier).map_err(|_| Failure::UnknownTier)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn said(text: &str) -> Result<(f64, u8), &'static str> {
        let fleet = testing::example();
        let shadow = fleet.shadows.get("job-score").expect("declared");
        judge(text, shadow).map(|judged| (judged.score, judged.tier)).map_err(Failure::as_str)
    }

    #[test]
    fn plain_fenced_and_chatty() {
        for text in [
            r#"{"score": 87.5, "tier": "Strong"}"#,
            "```json\n{\"score\": 87.5, \"tier\": \"strong\"}\n```",
            "Sure! The schema is {\"score\": number}. Here:\n{\"why\": \"{braces}\", \"tier\": \" Strong \", \"score\": \"87.5\"}\nAnything else? {}",
            "<think>{\"score\": 1, \"tier\": \"No\"}</think>\n{\"score\": 87.5, \"tier\": \"Strong\"}",
            "{ not json { \"score\": 87.5, \"tier\": \"Strong\" }",
        ] {
            assert_eq!(said(text), Ok((87.5, 0)), "{text}");
        }
        assert_eq!(said(r#"{"score":1,"tier":"No"} or rather {"score":2,"tier":"Weak"}"#), Ok((2.0, 2)));
    }

    #[test]
    fn what_is_no_answer() {
        for (text, failure) in [
            ("", "empty"),
            (" \n\t", "empty"),
            ("<think>so so</think>  ", "empty"),
            ("I would say Strong, 87.", "not-json"),
            (r#"{"score": 87.5, "tier": "Str"#, "truncated"),
            (r#"{"score": NaN, "tier": "Strong"}"#, "not-json"),
            (r#"{"score": "NaN", "tier": "Strong"}"#, "bad-score"),
            (r#"{"score": null, "tier": "Strong"}"#, "bad-score"),
            (r#"{"score": 1e7, "tier": "Strong"}"#, "out-of-range"),
            (r#"{"score": 1e999, "tier": "Strong"}"#, "not-json"),
            (r#"{"tier": "Strong"}"#, "no-score"),
            (r#"{"score": 1}"#, "no-tier"),
            (r#"{"score": 1, "tier": 3}"#, "no-tier"),
            (r#"{"score": 1, "tier": "Great\u001b[2J"}"#, "unknown-tier"),
            ("[]", "no-score"),
        ] {
            assert_eq!(said(text), Err(failure), "{text}");
        }
        assert_eq!(said(&"x".repeat(10 << 20)), Err("too-long"));
        assert_eq!(said(&"{".repeat(LIMIT)), Err("not-json"), "and in no time");
    }

    #[test]
    fn failures_are_written_and_read() {
        for failure in Failure::ALL {
            assert_eq!(Failure::parse(failure.as_str()), Some(failure));
        }
        assert_eq!(Failure::parse("x"), None);
    }
}
