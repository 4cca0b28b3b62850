//! manifest.json: what fleetctl owns on a machine, with hashes (json.md, `render`).

use serde::Serialize;

use super::{Bundle, Content, Entry, Text};
use crate::fleet::sha256;

/// The document; its names are json.md's and do not change within a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// `fleetctl.render/1`
    pub schema: &'static str,
    /// One machine.
    pub machines: Vec<ManifestMachine>,
}

/// One machine of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestMachine {
    /// Its name.
    pub name: String,
    /// Its files and links, sorted by path.
    pub files: Vec<ManifestFile>,
}

/// One file or link of a [`ManifestMachine`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestFile {
    /// Absolute.
    pub path: String,
    /// `file` or `link`.
    pub kind: &'static str,
    /// Four octal digits.
    pub mode: String,
    /// `user:group`
    pub owner: String,
    /// Of the bytes; null for a link, and where a part of them is not known here.
    pub sha256: Option<String>,
    /// Where a link points.
    pub target: Option<String>,
}

impl Bundle {
    /// The entry of this machine in the answer of `render`.
    pub fn manifest_machine(&self) -> ManifestMachine {
        ManifestMachine { name: self.machine.to_string(), files: self.entries.iter().map(file).collect() }
    }

    /// The content of manifest.json. No provenance in it: a comment changed in the fleet file changes no byte.
    pub fn manifest(&self) -> String {
        let manifest = Manifest { schema: "fleetctl.render/1", machines: vec![self.manifest_machine()] };
        let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn file(entry: &Entry) -> ManifestFile {
    let (kind, mode, sha256, target) = match &entry.content {
        // A link has no mode that anything reads; macOS shows 0755.
        Content::Link { target } => ("link", 0o755, None, Some(target.clone())),
        Content::Whole(text) => ("file", entry.mode, hash(text), None),
        Content::Keys(document) => ("file", entry.mode, hash(&document.fresh), None),
    };
    ManifestFile {
        path: entry.path.clone(),
        kind,
        mode: format!("{mode:04o}"),
        owner: entry.owner.to_string(),
        sha256,
        target,
    }
}

/// SHA-256, hex; `None` for a text with a hole.
fn hash(text: &Text) -> Option<String> {
    let known = text.holes().next().is_none();
    known.then(|| sha256(text.shown().as_bytes()))
}
