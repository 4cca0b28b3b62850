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

#[test]
fn toml_blocks_are_toml() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for name in OFFLINE {
        let text = std::fs::read_to_string(root.join(name)).expect("a document");
        for block in blocks(&text, "toml") {
            if let Err(error) = block.parse::<toml::Table>() {
                panic!("{name}: {error}\n{block}");
            }
        }
    }
}
