//! docs/fleet-file.md, made of the schema and of oMLX's own tables, so that the reference cannot say what the program does not.

use std::fmt::Write as _;

use serde_json::Value;

use crate::omlx::{self, Effect, Release};

const HEAD: &str = "# The fleet file, table by table

Made from the schema (`fleetctl schema`) and from what each release of oMLX reads; `fleetctl check` holds a file to all of it. The [worked example](../fleet.toml) shows every
table in use. Sizes are binary (`\"96GB\"` is 96·2^30 bytes), durations are `90s`, `15m`, `1h30m`, times of day `HH:MM` in the fleet's zone. A *selector* is a machine, a glob
over machine names, or `tier:LABEL`; `on` is always a list of them. A secret is `{ env = \"NAME\" }`, `{ file = \"PATH\" }` (on this computer, where `~/` is your home) or `{ command = [\"…\"] }`, never a text.
";

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What a `$ref` leads to, else the value itself.
fn resolved<'a>(schema: &'a Value, value: &'a Value) -> &'a Value {
    let name = text(value, "$ref").strip_prefix("#/$defs/");
    name.and_then(|name| schema["$defs"].get(name)).unwrap_or(value)
}

fn kind(schema: &Value, value: &Value) -> String {
    let target = resolved(schema, value);
    if target.get("oneOf").is_some_and(|one| *one == super::schema::secret()["oneOf"]) {
        return "secret".to_owned();
    }
    if let Some(choices) = target.get("anyOf").or_else(|| target.get("oneOf")).and_then(Value::as_array) {
        let kinds: Vec<String> = choices.iter().map(|choice| kind(schema, choice)).collect();
        return kinds.join(" or ");
    }
    if let Some(words) = target.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(constant) = target.get("const") {
        return format!("`{constant}`");
    }
    match text(target, "type") {
        "array" => format!("list of {}", kind(schema, &target["items"])),
        "object" if target.get("properties").is_some() => "table".to_owned(),
        "object" => "table of any keys".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "string" => "text".to_owned(),
        "number" => "number".to_owned(),
        _ => "any".to_owned(),
    }
}

fn rows(out: &mut String, schema: &Value, table: &Value) {
    let required: Vec<&str> =
        table.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    out.push_str("\n| key | is | meaning |\n|---|---|---|\n");
    for (key, value) in table["properties"].as_object().into_iter().flatten() {
        let needed = if required.contains(&key.as_str()) { " **needed**" } else { "" };
        let meaning = text(value, "description").replace('|', "\\|").replace('<', "\\<");
        let _ = writeln!(out, "| `{key}` | {}{needed} | {meaning} |", kind(schema, value));
    }
}

/// A table of the file, and the tables in it that have keys of their own and were not shown yet.
fn section<'a>(out: &mut String, schema: &'a Value, heading: &str, value: &'a Value, shown: &mut Vec<&'a str>) {
    shown.push(text(value, "$ref"));
    let target = resolved(schema, value);
    let of_each = target.get("additionalProperties").filter(|entry| entry.is_object());
    let (heading, table) = match of_each {
        Some(entry) if target.get("properties").is_none() => (format!("{heading}.NAME"), resolved(schema, entry)),
        _ => (heading.to_owned(), target),
    };
    let level = if heading.matches('.').count() > 1 { "###" } else { "##" };
    let _ = writeln!(out, "\n{level} [{heading}]\n\n{}", text(value, "description"));
    if table.get("properties").is_none() {
        return;
    }
    rows(out, schema, table);
    for (key, value) in table["properties"].as_object().into_iter().flatten() {
        let inner = resolved(schema, value);
        if inner.get("properties").is_some() && !shown.contains(&text(value, "$ref")) {
            section(out, schema, &format!("{heading}.{key}"), value, shown);
        }
    }
}

/// The releases that know something, by a table's column.
fn marks(known: impl Fn(Release) -> bool) -> String {
    Release::ALL.iter().map(|release| if known(*release) { " yes |" } else { " – |" }).collect()
}

fn fields(out: &mut String) {
    out.push_str("\n## Fields of a profile\n\nBy oMLX's own names. *Takes effect*: at once; after that model is loaded again; or when oMLX starts. A draft is a key of `[models]`.\n\n");
    let releases: Vec<String> = Release::ALL.iter().map(ToString::to_string).collect();
    let _ = writeln!(
        out,
        "| field | is | takes effect | {} |\n|---|---|---|{}",
        releases.join(" | "),
        "---|".repeat(releases.len())
    );
    let mut seen = Vec::new();
    for field in Release::ALL.into_iter().flat_map(omlx::profile_fields) {
        if seen.contains(&field.name) {
            continue;
        }
        seen.push(field.name);
        let range = field.range.describe().map(|range| format!(", {range}")).unwrap_or_default();
        let effect = match field.effect {
            Effect::Live | Effect::Profile => "at once",
            Effect::Reload => "when loaded",
            Effect::FileOnly => "at start",
        };
        let known = marks(|release| omlx::profile_fields(release).any(|other| other.name == field.name));
        let _ = writeln!(out, "| `{}` | {}{range} | {effect} |{known}", field.name, field.kind.describe());
    }
}

fn settings(out: &mut String) {
    out.push_str("\n## Keys of [omlx.settings]\n\noMLX's `settings.json`; what is not declared is left as it is.\n\n");
    let releases: Vec<String> = Release::ALL.iter().map(ToString::to_string).collect();
    let _ = writeln!(out, "| key | is | {} |\n|---|---|{}", releases.join(" | "), "---|".repeat(releases.len()));
    let mut seen = Vec::new();
    let all = Release::ALL.into_iter().flat_map(omlx::settings);
    for setting in all.filter(|setting| !omlx::DECIDED_ELSEWHERE.contains(&setting.section)) {
        let name = format!("{}.{}", setting.section, setting.key);
        if seen.contains(&name) {
            continue;
        }
        let range = setting.range.describe().map(|range| format!(", {range}")).unwrap_or_default();
        let known = marks(|release| omlx::setting(release, setting.section, setting.key).is_some());
        let _ = writeln!(out, "| `{name}` | {}{range} |{known}", setting.kind.describe());
        seen.push(name);
    }
}

#[test]
fn the_reference_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(&super::schema().to_string()).expect("the schema is JSON");
    let mut out = HEAD.to_owned();
    let mut shown = Vec::new();
    for (key, value) in schema["properties"].as_object().expect("tables") {
        if resolved(&schema, value).get("properties").is_some() || value.get("additionalProperties").is_some() {
            section(&mut out, &schema, key, value, &mut shown);
        }
    }
    fields(&mut out);
    settings(&mut out);
    crate::testing::assert_document("docs/fleet-file.md", &out);
}
