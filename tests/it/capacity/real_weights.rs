//! Weights that mlx_lm itself wrote: config.json, header and index as they really are.

use std::path::{Path, PathBuf};
use std::process::Command;

use fleetctl::capacity::{KvFormat, geometry_of_config, kv_bytes_per_token, scratch_bytes_per_token};
use fleetctl::observe::WeightsState;
use fleetctl::observe::parse::{sections, weights_files};
use serde_json::Value;

/// Runs a program of the lab; `None`, after saying why, where it cannot run.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success());
    let in_ci = std::env::var_os("CI").is_some();
    assert!(output.is_some() || !in_ci, "{command:?} does not run");
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A tiny model of the lab, converted to 8 bits by `mlx_lm convert`.
fn converted(directory: &Path) -> Option<PathBuf> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/omlx");
    let environment = said(&mut Command::new(lab.join("setup")))?;
    let (made, to) = (directory.join("made"), directory.join("converted"));
    said(Command::new(lab.join("make-models")).arg(&made).arg("llm=tiny"))?;
    let python = Path::new(environment.lines().last()?.trim()).join("bin/python");
    let mut convert = Command::new(python);
    convert.args(["-m", "mlx_lm", "convert", "-q", "--q-bits", "8", "--hf-path"]).arg(made.join("tiny"));
    said(convert.arg("--mlx-path").arg(&to))?;
    Some(to)
}

#[test]
fn what_mlx_lm_writes_is_understood() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(weights) = converted(directory.path()) else { return };
    let text = |name: &str| std::fs::read_to_string(weights.join(name)).expect("written by mlx_lm");
    let geometry = geometry_of_config(&text("config.json")).expect("a shape");
    assert_eq!((geometry.full_layers, geometry.kv_heads, geometry.head_dim), (2, 2, 16));
    assert_eq!(geometry.bits_per_weight, Some(8.5));
    assert_eq!(kv_bytes_per_token(&geometry, KvFormat::Half), 2 * 2 * 2 * 16 * 2);
    assert_eq!(scratch_bytes_per_token(&geometry), 0, "16 numbers a head are fused");

    // The header names every tensor's place: the last of them ends where the file does.
    let bytes = std::fs::read(weights.join("model.safetensors")).expect("written by mlx_lm");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
    let header = 8 + usize::try_from(length).expect("a header");
    let places: Value = serde_json::from_slice(&bytes[8..header]).expect("a header");
    let ends = places.as_object().expect("tensors").values().filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    let tensors = ends.max().expect("tensors");
    assert_eq!(tensors, (bytes.len() - header) as u64, "every byte behind the header is a tensor's");
    let index: Value = serde_json::from_str(&text("model.safetensors.index.json")).expect("an index");
    assert_eq!(index["metadata"]["total_size"], tensors);
    // What the probe brings of that directory: oMLX's sum, whole.
    let listing = format!(
        "@@n weights\n40755\t64\t1\t/m\n100644\t{}\t1\t/m/model.safetensors\n100644\t1\t1\t/m/config.json\n\n\
         @@n shards /m/model.safetensors.index.json\nmodel.safetensors\n\n@@n config /m/config.json\n{}\n",
        bytes.len(),
        text("config.json")
    );
    let fact = weights_files(&sections(listing.as_bytes(), "n")).fact("/m");
    assert_eq!((fact.state, fact.bytes), (WeightsState::Complete, Some(bytes.len() as u64)));
    assert_eq!(geometry_of_config(&fact.config.expect("brought")).as_ref(), Ok(&geometry));
    // Norms and scales beside them: the shape's parameters at their bits are most of the file, and never more.
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let computed = geometry.parameters().total as f64 * 8.5 / 8.0 / tensors as f64;
    assert!((0.9..=1.0).contains(&computed), "{computed}");
}
