//! JSON as Python's `json.dump(indent=2)` writes it: byte for byte what oMLX would have written itself, so that its next save changes nothing.

use serde_json::{Map, Value};

use super::{Release, fields, section_order, settings};

/// Whether non-ASCII characters are escaped (`ensure_ascii`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    /// settings.json: `json.dump(indent=2)`, everything but ASCII is escaped (0.3.8 settings.py:963).
    NonAscii,
    /// `model_settings.json`, `model_profiles.json`: `ensure_ascii=False` (0.3.8 `model_settings.py`:234).
    ControlOnly,
}

/// The text of settings.json: sections and keys in the release's own order, what the release does not know behind them in the order found, no newline at
/// the end. Values are written as they are given; nothing is added.
pub fn settings_text(release: Release, document: &Map<String, Value>) -> String {
    let mut ordered = Map::new();
    for section in section_order(release) {
        let Some(value) = document.get(section) else { continue };
        let value = match value {
            Value::Object(keys) => {
                let order = settings(release).filter(|setting| setting.section == section).map(|setting| setting.key);
                Value::Object(reordered(keys, order))
            }
            other => other.clone(),
        };
        ordered.insert(section.to_owned(), value);
    }
    append_rest(&mut ordered, document);
    dump(&Value::Object(ordered), Escape::NonAscii)
}

/// The text of `model_settings.json` or `model_profiles.json`: fields of a model in the release's own order (facts/omlx.md 3.1), other keys as found.
pub fn model_settings_text(release: Release, document: &Map<String, Value>) -> String {
    let mut ordered = document.clone();
    if let Some(Value::Object(models)) = ordered.get_mut("models") {
        for entry in models.values_mut() {
            if let Value::Object(keys) = entry {
                *keys = reordered(keys, fields(release).map(|field| field.name));
            }
        }
    }
    dump(&Value::Object(ordered), Escape::ControlOnly)
}

fn reordered<'a>(keys: &Map<String, Value>, order: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    let mut ordered = Map::new();
    for key in order {
        if let Some(value) = keys.get(key) {
            ordered.insert(key.to_owned(), value.clone());
        }
    }
    append_rest(&mut ordered, keys);
    ordered
}

fn append_rest(ordered: &mut Map<String, Value>, all: &Map<String, Value>) {
    for (key, value) in all {
        if !ordered.contains_key(key) {
            ordered.insert(key.clone(), value.clone());
        }
    }
}

fn dump(value: &Value, escape: Escape) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0, escape);
    text
}

fn write_value(text: &mut String, value: &Value, depth: usize, escape: Escape) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number_text(number)),
        Value::String(string) => write_string(text, string, escape),
        Value::Array(items) => {
            write_items(text, '[', ']', items, depth, |text, item| write_value(text, item, depth + 1, escape));
        }
        Value::Object(map) => write_items(text, '{', '}', map, depth, |text, (key, item)| {
            write_string(text, key, escape);
            text.push_str(": ");
            write_value(text, item, depth + 1, escape);
        }),
    }
}

fn write_items<I: IntoIterator>(
    text: &mut String,
    open: char,
    close: char,
    items: I,
    depth: usize,
    mut write: impl FnMut(&mut String, I::Item),
) {
    text.push(open);
    let mut any = false;
    for item in items {
        text.push_str(if any { ",\n" } else { "\n" });
        indent(text, depth + 1);
        write(text, item);
        any = true;
    }
    if any {
        text.push('\n');
        indent(text, depth);
    }
    text.push(close);
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
}

/// A number as Python's `repr` writes it: whole numbers as they are, others shortest, with an exponent below 1e-4 and from 1e16 on.
fn number_text(number: &serde_json::Number) -> String {
    if !number.is_f64() {
        return number.to_string();
    }
    let Some(value) = number.as_f64() else { return number.to_string() };
    // Rust's `{:e}` gives the shortest digits that read back the same, as repr does: `1.25e-7`.
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn write_string(text: &mut String, string: &str, escape: Escape) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            // ensure_ascii escapes everything outside ' ' to '~', DEL too; without it only C0 is escaped.
            c if c < ' ' || (escape == Escape::NonAscii && !(' '..='~').contains(&c)) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    text.push_str("\\u");
                    text.extend([12, 8, 4, 0].map(|shift| char::from(HEX[usize::from(*unit >> shift & 15)])));
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    #[test]
    fn known_keys_in_the_releases_order_and_unknown_ones_behind() {
        let document = map(json!({
            "fleet": {"x": []}, "ui": {"language": "en"}, "server": {"zz": 1, "port": 8000, "host": "::1"}, "version": "1.0", "cache": {},
        }));
        insta::assert_snapshot!(settings_text(Release::V0_3_8, &document), @r#"
        {
          "version": "1.0",
          "server": {
            "host": "::1",
            "port": 8000,
            "zz": 1
          },
          "cache": {},
          "ui": {
            "language": "en"
          },
          "fleet": {
            "x": []
          }
        }
        "#);
        let models = map(json!({"version": 1, "models": {"größe\u{7f}": {"is_pinned": true, "x": 1, "top_p": 0.95}}}));
        insta::assert_snapshot!(model_settings_text(Release::V0_3_8, &models).replace('\u{7f}', "<DEL>"), @r#"
        {
          "version": 1,
          "models": {
            "größe<DEL>": {
              "top_p": 0.95,
              "is_pinned": true,
              "x": 1
            }
          }
        }
        "#);
    }

    /// Expected texts are what Python 3.11 `json.dumps` prints for the same values.
    #[test]
    fn floats_and_strings_as_python_prints_them() {
        for (value, text) in [
            (json!(1.0), "1.0"),
            (json!(0.95), "0.95"),
            (json!(-0.0), "-0.0"),
            (json!(1e-4), "0.0001"),
            (json!(1e-5), "1e-05"),
            (json!(1.25e-7), "1.25e-07"),
            (json!(1e15), "1000000000000000.0"),
            (json!(1e16), "1e+16"),
            (json!(1.5e300), "1.5e+300"),
            (json!(123_456_789_012_345_680.0), "1.2345678901234568e+17"),
            (json!(5e-324), "5e-324"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
            (json!(-7), "-7"),
            (
                json!("a\"\\/\u{1}\u{8}\u{c}\n\r\t\u{7f}é\u{1f600}"),
                r#""a\"\\/\u0001\b\f\n\r\t\u007f\u00e9\ud83d\ude00""#,
            ),
        ] {
            assert_eq!(dump(&value, Escape::NonAscii), text);
        }
        assert_eq!(dump(&json!("é\u{1f600}\u{7f}\u{1b}"), Escape::ControlOnly), "\"é\u{1f600}\u{7f}\\u001b\"");
    }
}
