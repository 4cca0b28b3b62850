//! Weights that mlx_lm itself wrote: config.json, header and index as they really are.

use std::path::{Path, PathBuf};
use std::process::Command;

use fleetctl::capacity::{
    KvFormat, geometry_of_config, header_bytes, kv_bytes_per_token, read_index, scratch_bytes_per_token,
};

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

    let bytes = std::fs::read(weights.join("model.safetensors")).expect("written by mlx_lm");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
    let header = 8 + usize::try_from(length).expect("a header");
    let tensors = header_bytes(std::str::from_utf8(&bytes[8..header]).expect("text")).expect("a header");
    assert_eq!(tensors.get(), (bytes.len() - header) as u64, "every byte behind the header is a tensor's");
    let index = read_index(&text("model.safetensors.index.json")).expect("an index");
    assert_eq!((index.files, index.total), (vec!["model.safetensors".to_owned()], Some(tensors)));
    // Norms and scales beside them: the shape's parameters at their bits are most of the file, and never more.
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let computed = geometry.parameters().total as f64 * 8.5 / 8.0 / tensors.get() as f64;
    assert!((0.9..=1.0).contains(&computed), "{computed}");
}
