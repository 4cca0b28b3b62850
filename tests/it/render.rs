//! `fleetctl render`: the example's golden files, `--check`, and what it will not replace.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn render(fleet: &Path, out: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fleetctl"))
        .env_clear()
        .args(["-f".as_ref(), fleet.as_os_str(), "render".as_ref(), "--out".as_ref(), out.as_os_str()])
        .args(more)
        .output()
        .expect("fleetctl runs")
}

/// Exit code, standard output and standard error, with the directory's own name taken out.
fn told(output: &Output, directory: &Path) -> String {
    let text = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    text.replace(&directory.display().to_string(), "DIR")
}

/// Paths, bytes and links below a directory.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(at) = pending.pop() {
        for entry in std::fs::read_dir(&at).expect("a directory") {
            let path = entry.expect("an entry").path();
            let kind = std::fs::symlink_metadata(&path).expect("there").file_type();
            if kind.is_dir() {
                pending.push(path);
                continue;
            }
            let bytes = if kind.is_symlink() {
                std::fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
            } else {
                std::fs::read(&path).expect("a file")
            };
            all.push((path.strip_prefix(directory).expect("below").to_path_buf(), bytes));
        }
    }
    all.sort();
    all
}

/// The golden files are what `fleetctl render --out tests/fixtures/golden` writes: run it, and read the difference before it is committed.
#[test]
fn the_example_is_its_golden_files_byte_for_byte() {
    let golden = root().join("tests/fixtures/golden");
    let output = render(&root().join("fleet.toml"), &golden, &["--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output, &golden));
    let directory = tempfile::tempdir().expect("a directory");
    let output = render(&root().join("fleet.toml"), directory.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output, directory.path()));
    assert_eq!(contents(directory.path()), contents(&golden));
}

#[test]
fn a_changed_comment_changes_no_byte() {
    let directory = tempfile::tempdir().expect("a directory");
    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    let example = std::fs::read_to_string(root().join("fleet.toml")).expect("the example");
    let fleet = directory.path().join("fleet.toml");
    let commented: String = example
        .lines()
        .map(|line| if line.starts_with('#') { "# another word\n".to_owned() } else { format!("{line}\n") })
        .collect();
    std::fs::write(&fleet, format!("# $(date)\n\n{commented}")).expect("written");
    assert_eq!(render(&root().join("fleet.toml"), &one, &[]).status.code(), Some(0));
    assert_eq!(render(&fleet, &other, &[]).status.code(), Some(0));
    assert_eq!(contents(&one), contents(&other));
}

#[test]
fn check_finds_what_is_changed_missing_and_extra_and_writes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path();
    let fleet = root().join("fleet.toml");
    assert_eq!(render(&fleet, out, &["--on", "mac-mini2"]).status.code(), Some(0));
    assert!(!out.join("mac-mini1").exists(), "--on was heeded");
    let machine = out.join("mac-mini2");
    let link = machine.join("Users/ops/.omlx/serve/Qwen3.6-2B-MLX-4bit/extract-2b");
    std::fs::remove_file(&link).expect("removed");
    std::os::unix::fs::symlink("/elsewhere", &link).expect("linked");
    std::fs::remove_file(machine.join("Users/ops/.omlx/model_profiles.json")).expect("removed");
    std::fs::write(machine.join("extra\u{1b}[2J"), "x").expect("written");
    let settings = machine.join("Users/ops/.omlx/settings.json");
    let text = std::fs::read_to_string(&settings).expect("read").replace("\"port\": 8000", "\"port\": 80");
    std::fs::write(&settings, text).expect("written");
    let before = contents(out);
    insta::assert_snapshot!(told(&render(&fleet, out, &["--check", "--on", "mac-mini2"]), out), @r#"
    exit 5
    missing DIR/mac-mini2/Users/ops/.omlx/model_profiles.json
    changed DIR/mac-mini2/Users/ops/.omlx/serve/Qwen3.6-2B-MLX-4bit/extract-2b
            --> /elsewhere
            +-> /Users/ops/models/Qwen3.6-2B-MLX-4bit
    changed DIR/mac-mini2/Users/ops/.omlx/settings.json
                 "host": "0.0.0.0",
            -    "port": 80,
            +    "port": 8000,
                 "server_aliases": [
    extra   DIR/mac-mini2/extra\u{1b}[2J
    DIR: 4 differences in 1 machine
    "#);
    let output = render(&fleet, out, &["--check", "--on", "mac-mini2", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["schema"], "fleetctl.render/1");
    assert_eq!(
        document["differences"][0],
        serde_json::json!({"machine": "mac-mini2", "path": "Users/ops/.omlx/model_profiles.json", "kind": "missing"})
    );
    assert_eq!(contents(out), before, "--check writes nothing");
    // The others were never rendered: everything of them is missing.
    assert_eq!(render(&fleet, out, &["--check"]).status.code(), Some(5));
    // A render replaces the machine's directory, also what does not belong there.
    assert_eq!(render(&fleet, out, &[]).status.code(), Some(0));
    let output = render(&fleet, out, &["--check"]);
    assert_eq!(told(&output, out), "exit 0\nDIR: as rendered, 4 machines\n");
}

#[test]
fn what_is_no_render_is_neither_replaced_nor_littered() {
    let directory = tempfile::tempdir().expect("a directory");
    let fleet = root().join("fleet.toml");
    // Somebody's own directory under a machine's name.
    let precious = directory.path().join("one/mac-mini1");
    std::fs::create_dir_all(&precious).expect("made");
    std::fs::write(precious.join("thesis.txt"), "years of work").expect("written");
    let out = directory.path().join("one");
    for more in [&[][..], &["--check"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(&render(&fleet, &out, more), &out), @r#"
            exit 1
            error: DIR holds DIR/mac-mini1, which is no render; nothing was touched
            help: give --out a directory of its own
            "#);
        }
    }
    assert_eq!(contents(&out), [(PathBuf::from("mac-mini1/thesis.txt"), b"years of work".to_vec())]);
    // Not even one machine's directory is made beside foreign ones: `--out /`.
    let output = render(&fleet, Path::new("/"), &["--on", "mac-mini2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!Path::new("/mac-mini2").exists());
    // A link to a directory, a file, a render of another machine.
    let out = directory.path().join("two");
    std::fs::create_dir_all(&out).expect("made");
    std::os::unix::fs::symlink(&precious, out.join("mac-mini1")).expect("linked");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(1));
    std::fs::remove_file(out.join("mac-mini1")).expect("removed");
    assert_eq!(render(&fleet, &out, &["--on", "mac-mini2"]).status.code(), Some(0));
    std::fs::rename(out.join("mac-mini2"), out.join("mac-mini1")).expect("renamed");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(1));
    std::fs::remove_dir_all(out.join("mac-mini1")).expect("removed");
    // Plain and hidden files may lie there.
    std::fs::create_dir(out.join(".git")).expect("made");
    std::fs::write(out.join("README.md"), "x").expect("written");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(0));
    assert_eq!(render(&fleet, &out, &["--check"]).status.code(), Some(0));
    assert_eq!(render(&fleet, &out.join("README.md"), &[]).status.code(), Some(1));
    assert_eq!(std::fs::read(precious.join("thesis.txt")).expect("there"), b"years of work");
}

#[test]
fn a_machine_that_left_the_fleet_is_said_and_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let (out, fleet) = (directory.path().join("out"), directory.path().join("fleet.toml"));
    let example = std::fs::read_to_string(root().join("fleet.toml")).expect("the example");
    std::fs::write(&fleet, example.replace("[machines.mac-mini2]", "[machines.mac-mini9]")).expect("written");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(0));
    let fleet = root().join("fleet.toml");
    let output = render(&fleet, &out, &["--quiet"]);
    assert_eq!(output.status.code(), Some(0));
    let output = render(&fleet, &out, &[]);
    assert!(
        told(&output, &out).ends_with("warning: DIR/mac-mini9 is of no machine of this fleet; it is left\n"),
        "{}",
        told(&output, &out)
    );
    assert_eq!(
        told(&render(&fleet, &out, &["--check"]), &out),
        "exit 5\nextra   DIR/mac-mini9/\nDIR: 1 difference in 4 machines\n"
    );
}

#[test]
fn a_path_that_leads_out_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let (out, fleet) = (directory.path().join("out"), directory.path().join("fleet.toml"));
    let example = std::fs::read_to_string(root().join("fleet.toml")).expect("the example");
    let escaping = example.replace("base    = \"~/.omlx\"", "base    = \"/a/../../../../../../../../tmp/x\"");
    std::fs::write(&fleet, &escaping).expect("written");
    assert_ne!(example, escaping);
    let output = render(&fleet, &out, &[]);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", told(&output, &out));
    assert!(!out.exists());
}

#[test]
fn a_killed_render_leaves_a_whole_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let fleet = root().join("fleet.toml");
    let out = directory.path().join("out");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(0));
    let whole = contents(&out);
    // What a run killed before its last rename leaves beside: the next one takes it away.
    std::fs::create_dir_all(out.join(".mac-mini1.fleetctl-abc/new/usr")).expect("made");
    std::fs::rename(out.join("mac-mini1"), out.join(".mac-mini1.fleetctl-abc/old")).expect("renamed");
    assert_eq!(render(&fleet, &out, &[]).status.code(), Some(0));
    assert_eq!(contents(&out), whole);
}
