//! Where secrets are found. A literal secret is refused.

use super::values::Problems;
use crate::config::node::{Node, Value};
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::SecretSource;

/// A secret that stands in the file.
pub(crate) static LITERAL_SECRET: Code = Code {
    id: "literal-secret",
    severity: Severity::Error,
    title: "a secret that stands in the file",
    explanation: "The fleet file is kept in a repository, shown in diffs and copied to machines. It names where a secret is found: \
                  { env = \"NAME\" }, { file = \"~/.secrets/key\" } or { command = [\"security\", \"find-generic-password\", …] }.\n\n\
                  If the secret was ever committed, make a new one.",
};

/// A source of secrets that is none.
pub(crate) static SECRET_SOURCE: Code = Code {
    id: "invalid-secret-source",
    severity: Severity::Error,
    title: "a source of a secret that is none",
    explanation: "A secret's source is a table with exactly one of `env` (the name of a variable), `file` (a path) and `command` \
                  (a list: a program and its arguments).",
};

pub(crate) static CODES: [&Code; 2] = [&LITERAL_SECRET, &SECRET_SOURCE];

const HELP: &str = "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

/// Whether a text begins as the keys of well-known services do.
pub(crate) fn looks_like_one(text: &str) -> bool {
    const PREFIXES: [&str; 10] =
        ["sk-", "sk_", "hf_", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "AKIA", "-----BEGIN "];
    text.len() >= 16 && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// The source of a secret.
pub(crate) fn source(node: Option<&Node>, what: &str, problems: &mut Problems) -> Option<SecretSource> {
    let node = node?;
    let wrong = |span: std::ops::Range<usize>, why: String| Problem::at(&SECRET_SOURCE, span, why).help(HELP);
    let table = match &node.value {
        Value::Table(table) => table,
        Value::String(_) => {
            // The value itself is not repeated: the message may be logged.
            problems.push(
                Problem::at(&LITERAL_SECRET, node.span.clone(), format!("{what} holds the secret itself")).help(HELP),
            );
            return None;
        }
        other => {
            problems.push(wrong(node.span.clone(), format!("{what} takes a table, not {}", other.kind())));
            return None;
        }
    };
    let mut entries = table.iter();
    let (Some((key, entry)), None) = (entries.next(), entries.next()) else {
        problems.push(wrong(node.span.clone(), format!("{what} takes exactly one of env, file and command")));
        return None;
    };
    let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    let source = match (key.as_str(), &entry.node.value) {
        ("env", Value::String(name)) => {
            let is_name = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit());
            is_name.then(|| SecretSource::Env(name.clone()))
        }
        ("file", Value::String(path)) => plain(path).then(|| SecretSource::File(path.clone())),
        ("command", Value::Array(items)) => items
            .iter()
            .map(|item| match &item.value {
                Value::String(text) if !text.contains('\0') => Some(text.clone()),
                _ => None,
            })
            .collect::<Option<Vec<String>>>()
            .filter(|argv| argv.first().is_some_and(|program| plain(program)))
            .map(SecretSource::Command),
        ("env" | "file" | "command", _) => None,
        _ => {
            problems.push(wrong(entry.key.clone(), format!("{what} has no source `{}`", key.escape_debug())));
            return None;
        }
    };
    if source.is_none() {
        let wanted = match key.as_str() {
            "env" => "the name of an environment variable",
            "file" => "a path",
            _ => "a list of texts: a program and its arguments",
        };
        problems.push(wrong(entry.node.span.clone(), format!("{what}.{key} takes {wanted}")));
    }
    source
}
