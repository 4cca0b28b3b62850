//! The documents say what is true: every console block is run and compared, every TOML block is parsed.

use std::path::PathBuf;
use std::process::Command;

/// Documents whose commands need no network.
const OFFLINE: &[&str] = &["docs/slots.md", "docs/schedules.md", "docs/capacity.md"];

/// The fenced blocks of a kind.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let fence = format!("```{kind}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("\n```").next().expect("a closed block")).collect()
}

#[test]
fn console_blocks_are_what_the_commands_say() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for name in OFFLINE {
        let text = std::fs::read_to_string(root.join(name)).expect("a document");
        let found = blocks(&text, "console");
        assert!(!found.is_empty(), "{name}");
        for block in found {
            let (command, expected) = block.split_once('\n').expect("a command and its output");
            let words = command.strip_prefix("$ fleetctl ").expect("one command of ours a block");
            let output = Command::new(env!("CARGO_BIN_EXE_fleetctl"))
                .args(words.split(' '))
                .current_dir(&root)
                .env_clear()
                .env("COLUMNS", "120")
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(said.trim_end(), expected.trim_end(), "{name}: {command}");
            // The article's literal fleet has errors; what is sound of it is answered all the same.
            let expected = if command.contains("fleets/article.toml") { 3 } else { 0 };
            assert_eq!(output.status.code(), Some(expected), "{name}: {command}");
        }
    }
}

/// README and everything in docs: name and text.
fn documents() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("docs").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    paths.extend([root.join("README.md"), root.join("CHANGELOG.md")]);
    paths.sort();
    let named = |path: &PathBuf| path.strip_prefix(&root).expect("below the root").display().to_string();
    paths.iter().map(|path| (named(path), std::fs::read_to_string(path).expect("a document"))).collect()
}

#[test]
fn toml_blocks_are_toml() {
    for (name, text) in documents() {
        for block in blocks(&text, "toml") {
            if let Err(error) = block.parse::<toml::Table>() {
                panic!("{name}: {error}\n{block}");
            }
        }
    }
}

/// Every test that docs/reliability.md names holds its promise only while it is there.
#[test]
fn named_tests_exist() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/reliability.md")).expect("a document");
    let table = text.split("## The promises").nth(1).and_then(|rest| rest.split("\n\n").nth(1)).expect("the table");
    let mut sources = Vec::new();
    for directory in ["src", "tests/it"] {
        rust_files(&root.join(directory), &mut sources);
    }
    let code: String = sources.iter().map(|file| std::fs::read_to_string(file).expect("a source file")).collect();
    let mut named = 0;
    for row in table.lines().skip(2) {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().expect("a last column");
        let promised: Vec<&str> = tests.split(", ").map(|name| name.trim_matches('`')).collect();
        for name in &promised {
            assert!(
                code.contains(&format!("    fn {name}("))
                    || code.contains(&format!("\nfn {name}("))
                    || code.contains(&format!("async fn {name}(")),
                "{name} does not exist: {row}"
            );
        }
        named += promised.len();
    }
    assert!(named > 20, "the table was read: {named}");
}

fn rust_files(directory: &std::path::Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What can be typed is what the program takes: with `--help` behind it, a line is read to its end and nothing is done.
#[test]
fn every_command_in_a_console_block_can_be_typed() {
    let mut count = 0;
    for (name, text) in documents() {
        for line in blocks(&text, "console").iter().flat_map(|block| block.lines()) {
            let Some(words) = line.strip_prefix("$ fleetctl ") else { continue };
            let words = words.split(" #").next().unwrap_or(words).split_whitespace();
            let output =
                Command::new(env!("CARGO_BIN_EXE_fleetctl")).args(words).arg("--help").output().expect("it runs");
            assert!(output.status.success(), "{name}: {line}\n{}", String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
    }
    assert!(count > 30, "{count} commands");
}

/// The target of every link in a line, Markdown's `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_lead_somewhere() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in documents() {
        let here = root.join(&name);
        for target in text.lines().flat_map(targets) {
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            assert!(here.parent().expect("a directory").join(file).exists(), "{name}: {target}");
        }
    }
}
