//! `models` between two hosts of the lab: the matrix, copies over a link that dies, onto a disk that fills, of a source that changes, and what prune removes.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::fleet_text::{head, mini};
use crate::support::lab::{Hosts, Lab, Said};

const HOSTS: &str = "tailnet = \"lab.ts.net\"
[hosts.mac-hub]
light = true
lan = \"192.168.1.11\"
omlx = \"\"
real_disk = 134217728
[hosts.mac-edge]
light = true
lan = \"192.168.1.12\"
omlx = \"\"
real_disk = 67108864
";

const MODELS: &str = r#"[models.small]
directory = "org/small"
size = "24MB"
kind = "llm"
[models.huge]
directory = "huge"
size = "90MB"
kind = "llm"
[profiles.plain]
[serve.small]
model = "small"
profile = "plain"
on = ["mac-edge"]
[serve.huge]
model = "huge"
profile = "plain"
on = ["mac-edge"]
[hub]
on = ["mac-hub"]
path = "/Users/ops/store"
mount = "/Users/ops/mounted"
"#;

fn fleet() -> String {
    let minis =
        [("mac-hub", 11), ("mac-edge", 12)].map(|(name, host)| mini(name, &format!("lan = \"192.168.1.{host}\"")));
    head("models", "UTC", "version = \"0.3.8\"\nbind = \"loopback\"") + &minis.concat() + MODELS
}

/// Two shards of random bytes with their index.
const MAKE: &str = r#"make() {
	mkdir -p "$1"
	head -c "$2" /dev/urandom >"$1/model-00001-of-00002.safetensors"
	head -c "$2" /dev/urandom >"$1/model-00002-of-00002.safetensors"
	printf '{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}' >"$1/model.safetensors.index.json"
	printf '{"model_type":"qwen3"}' >"$1/config.json"
}
"#;

const SMALL: &str = "/Users/ops/models/org/small";
const PARTIAL: &str = "/Users/ops/models/.fleetctl-partial";

struct Bench {
    lab: Lab,
    fleet: String,
}

impl Bench {
    fn up() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let spec = directory.path().join("hosts.toml");
        std::fs::write(&spec, HOSTS).expect("written");
        let lab = Lab::up(Hosts::Spec(&spec))?;
        std::fs::write(lab.home().join("models.toml"), fleet()).expect("written");
        // The laptop's own key is on every host: with it the edge gets to the hub.
        let key = std::fs::read_to_string(lab.home().join(".ssh/id_ed25519")).expect("a key");
        let bench = Self { lab, fleet: "/media/laptop/models.toml".to_owned() };
        bench.on(
            "mac-edge",
            &format!("umask 077; mkdir -p ~/.ssh ~/models; cat >~/.ssh/id_ed25519 <<'KEY'\n{key}\nKEY\n"),
        );
        bench.on("mac-hub", &format!("{MAKE}make ~/store/org/small 12000000; make ~/store/huge 45000000"));
        Some(bench)
    }

    fn on(&self, host: &str, script: &str) -> String {
        let said = self.lab.on(host, "ops", script);
        assert_eq!(said.code, 0, "{host}: {script}\n{said:?}");
        said.out
    }

    fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        [&["-f", self.fleet.as_str()], words].concat()
    }

    fn fleetctl(&self, words: &[&str]) -> Said {
        self.lab.fleetctl(&self.words(words))
    }

    fn start(&self, words: &[&str]) -> Child {
        let command = [&[env!("CARGO_BIN_EXE_fleetctl")], self.words(words).as_slice()].concat();
        let mut process = self.lab.laptop_command(&command);
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    /// Bytes that wait to be whole.
    fn copied(&self) -> u64 {
        let script = format!(
            "find {PARTIAL} -type f -exec stat -f %z '{{}}' + 2>/dev/null | awk '{{ s += $1 }} END {{ printf \"%.0f\", s }}'"
        );
        self.on("mac-edge", &script).trim().parse().unwrap_or(0)
    }

    /// Waits until more than `bytes` are copied.
    fn wait_for(&self, bytes: u64) -> u64 {
        let deadline = Instant::now() + Duration::from_mins(3);
        loop {
            let copied = self.copied();
            if copied > bytes {
                return copied;
            }
            assert!(Instant::now() < deadline, "nothing comes behind {bytes}");
        }
    }

    fn sums(&self, host: &str, directory: &str) -> String {
        self.on(host, &format!("cd {directory} && find . -type f -exec shasum -a 256 '{{}}' + | sort"))
    }
}

fn transfer(child: Child) -> (Value, Option<i32>) {
    let mut child = child;
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    let code = child.wait().expect("it ends").code();
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(document["schema"], "fleetctl.models-sync/1");
    (document["transfers"][0].clone(), code)
}

#[test]
fn weights_on_their_way() {
    let Some(bench) = Bench::up() else { return };
    the_matrix(&bench);
    bad_weights_through_the_probe(&bench);
    a_margin_that_would_not_be_kept(&bench);
    a_link_that_dies_ten_times(&bench);
    a_shard_that_changes_meanwhile(&bench);
    a_disk_that_fills(&bench);
    the_mount_wins(&bench);
    what_is_there_is_compared(&bench);
    prune_removes_what_is_named(&bench);
}

fn the_matrix(bench: &Bench) {
    bench.on("mac-edge", &format!("{MAKE}make ~/models/huge 10; rm ~/models/huge/model-00002*; make ~/models/old 10; ln -s circle ~/models/circle; printf x >~/models/file"));
    let said = bench.fleetctl(&["models", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let document: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(document["schema"], "fleetctl.models/1");
    let states = |entries: &Value| -> Vec<String> {
        let entries = entries.as_array().expect("a list").iter();
        entries.map(|entry| format!("{} {}", entry["directory"], entry["state"]).replace('"', "")).collect()
    };
    assert!(states(&document["machines"][0]["weights"]).is_empty(), "the hub serves nothing: {document}");
    let edge = &document["machines"][1];
    assert_eq!(states(&edge["weights"]), ["org/small absent", "huge incomplete", "circle orphaned", "old orphaned"]);
    assert_eq!(edge["weights"][1]["missing"], serde_json::json!(["model-00002-of-00002.safetensors"]));
    assert!(edge["free_bytes"].is_u64() && edge["weights"][0]["bytes"].is_null(), "{edge}");
    assert_eq!(states(&document["hub"]["weights"]), ["org/small complete", "huge complete"]);
    let text = bench.fleetctl(&["models"]).out;
    assert!(text.contains("mac-edge: huge: lacks model-00002-of-00002.safetensors"), "{text}");
}

/// What a machine may hold instead of weights, and a chip that nobody knows: `capacity --measured` says what it is, answers for the rest, and reads nothing outside.
fn bad_weights_through_the_probe(bench: &Bench) {
    const SHARDS: &str = "printf x >$d/model.safetensors";
    let layers = r#"{"text_config": {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": HEADS, "max_position_embeddings": 4096}}"#;
    let cases = [
        ("bare", format!("mkdir -p $d; {SHARDS}"), "size declared"),
        (
            "torn",
            format!("mkdir -p $d; {SHARDS}; printf '{{' >$d/config.json"),
            "the config.json of torn is of no use: config.json is no JSON",
        ),
        (
            "zero",
            format!("mkdir -p $d; {SHARDS}; printf '%s' '{}' >$d/config.json", layers.replace("HEADS", "0")),
            "zero is of no use: \"num_attention_heads\" in config.json is 0, which no model has",
        ),
        (
            "vast",
            format!("mkdir -p $d; {SHARDS}; printf '%s' '{}' >$d/config.json", layers.replace("HEADS", "4000000000")),
            "vast is of no use: \"num_attention_heads\" in config.json is 4000000000, which no",
        ),
        (
            "nested",
            format!("mkdir -p $d; {SHARDS}; printf '%s' '{}' >$d/config.json", layers.replace("HEADS", "4")),
            "measured",
        ),
        (
            "outside",
            format!(
                "mkdir -p $d; {SHARDS}; printf '%s' '{}' >$d/config.json; printf '{{\"weight_map\":{{\"a\":\"model.safetensors\",\"b\":\"../huge/model-00001-of-00002.safetensors\"}}}}' >$d/model.safetensors.index.json",
                layers.replace("HEADS", "4")
            ),
            "size declared, shape measured",
        ),
        ("round", "ln -s round $d".to_owned(), "size declared"),
    ];
    let mut fleet =
        fleet().split("[models.small]").next().expect("the head").replacen("chip = \"M4\"", "chip = \"Z80\"", 2);
    fleet.push_str("[profiles.plain]\n");
    for (name, make, _) in &cases {
        fleet.push_str(&format!(
            "[models.{name}]\ndirectory = \"{name}\"\nsize = \"1GB\"\nkind = \"llm\"\n[serve.{name}]\nmodel = \"{name}\"\nprofile = \"plain\"\non = [\"mac-edge\"]\n"
        ));
        bench.on("mac-edge", &format!("d=~/models/{name}; {make}"));
    }
    std::fs::write(bench.lab.home().join("bad.toml"), &fleet).expect("written");
    let said = bench.lab.fleetctl(&["-f", "/media/laptop/bad.toml", "capacity", "--measured", "--on", "mac-edge"]);
    assert_eq!(said.code, 0, "{said:?}");
    // Lines are broken at the width of a terminal.
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (numbers, all) = (one_line(said.out.split("\n\n").next().expect("the head")), one_line(&said.out));
    for (name, _, expected) in &cases {
        let by_source = numbers.split("; ").any(|part| part.contains(expected) && part.contains(name));
        assert!(by_source || all.contains(expected), "{name}: {expected:?} is not in:\n{}", said.out);
    }
    assert!(all.contains("unknown-chip: the memory bandwidth of \"Z80\" is not known"), "{}", said.out);
    let names: Vec<String> = cases.iter().map(|(name, ..)| format!("~/models/{name}")).collect();
    bench.on("mac-edge", &format!("rm -rf {}", names.join(" ")));
}

fn a_margin_that_would_not_be_kept(bench: &Bench) {
    let said = bench.fleetctl(&["models", "sync", "small", "--on", "mac-edge", "--keep-free", "900TB"]);
    assert_eq!(said.code, 6, "{said:?}");
    assert!(said.out.contains("must stay free (--keep-free), but only"), "{said:?}");
    let unknown = bench.fleetctl(&["models", "sync", "smal"]);
    assert!(unknown.code == 2 && unknown.err.contains("small"), "{unknown:?}");
}

fn a_link_that_dies_ten_times(bench: &Bench) {
    // Narrow enough that the copy cannot end before the tenth death, however slow this computer is.
    bench.lab.fault("mac-edge", &["delay", "1", "both", "--rate", "150000"]);
    let child = bench.start(&["models", "sync", "small", "--keep-free", "1MB", "--checksum", "--json"]);
    let mut copied = 0;
    for _ in 0..10 {
        copied = bench.wait_for(copied);
        assert!(bench.lab.on("mac-edge", "ops", &format!("test ! -e {SMALL}")).code == 0, "served before it was whole");
        bench.lab.fault("mac-edge", &["kill-ssh"]);
        copied += 50_000;
    }
    bench.lab.heal("mac-edge");
    let (transfer, code) = transfer(child);
    assert_eq!(
        (&transfer["result"], &transfer["source"], code),
        (&"copied".into(), &"ssh".into(), Some(0)),
        "{transfer}"
    );
    // A death while the next connection is being made is not an interruption of its own.
    assert!(transfer["interruptions"].as_u64() >= Some(5), "{transfer}");
    assert_eq!(bench.sums("mac-edge", SMALL), bench.sums("mac-hub", "/Users/ops/store/org/small"));
    assert_eq!(bench.on("mac-edge", &format!("ls {PARTIAL} 2>/dev/null; true")), "", "nothing waits any more");
}

fn a_shard_that_changes_meanwhile(bench: &Bench) {
    bench.on("mac-edge", &format!("rm -rf {SMALL}"));
    bench.lab.fault("mac-edge", &["delay", "1", "both", "--rate", "1000000"]);
    let child = bench.start(&["models", "sync", "small", "--keep-free", "1MB", "--json"]);
    bench.wait_for(13_000_000);
    // The first shard is there already: it is replaced behind the copy's back.
    bench.on("mac-hub", "head -c 9000000 /dev/urandom >~/store/org/small/model-00001-of-00002.safetensors");
    bench.lab.heal("mac-edge");
    let (transfer, code) = transfer(child);
    assert_eq!((&transfer["result"], code), (&"copied".into(), Some(0)), "{transfer}");
    assert_eq!(bench.sums("mac-edge", SMALL), bench.sums("mac-hub", "/Users/ops/store/org/small"));
}

/// The host pretends a large disk and really takes 64 MB.
fn a_disk_that_fills(bench: &Bench) {
    let said = bench.fleetctl(&["models", "sync", "huge", "--on", "mac-edge", "--keep-free", "1MB"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("the disk is full; what was copied stays"), "{said:?}");
    assert_eq!(bench.lab.on("mac-edge", "ops", "test -e ~/models/huge").code, 1, "an incomplete copy has no name");
    assert!(bench.copied() > 10_000_000);
    bench.on("mac-edge", &format!("rm -rf {PARTIAL}"));
}

fn the_mount_wins(bench: &Bench) {
    bench.on("mac-edge", &format!("mkdir -p ~/mounted/org && cp -R {SMALL} ~/mounted/org/ && rm {SMALL}/model-00002*"));
    let (transfer, code) = transfer(bench.start(&["models", "sync", "small", "--keep-free", "1MB", "--json"]));
    assert_eq!(
        (&transfer["result"], &transfer["source"], code),
        (&"copied".into(), &"mount".into(), Some(0)),
        "{transfer}"
    );
    assert_eq!(bench.sums("mac-edge", SMALL), bench.sums("mac-hub", "/Users/ops/store/org/small"));
    let again = bench.fleetctl(&["models", "sync", "small"]);
    assert!(again.code == 0 && again.out.contains("present"), "{again:?}");
}

/// `--checksum` also compares what is there: the same size does not hide another byte.
fn what_is_there_is_compared(bench: &Bench) {
    let compare = || bench.fleetctl(&["models", "sync", "small", "--checksum", "--json"]);
    let same = compare();
    assert!(same.code == 0 && same.out.contains("every file has the SHA-256 of the source"), "{same:?}");
    let shard = format!("{SMALL}/model-00002-of-00002.safetensors");
    bench.on("mac-edge", &format!("printf flip | dd of={shard} bs=1 seek=1000 conv=notrunc 2>/dev/null"));
    let other = compare();
    assert_eq!(other.code, 4, "the hub needs nothing: {other:?}");
    let expected = format!("model-00002-of-00002.safetensors has another SHA-256 than at the source: remove {shard}");
    assert!(other.out.contains(&expected), "{other:?}");
    // The advice is good.
    bench.on("mac-edge", &format!("rm {shard}"));
    assert_eq!(compare().code, 0);
    assert!(compare().out.contains("every file has the SHA-256 of the source"));
}

fn prune_removes_what_is_named(bench: &Bench) {
    let listed = bench.fleetctl(&["models", "prune", "--on", "mac-edge"]);
    assert!(listed.code == 0 && listed.out.contains("old"), "{listed:?}");
    let unasked = bench.fleetctl(&["models", "prune", "old", "--on", "mac-edge"]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    let needed = bench.fleetctl(&["models", "prune", "org/small", "--yes"]);
    assert_eq!(needed.code, 2, "what is needed is not orphaned: {needed:?}");
    bench.on("mac-edge", "mkdir -p ~/.omlx/serve/old && ln -s ~/models/old ~/.omlx/serve/old/old");
    let served = bench.fleetctl(&["models", "prune", "old", "--yes"]);
    assert!(served.code != 0 && served.out.contains("points to it"), "{served:?}");
    bench.on("mac-edge", "rm ~/.omlx/serve/old/old");
    let removed = bench.fleetctl(&["models", "prune", "old", "circle", "--yes"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(bench.on("mac-edge", "ls ~/models"), "file\norg\n");
}
