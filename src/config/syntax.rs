//! Text → tree, with every syntax error: TOML, or the canonical JSON form.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::node::{Entry, Node, Table, Value};
use super::source::Source;
use crate::diagnostic::{Code, Problem, Severity};

/// Not TOML.
pub(crate) static SYNTAX: Code = Code {
    id: "syntax",
    severity: Severity::Error,
    title: "the file is not TOML",
    explanation: "The text breaks the grammar of TOML 1.1 at the place shown: a quote or bracket that is not closed, a key \
                  without a value, a key that stands twice in one table, a table that is declared twice.\n\nAll syntax errors \
                  are shown at once; what stands in the broken lines is not checked until they are mended.",
};

/// The file has no content.
pub(crate) static EMPTY: Code = Code {
    id: "empty-file",
    severity: Severity::Error,
    title: "the file is empty",
    explanation: "A fleet file holds at least [fleet], [omlx] and one machine. `fleetctl init` writes a first one.",
};

pub(crate) static CODES: [&Code; 2] = [&SYNTAX, &EMPTY];

/// Parses the text. The table holds what could be understood, also behind errors.
pub(crate) fn parse(source: &Source, problems: &mut Vec<Problem>) -> Table {
    let text = source.text();
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        problems.push(
            Problem::general(&EMPTY, "the fleet file is empty").help("`fleetctl init` writes a first fleet.toml"),
        );
        return Table::new();
    }
    // The canonical form starts with a brace; no TOML document can.
    if text.trim_start().starts_with('{') {
        return json(text, problems);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut seen: Vec<(usize, String)> = Vec::new();
    for error in errors {
        let span = clamp(error.span().unwrap_or(0..0), text);
        let message = one_line(error.message());
        // The parser reports what follows from an error again at the same place.
        if !seen.contains(&(span.start, message.clone())) {
            seen.push((span.start, message.clone()));
            problems.push(Problem::at(&SYNTAX, span, message));
        }
    }
    table(document.into_inner())
}

fn json(text: &str, problems: &mut Vec<Problem>) -> Table {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(document) => match Value::from(&document) {
            Value::Table(table) => return table,
            _ => problems.push(Problem::general(&SYNTAX, "the JSON document is no object")),
        },
        Err(error) => {
            let offset: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = (offset + error.column().saturating_sub(1)).min(text.len());
            problems.push(Problem::at(&SYNTAX, clamp(at..at + 1, text), one_line(&error.to_string())));
        }
    }
    Table::new()
}

/// A span within the text, on character boundaries.
fn clamp(span: Range<usize>, text: &str) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    start..end
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn table(parsed: DeTable<'_>) -> Table {
    parsed
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            (key.into_inner().into_owned(), Entry { key: span, node: node(value) })
        })
        .collect()
}

fn node(parsed: toml::Spanned<DeValue<'_>>) -> Node {
    let span = parsed.span();
    let value = match parsed.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Huge(number.to_string()), Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::Huge(number.to_string()), Value::Float)
        }
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::Array(items.into_iter().map(node).collect()),
        DeValue::Table(inner) => Value::Table(table(inner)),
    };
    Node::new(value, span)
}
