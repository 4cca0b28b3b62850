//! JSON types and sensible ranges of oMLX's settings, and whether a value fits.

use serde_json::Value;

pub use crate::fleet::Release;

use super::parse_size;

/// The JSON type of a setting, as the release's dataclass declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any number; a whole one is as good.
    Number,
    /// A text.
    Text,
    /// A list of texts.
    TextList,
    /// An object of anything.
    Object,
    /// An object of whole numbers.
    IntObject,
    /// A list of anything.
    List,
}

impl Kind {
    /// As a message says it: `a whole number`.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::TextList => "a list of texts",
            Self::Object => "a table",
            Self::IntObject => "a table of whole numbers",
            Self::List => "a list",
        }
    }

    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Int => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::TextList => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Object => value.is_object(),
            Self::IntObject => value.as_object().is_some_and(|map| map.values().all(|v| v.is_i64() || v.is_u64())),
            Self::List => value.is_array(),
        }
    }
}

/// The sensible range of a setting. oMLX 0.3.8 itself checks almost none of these for a model (seen: a `top_p` of 7 is answered with 200).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Whatever the type allows.
    Any,
    /// At least this.
    AtLeast(f64),
    /// More than this.
    Above(f64),
    /// Between the two, both included.
    Between(f64, f64),
    /// More than the first, at most the second.
    AboveUpTo(f64, f64),
    /// One of these numbers.
    Numbers(&'static [f64]),
    /// One of these texts.
    Texts(&'static [&'static str]),
    /// A size as `config.parse_size` reads it, above 0.
    Size,
    /// A size, 0 included.
    SizeOrZero,
    /// `"auto"` or a size above 0.
    AutoOrSize,
    /// `"auto"`, `"disabled"` or a size.
    AutoDisabledOrSize,
    /// `"auto"`, `"disabled"`, `"NN%"` of RAM with NN from 10 to 99, or a size.
    AutoDisabledPercentOrSize,
    /// Empty, or begins with `http://` or `https://`.
    Url,
}

/// Why a value does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Of another JSON type.
    #[error("must be {0}")]
    Kind(&'static str),
    /// Of the right type and out of range; the text says what the range is.
    #[error("must be {0}")]
    Range(String),
}

impl Range {
    /// As a message says it: `between 0 and 2`; `None` when every value of the type fits.
    pub fn describe(self) -> Option<String> {
        let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
        Some(match self {
            Self::Any => return None,
            Self::AtLeast(low) => format!("at least {low}"),
            Self::Above(low) => format!("above {low}"),
            Self::Between(low, high) => format!("between {low} and {high}"),
            Self::AboveUpTo(low, high) => format!("above {low} and at most {high}"),
            Self::Numbers(numbers) => format!("one of {}", list(&mut numbers.iter().map(f64::to_string))),
            Self::Texts(texts) => format!("one of {}", list(&mut texts.iter().map(|text| format!("\"{text}\"")))),
            Self::Size => "a size above 0, as in \"20GB\"".to_owned(),
            Self::SizeOrZero => "a size, as in \"8GB\", or \"0\"".to_owned(),
            Self::AutoOrSize => "\"auto\" or a size above 0, as in \"100GB\"".to_owned(),
            Self::AutoDisabledOrSize => "\"auto\", \"disabled\" or a size, as in \"48GB\"".to_owned(),
            Self::AutoDisabledPercentOrSize => {
                "\"auto\", \"disabled\", a share of RAM from \"10%\" to \"99%\", or a size, as in \"48GB\"".to_owned()
            }
            Self::Url => "empty or begin with http:// or https://".to_owned(),
        })
    }

    fn accepts(self, value: &Value) -> bool {
        let number = |test: &dyn Fn(f64) -> bool| value.as_f64().is_some_and(test);
        let text = |test: &dyn Fn(&str) -> bool| value.as_str().is_some_and(test);
        let size = |text: &str| parse_size(text).is_ok_and(|bytes| bytes > 0);
        match self {
            Self::Any => true,
            Self::AtLeast(low) => number(&|n| n >= low),
            Self::Above(low) => number(&|n| n > low),
            Self::Between(low, high) => number(&|n| (low..=high).contains(&n)),
            Self::AboveUpTo(low, high) => number(&|n| n > low && n <= high),
            Self::Numbers(numbers) => number(&|n| numbers.contains(&n)),
            Self::Texts(texts) => text(&|t| texts.contains(&t)),
            Self::Size => text(&size),
            Self::SizeOrZero => text(&|t| parse_size(t).is_ok()),
            Self::AutoOrSize => text(&|t| t.eq_ignore_ascii_case("auto") || size(t)),
            Self::AutoDisabledOrSize => text(&|t| is_word(t) || size(t)),
            Self::AutoDisabledPercentOrSize => {
                text(&|t| is_word(t) || percent_of_ram(t).map_or_else(|| size(t), |n| (10..=99).contains(&n)))
            }
            Self::Url => text(&|t| t.is_empty() || t.starts_with("http://") || t.starts_with("https://")),
        }
    }
}

fn is_word(text: &str) -> bool {
    text.eq_ignore_ascii_case("auto") || text.eq_ignore_ascii_case("disabled")
}

/// The share of RAM that a `max_process_memory` names: `"80%"`, and the bare `"80"`, are 80 (0.3.8 settings.py, `parse_process_memory`).
/// `None`: it is no share but something else.
pub(super) fn percent_of_ram(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(number) = text.strip_suffix('%') {
        return number.trim().parse().ok().or(Some(0));
    }
    text.parse().ok().filter(|n| (10..=99).contains(n))
}

/// Checks a value against a type and a range. `null` never fits: a key that is not wanted is absent.
///
/// Errors: [`Misfit`], whose text continues "NAME …".
pub(super) fn check(kind: Kind, range: Range, value: &Value) -> Result<(), Misfit> {
    if !kind.accepts(value) {
        return Err(Misfit::Kind(kind.describe()));
    }
    if range.accepts(value) {
        return Ok(());
    }
    Err(Misfit::Range(range.describe().unwrap_or_else(|| kind.describe().to_owned())))
}

/// Whether two values mean the same to oMLX: numbers by value (`4` is `4.0`), objects without regard to order, lists in order.
pub fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => {
            if a == b {
                return true;
            }
            let whole = |n: &serde_json::Number| n.is_i64() || n.is_u64();
            let equal = a.as_f64() == b.as_f64();
            !(whole(a) && whole(b)) && equal
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(same_value(&json!(4), &json!(4.0)));
        assert!(same_value(&json!({"a": [1, 2.0], "b": null}), &json!({"b": null, "a": [1.0, 2]})));
        assert!(!same_value(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert!(!same_value(&json!([1, 2]), &json!([2, 1])));
        assert!(!same_value(&json!("4"), &json!(4)));
        assert!(!same_value(&json!(true), &json!(1)));
    }

    #[test]
    fn a_true_is_no_number_and_a_share_has_its_bounds() {
        assert_eq!(check(Kind::Number, Range::Any, &json!(true)), Err(Misfit::Kind("a number")));
        assert_eq!(check(Kind::Int, Range::Any, &json!(2.0)), Err(Misfit::Kind("a whole number")));
        for (text, fits) in
            [("auto", true), ("80%", true), ("80", true), ("48GB", true), ("9%", false), ("100%", false), ("x%", false)]
        {
            let checked = check(Kind::Text, Range::AutoDisabledPercentOrSize, &json!(text));
            assert_eq!(checked.is_ok(), fits, "{text}");
        }
    }
}
