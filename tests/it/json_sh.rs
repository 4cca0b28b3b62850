//! `templates/json.sh` under every awk that is here: what it reads, what it writes, what it refuses.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use serde_json::{Value, json};

/// The awks of this computer that are POSIX's: what macOS ships is BWK awk, here `original-awk`.
fn awks() -> Vec<(&'static str, &'static str)> {
    let all = [
        ("mawk", "exec mawk \"$@\""),
        ("original-awk", "exec original-awk \"$@\""),
        ("gawk", "exec gawk --posix \"$@\""),
    ];
    let here: Vec<_> = all.into_iter().filter(|(name, _)| Path::new("/usr/bin").join(name).exists()).collect();
    assert!(!here.is_empty(), "no awk to test with: install mawk or original-awk");
    here
}

/// A directory whose `awk` is the given one.
fn shim(directory: &Path, (name, script): (&str, &str)) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = directory.join(name);
    std::fs::create_dir_all(&bin).expect("a directory");
    std::fs::write(bin.join("awk"), format!("#!/bin/sh\n{script}\n")).expect("a shim");
    std::fs::set_permissions(bin.join("awk"), std::fs::Permissions::from_mode(0o755)).expect("executable");
    bin
}

fn run(bin: &Path, script: &str, input: &[u8]) -> Output {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/json.sh");
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!(". '{}'\n{script}", library.display()))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh starts");
    // A script that refuses its input early closes the pipe: no error of ours.
    drop(child.stdin.take().expect("a pipe").write_all(input));
    child.wait_with_output().expect("sh ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `json_flatten` must print, by `serde_json`'s reading.
fn flattened(value: &Value, path: &str, into: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flattened(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                flattened(value, &format!("{path}/{at}"), into);
            }
        }
        leaf => into.extend([path, "\t", &leaf.to_string(), "\n"]),
    }
}

/// JSON whose names hold nothing that a pointer would show escaped.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1.0e9..1.0e9_f64).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\\x00-\\x7f]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z0-9._/~ -]{0,8}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// oMLX's own byte form: Python's `json.dump(indent=2)`, which `serde_json`'s pretty form equals but for nothing we use.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

#[test]
fn flatten_and_merge_agree_with_serde_json() {
    let directory = tempfile::tempdir().expect("a directory");
    for awk in awks() {
        let bin = shim(directory.path(), awk);
        let (file, operations) = (directory.path().join("in.json"), directory.path().join("operations"));
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
        runner
            .run(&(documents(), documents(), "[a-z/~]{1,6}"), |(document, added, key)| {
                // Compact, so that a line holds many tokens.
                let output = run(&bin, "json_flatten", document.to_string().as_bytes());
                let mut wanted = String::new();
                flattened(&document, "", &mut wanted);
                prop_assert_eq!(text(&output.stdout), wanted, "{}: {}", awk.0, text(&output.stderr));

                let mut before = serde_json::Map::new();
                before.insert("document".to_owned(), document.clone());
                before.insert("other".to_owned(), json!({"keep": 1}));
                std::fs::write(&file, pretty(&Value::Object(before.clone()))).expect("written");
                let pointer = key.replace('~', "~0").replace('/', "~1");
                let lines = format!("remove\t/document\nset\t/other/{pointer}/deep\t{added}\nremove\t/none/x\n");
                std::fs::write(&operations, lines).expect("written");
                let script = format!("json_merge '{}' '{}'", file.display(), operations.display());
                let output = run(&bin, &script, b"");
                before.shift_remove("document");
                before["other"][&key] = json!({"deep": added});
                prop_assert_eq!(
                    text(&output.stdout),
                    pretty(&Value::Object(before)),
                    "{}: {}",
                    awk.0,
                    text(&output.stderr)
                );
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", awk.0));
    }
}

#[test]
fn strings_come_back_as_text() {
    let directory = tempfile::tempdir().expect("a directory");
    for awk in awks() {
        let bin = shim(directory.path(), awk);
        for wanted in ["", "plain", "a\"b\\c/d", "é€😀", "tab\tbell\u{7}", "'$(x)`"] {
            let raw = Value::from(wanted).to_string();
            let ascii: String = raw
                .chars()
                .map(|c| {
                    let mut units = [0; 2];
                    if c.is_ascii() {
                        return c.to_string();
                    }
                    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
                })
                .collect();
            for token in [raw, ascii] {
                let output = run(&bin, "json_text", format!("{token}\n").as_bytes());
                assert_eq!(text(&output.stdout), format!("{wanted}\n"), "{} {token}", awk.0);
            }
        }
    }
}

#[test]
fn what_is_no_json_is_refused_and_nothing_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    let refused: &[&[u8]] = &[
        b"",
        b" \n",
        b"{",
        b"}",
        b"[1,]",
        b"{,}",
        b"[,1]",
        b"{\"a\" 1}",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{1:2}",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"1e",
        b"nul",
        b"NaN",
        b"Infinity",
        b"True",
        b"'a'",
        b"\"a",
        b"\"a\nb\"",
        b"[\"\t\"]",
        b"\"\\x\"",
        b"\"\\u12g4\"",
        b"[1 2]",
        b"{\"a\":1}}",
        b"[1]x",
        b"// c\n1",
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
    ];
    for awk in awks() {
        let bin = shim(directory.path(), awk);
        for input in refused {
            let output = run(&bin, "json_flatten", input);
            let shown = text(input);
            assert_eq!(output.status.code(), Some(65), "{} {shown:?}", awk.0);
            assert!(output.stdout.is_empty(), "{} {shown:?}", awk.0);
            assert!(text(&output.stderr).starts_with("json: line "), "{} {shown:?}: {}", awk.0, text(&output.stderr));
        }
        let file = directory.path().join("f.json");
        std::fs::write(&file, "{\"a\": 1}").expect("written");
        for operation in ["set\t/a", "set\t/a\t{", "remove\ta", "nonsense", "set\t/~2\t1", ""] {
            let operations = directory.path().join("operations");
            std::fs::write(&operations, format!("{operation}\n")).expect("written");
            let output = run(&bin, &format!("json_merge '{}' '{}'", file.display(), operations.display()), b"");
            assert_eq!(
                (output.status.code(), text(&output.stdout)),
                (Some(65), String::new()),
                "{} {operation:?}",
                awk.0
            );
        }
        let output = run(&bin, &format!("json_merge '{}' /nowhere", file.display()), b"");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(65), String::new()), "{}", awk.0);
    }
}

#[test]
fn tokens_keep_their_bytes_and_repeated_names_count_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, operations) = (directory.path().join("f.json"), directory.path().join("operations"));
    std::fs::write(
        &file,
        "{\"n\":1.50e3,\"s\":\"\\u00e9\\/\",\"twice\":1,\"\\u0041\":true,\"cache\":null,\"l\":[],\"twice\":{\"x\":2}}\r\n",
    )
    .expect("written");
    std::fs::write(&operations, "set\t/cache/enabled\tfalse\nset\t/A\t[1, {\"k\": []}]\nremove\t/n/deeper\n")
        .expect("written");
    for awk in awks() {
        let bin = shim(directory.path(), awk);
        let output = run(&bin, &format!("json_merge '{}' '{}'", file.display(), operations.display()), b"");
        insta::allow_duplicates! {
            insta::assert_snapshot!(text(&output.stdout), @r#"
            {
              "n": 1.50e3,
              "s": "\u00e9\/",
              "twice": {
                "x": 2
              },
              "\u0041": [
                1,
                {
                  "k": []
                }
              ],
              "cache": {
                "enabled": false
              },
              "l": []
            }
            "#);
        }
        let script = format!(
            "json_flatten '{}' >\"$0.flat\"; json_get \"$0.flat\" /twice/x; json_get \"$0.flat\" /no || echo none",
            file.display()
        );
        let script = script.replace("$0", &directory.path().join("x").display().to_string());
        assert_eq!(text(&run(&bin, &script, b"").stdout), "2\nnone\n", "{}", awk.0);
    }
}
