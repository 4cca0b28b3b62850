//! `fleetctl check`, `schema`, `explain` and `edit`: every rule of the format, every bad input, whole outputs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::Fleetctl;

const EXAMPLE: &str = include_str!("../../fleet.toml");
const SOUND: &str = include_str!("../fixtures/fleets/sound.toml");

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fleets/invalid");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(directory).expect("the fixtures").map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    assert!(found.len() > 50, "the fixtures were found");
    found
}

fn read(path: &Path) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test's own fixture")]
    std::fs::read_to_string(path).expect("a fixture")
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// One file a rule; the whole answer is pinned beside it.
#[test]
fn every_rule_of_the_format() {
    for path in fixtures() {
        let output = Fleetctl::with_fleet(&read(&path)).run(&["check"]);
        insta::with_settings!({ snapshot_path => "../fixtures/fleets/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name(&path), output.to_string());
        });
    }
}

/// Text, JSON and exit code say the same of every fixture.
#[test]
fn json_says_what_the_text_says() {
    for path in fixtures() {
        let fleetctl = Fleetctl::with_fleet(&read(&path));
        let (text, json) = (fleetctl.run(&["check"]), fleetctl.run(&["check", "--json"]));
        assert_eq!(text.exit, json.exit, "{}", name(&path));
        let document = json.json();
        assert_eq!(document["schema"], "fleetctl.check/1");
        let problems = document["problems"].as_array().expect("problems");
        assert!(!problems.is_empty(), "{} breaks no rule", name(&path));
        let errors = problems.iter().any(|problem| problem["severity"] == "error");
        assert_eq!(text.exit, Some(if errors { 3 } else { 0 }), "{}", name(&path));
        for problem in problems {
            for key in ["code", "severity", "message", "line", "column", "end_line", "end_column", "help"] {
                assert!(problem.get(key).is_some(), "{}: no {key} in {problem}", name(&path));
            }
            let code = problem["code"].as_str().expect("a code");
            let severity = problem["severity"].as_str().expect("a severity");
            assert!(text.stdout.contains(&format!("{severity}[{code}]")), "{}: {code} is not shown", name(&path));
            if let Some(line) = problem["line"].as_u64() {
                let at = format!("fleet.toml:{line}:{}\n", problem["column"]);
                assert!(text.stdout.contains(&at), "{}: {at} is not shown", name(&path));
            }
        }
    }
}

/// Every code that a fixture raises is in the catalogue with the same severity.
#[test]
fn every_code_is_in_the_catalogue() {
    let list = Fleetctl::new().run(&["explain", "--list", "--json"]).json();
    assert_eq!(list["schema"], "fleetctl.explain/1");
    let known: BTreeSet<(String, String)> = list["codes"]
        .as_array()
        .expect("codes")
        .iter()
        .map(|code| (code["code"].to_string(), code["severity"].to_string()))
        .collect();
    for path in fixtures() {
        let document = Fleetctl::with_fleet(&read(&path)).run(&["check", "--json"]).json();
        for problem in document["problems"].as_array().expect("problems") {
            let code = (problem["code"].to_string(), problem["severity"].to_string());
            assert!(known.contains(&code), "{}: {code:?} is not in the catalogue", name(&path));
        }
    }
}

#[test]
fn the_example_raises_no_error() {
    let output = Fleetctl::with_fleet(EXAMPLE).run(&["check"]);
    insta::assert_snapshot!(output, @r#"
    exit: 0
    ----- stdout -----
    warning[process-limit-above-gpu-limit]: mac-studio1: oMLX allows its process 88.0 GiB, and the GPU
                                            limit is 84.0 GiB
      --> fleet.toml:40:13
       |
    40 | gpu_limit = "84GB"                    # optional: iogpu.wired_limit_mb, set again at each bo...
       |             ^^^^^^
       |
       = help: raise `gpu_limit`, or declare a lower memory.max_process_memory in [omlx.settings]

    warning[process-limit-above-gpu-limit]: mac-mini3: oMLX allows its process 56.0 GiB, and the GPU
                                            limit is 51.8 GiB
      --> fleet.toml:46:10
       |
    46 | memory = "64GB"
       |          ^^^^^^
       |
       = help: declare `gpu_limit`, or a lower memory.max_process_memory in [omlx.settings]

    warning[process-limit-above-gpu-limit]: mac-mini1: oMLX allows its process 12.8 GiB, and the GPU
                                            limit is 11.8 GiB
      --> fleet.toml:53:10
       |
    53 | memory = "16GB"
       |          ^^^^^^
       |
       = help: declare `gpu_limit`, or a lower memory.max_process_memory in [omlx.settings]

    warning[process-limit-above-gpu-limit]: mac-mini2: oMLX allows its process 12.8 GiB, and the GPU
                                            limit is 11.8 GiB
      --> fleet.toml:59:10
       |
    59 | memory = "16GB"
       |          ^^^^^^
       |
       = help: declare `gpu_limit`, or a lower memory.max_process_memory in [omlx.settings]

    note[capacity-assumed]: moe-35b: its size is the declared 36.0 GiB, its shape is the catalogue's
      --> fleet.toml:69:13
       |
    69 | size      = "36GB"                    # declared; plan and capacity prefer what the machine ...
       |             ^^^^^^

    note[capacity-assumed]: dense-27b: its size is the declared 27.0 GiB, its shape is the catalogue's
      --> fleet.toml:79:13
       |
    79 | size      = "27GB"
       |             ^^^^^^

    note[unpublished-model]: mac-mini1, mac-mini2: no model of the name of Qwen3.6-2B-MLX-4bit is
                             published; it is taken for Qwen3.5-2B
      --> fleet.toml:83:13
       |
    83 | directory = "Qwen3.6-2B-MLX-4bit"
       |             ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: capacity --measured reads the machine's own config.json

    note[capacity-assumed]: edge-2b: its size is the declared 1.6 GiB, its shape is the catalogue's
      --> fleet.toml:84:13
       |
    84 | size      = "1.6GB"
       |             ^^^^^^^

    note[capacity-assumed]: arctic: its size is the declared 600 MiB, its shape is the catalogue's
      --> fleet.toml:89:14
       |
    89 | size       = "600MB"
       |              ^^^^^^^

    warning[draft-not-counted]: profiles.interactive: oMLX does not count the draft moe-35b-draft (952
                                MiB) in its limit
      --> fleet.toml:96:22
       |
    96 | dflash_draft_model = "moe-35b-draft"  # a key of [models]; rendered as its path on each machine
       |                      ^^^^^^^^^^^^^^^

    warning[no-room-for-context]: mac-studio1 outside every window: moe-batched and what is resident
                                  need 78.0 GiB with their context, of 75.2 GiB that can be used
       --> fleet.toml:102:22
        |
    102 | max_context_window = 32768
        |                      ^^^^^ 32768 tokens for moe-batched
        |
        = help: lower the context or the concurrency, or keep less resident; `fleetctl capacity` shows
                every term

    note[turboquant-gain]: mac-mini3: TurboQuant at 4 bits makes room for 102912 tokens of
                           dense-librarian instead of 84736: 21 % more; it is on at every length, no
                           release has a threshold
       --> fleet.toml:112:25
        |
    112 | turboquant_kv_enabled = true
        |                         ^^^^

    note[speculative-expectation]: mac-studio1: 245 tok/s is 97 % of the plain bound of 252 tok/s, which
                                   plain decoding does not reach: it takes 5.0 accepted tokens a step at
                                   49 steps/s
       --> fleet.toml:184:25
        |
    184 | expect = { decode_tps = 245 }         # optional: `bench --check` fails below it, while the...
        |                         ^^^

    warning[cannot-load-in-window]: mac-studio1 in the window night: there is no room to load moe-dflash
       --> fleet.toml:198:12
        |
    198 | resident = ["moe-batched", "dense-thinking"]    # the machine's whole resident set while th...
        |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ oMLX's limit for models is 79.2 GiB
        |
       ::: fleet.toml:127:12
        |
    127 | on       = ["mac-studio1"]            # machines, globs, or "tier:LABEL"
        |            --------------- moe-dflash is served there

    fleet.toml: 7 warnings, 7 notes: 4 machines, 6 served names, 7 slots, 5 jobs
    ----- stderr -----
    "#);
}

#[test]
fn an_empty_file_a_directory_and_no_file() {
    let fleetctl = Fleetctl::with_fleet("");
    insta::assert_snapshot!(fleetctl.run(&["check"]), @r"
    exit: 3
    ----- stdout -----
    error[empty-file]: the fleet file is empty
    --> fleet.toml
     = help: `fleetctl init` writes a first fleet.toml

    fleet.toml: 1 error
    ----- stderr -----
    ");
    insta::assert_snapshot!(fleetctl.run(&["check", "-f", "."]), @r"
    exit: 3
    ----- stdout -----
    error[unreadable-file]: . is a directory
    --> .

    .: 1 error
    ----- stderr -----
    ");
    insta::assert_snapshot!(fleetctl.run(&["check", "-f", "no.toml"]), @r"
    exit: 3
    ----- stdout -----
    error[unreadable-file]: there is no file no.toml
    --> no.toml
     = help: -f names another file; `fleetctl -f no.toml init` writes a first one

    no.toml: 1 error
    ----- stderr -----
    ");
    insta::assert_snapshot!(fleetctl.run(&["check", "-f", "no.toml", "--json"]), @r#"
    exit: 3
    ----- stdout -----
    {
      "schema": "fleetctl.check/1",
      "problems": [
        {
          "code": "unreadable-file",
          "severity": "error",
          "message": "there is no file no.toml",
          "line": null,
          "column": null,
          "end_line": null,
          "end_column": null,
          "help": "-f names another file; `fleetctl -f no.toml init` writes a first one"
        }
      ]
    }
    ----- stderr -----
    "#);
}

#[test]
fn noise() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(10 << 20)
    .collect();
    let fleetctl = Fleetctl::new();
    fleetctl.write("fleet.toml", &noise);
    insta::assert_snapshot!(fleetctl.run(&["check"]), @r"
    exit: 3
    ----- stdout -----
    error[unreadable-file]: fleet.toml is longer than 1048576 bytes
    --> fleet.toml

    fleet.toml: 1 error
    ----- stderr -----
    ");
    fleetctl.write("fleet.toml", &noise[..1000]);
    insta::assert_snapshot!(fleetctl.run(&["check"]), @r"
    exit: 3
    ----- stdout -----
    error[unreadable-file]: fleet.toml is not UTF-8 (byte 0)
    --> fleet.toml

    fleet.toml: 1 error
    ----- stderr -----
    ");
    // Text, but no TOML: whatever it is, it is said in bounded time and without a control character.
    let text: String = noise[..200_000].iter().map(|byte| char::from(*byte)).collect();
    fleetctl.write("fleet.toml", text.as_bytes());
    let output = fleetctl.run(&["check"]);
    assert_eq!(output.exit, Some(3));
    assert!(output.stdout.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn deep_nesting_and_long_keys_are_no_panic() {
    for text in [
        format!("schema = 1\nx = {}1{}\n", "[".repeat(5_000), "]".repeat(5_000)),
        format!("schema = 1\n{}x = 1\n", "a.".repeat(5_000)),
        format!("schema = 1\n[{}x]\n", "a.".repeat(60)),
        format!("{{{}", "\"a\":{".repeat(5_000)),
        format!("schema = {}\n", "9".repeat(5_000)),
    ] {
        let output = Fleetctl::with_fleet(&text).run(&["check"]);
        assert_eq!(output.exit, Some(3), "{output}");
        assert!(output.stdout.len() < 200_000);
    }
}

#[test]
fn a_verb_that_needs_the_file_refuses_an_invalid_one() {
    let fleetctl = Fleetctl::with_fleet(&SOUND.replace("size      = \"36GB\"", "size      = \"36\""));
    insta::assert_snapshot!(fleetctl.run(&["render", "--out", "out"]), @r#"
    exit: 3
    ----- stdout -----
    ----- stderr -----
    error[invalid-size]: models.moe.size: "36" is not a size: write a number and B, KB, MB, GB or TB, as
                         in "36GB"
      --> fleet.toml:35:13
       |
    35 | size      = "36"
       |             ^^^^

    error: fleet.toml: 1 error
    "#);
    assert!(!fleetctl.directory().join("out").exists(), "nothing was written");
    insta::assert_snapshot!(Fleetctl::new().run(&["render", "--out", "out"]), @r"
    exit: 3
    ----- stdout -----
    ----- stderr -----
    error[unreadable-file]: there is no file fleet.toml
    --> fleet.toml
     = help: -f names another file; `fleetctl init` writes a first one

    error: fleet.toml: 1 error
    ");
}

#[test]
fn a_selector_that_selects_nothing_is_a_usage_error() {
    let fleetctl = Fleetctl::with_fleet(SOUND);
    insta::assert_snapshot!(fleetctl.run(&["render", "--out", "out", "--on", "studoi"]), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: "studoi" selects no machine of the fleet
    help: did you mean "studio"?
    "#);
    insta::assert_snapshot!(fleetctl.run(&["render", "--out", "out", "--on", "mini,tier:egde"]), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: "tier:egde" selects no machine of the fleet
    help: did you mean "tier:edge"?
    "#);
    insta::assert_snapshot!(fleetctl.run(&["render", "--out", "out", "--on", "a b"]), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: "a b" is not a selector: write a machine, a glob as mac-mini*, or tier:LABEL
    "#);
}

#[test]
fn edit_replaces_the_file_only_by_a_sound_one() {
    let fleetctl = Fleetctl::with_fleet(SOUND).set("EDITOR", "sed -i 's/tiny/small/'");
    insta::assert_snapshot!(fleetctl.run(&["edit"]), @r#"
    exit: 0
    ----- stdout -----
    ----- stderr -----
    note[capacity-assumed]: moe: its size is the declared 36.0 GiB, its shape is the catalogue's
      --> fleet.toml:35:13
       |
    35 | size      = "36GB"
       |             ^^^^^^

    note[unpublished-model]: mini: no model of the name of Qwen3.6-2B-4bit is published; it is taken for
                             Qwen3.5-2B
      --> fleet.toml:44:13
       |
    44 | directory = "Qwen3.6-2B-4bit"
       |             ^^^^^^^^^^^^^^^^^
       |
       = help: capacity --measured reads the machine's own config.json

    note[capacity-assumed]: small: its size is the declared 1.6 GiB, its shape is the catalogue's
      --> fleet.toml:45:13
       |
    45 | size      = "1.6GB"
       |             ^^^^^^^

    note[capacity-assumed]: arctic: its size is the declared 600 MiB, it keeps no cache
      --> fleet.toml:50:14
       |
    50 | size       = "600MB"
       |              ^^^^^^^

    fleet.toml: 4 notes
    fleet.toml is replaced; `fleetctl plan` shows what that changes
    "#);
    assert_eq!(read(&fleetctl.directory().join("fleet.toml")), SOUND.replace("tiny", "small"));
    insta::assert_snapshot!(fleetctl.run(&["edit"]), @r"
    exit: 0
    ----- stdout -----
    ----- stderr -----
    fleet.toml is unchanged
    ");
}

#[test]
fn edit_without_a_terminal_needs_an_editor_that_is_named() {
    let fleetctl = Fleetctl::with_fleet(SOUND).set("EDITOR", " ");
    insta::assert_snapshot!(fleetctl.run(&["edit"]), @r"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: edit starts an editor, and there is no terminal for one
    help: run it on a terminal, or set VISUAL or EDITOR to a command that changes the file it is given
    help: or change fleet.toml and run `fleetctl check`
    ");
    assert_eq!(read(&fleetctl.directory().join("fleet.toml")), SOUND);
}

#[test]
fn edit_keeps_what_cannot_be_used() {
    let fleetctl = Fleetctl::with_fleet(SOUND);
    let temporary = fleetctl.directory().join("tmp");
    std::fs::create_dir(&temporary).expect("a directory");
    let kept = || std::fs::read_dir(&temporary).expect("there").count();
    let fleetctl = fleetctl.set("TMPDIR", &temporary.to_string_lossy());
    let filters = vec![(r"fleet-\w+\.toml", "fleet-[RANDOM].toml")];

    let failing = fleetctl.set("EDITOR", "false");
    insta::with_settings!({ filters => filters.clone() }, { insta::assert_snapshot!(failing.run(&["edit"]), @r#"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    error: the editor "false" ended with exit status: 1
    help: set VISUAL or EDITOR to the editor of your choice
    "#); });
    assert_eq!(kept(), 0, "nothing was written, nothing is kept");

    let spoiling = failing.set("EDITOR", "sed -i 's/^port .*/port = 0/'");
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(spoiling.run(&["edit"]), @r"
    exit: 3
    ----- stdout -----
    ----- stderr -----
    error[out-of-range]: omlx.port is outside its range
      --> fleet.toml:13:8
       |
    13 | port = 0
       |        ^ from 1 to 65535
       |
       = help: it must be from 1 to 65535

    error: fleet.toml: 1 error
    help: fleet.toml is unchanged; what you wrote is kept in [WORK]/tmp/fleet-[RANDOM].toml
    "); });
    assert_eq!(read(&spoiling.directory().join("fleet.toml")), SOUND);
    assert_eq!(kept(), 1, "what was written is kept");
}

#[test]
fn explain() {
    let fleetctl = Fleetctl::new();
    insta::assert_snapshot!(fleetctl.run(&["explain", "context-ends-dflash"]), @r"
    exit: 0
    ----- stdout -----
    context-ends-dflash (error): a context window at or above DFLASH_MAX_CTX

    oMLX 0.3.8 drops DFlash for good after one prompt of DFLASH_MAX_CTX tokens or more (default 4096):
    it loads the ordinary engine and stays with it, also for short prompts, until the model is loaded
    again. A max_context_window below the limit refuses such a prompt instead. Raise DFLASH_MAX_CTX in
    [omlx.environment], or lower max_context_window.
    ----- stderr -----
    ");
    insta::assert_snapshot!(fleetctl.run(&["explain", "context-end-dflash"]), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no code "context-end-dflash"
    help: did you mean "context-ends-dflash"?
    "#);
    insta::assert_snapshot!(fleetctl.run(&["explain"]), @r"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      <CODE>

    Usage: fleetctl explain <CODE>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(fleetctl.run(&["explain", "syntax", "--json"]), @r#"
    exit: 0
    ----- stdout -----
    {
      "schema": "fleetctl.explain/1",
      "code": "syntax",
      "severity": "error",
      "title": "the file is not TOML",
      "explanation": "The text breaks the grammar of TOML 1.1 at the place shown: a quote or bracket that is not closed, a key without a value, a key that stands twice in one table, a table that is declared twice.\n\nAll syntax errors are shown at once; what stands in the broken lines is not checked until they are mended."
    }
    ----- stderr -----
    "#);
}

#[test]
fn schema_is_the_checked_in_one() {
    let checked_in = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.schema.json"));
    assert_eq!(Fleetctl::new().run(&["schema"]).stdout, checked_in);
}
