//! Files and links that are ours byte for byte: what is missing, what differs, what is no longer declared.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Action, Change, ChangeKind, Disturbs, Found, Input, Kept, Put, diff};
use crate::fleet::{layout, sha256};
use crate::observe::FileFact;
use crate::render::{Content, Entry, Text};
use crate::secret::{ExposeSecret as _, SecretString};

/// What is to be done about files and links.
#[derive(Default)]
pub(super) struct FileWork {
    pub(super) changes: Vec<Change>,
    /// What something that is not ours keeps from its place.
    pub(super) blocked: Vec<Change>,
    pub(super) kept: Vec<Kept>,
    pub(super) found: Vec<Found>,
    pub(super) puts: Vec<Put>,
    pub(super) links: Vec<(String, String, crate::render::Owner)>,
    pub(super) removes: Vec<String>,
}

/// Compares every whole file and link of the bundle, and everything that the manifest on the machine still lists.
pub(super) fn compare(input: &Input<'_>) -> FileWork {
    let mut work = FileWork::default();
    for entry in &input.bundle.entries {
        match &entry.content {
            Content::Whole(text) => whole(input, entry, text, &mut work),
            Content::Link { target } => link(input, entry, target, &mut work),
            Content::Keys(_) => {}
        }
    }
    prune(input, &mut work);
    work
}

fn whole(input: &Input<'_>, entry: &Entry, text: &Text, work: &mut FileWork) {
    let found = input.observed.files.get(&entry.path).unwrap_or(&FileFact::Missing);
    let filled = text.fill(input.values).ok();
    let put = || Put { path: entry.path.clone(), owner: entry.owner.clone(), mode: entry.mode, text: text.clone() };
    let (action, reason, shown) = match found {
        FileFact::Missing => (Action::Create, "declared, and not on the machine".to_owned(), None),
        FileFact::File { user, group, mode, sha256: found_hash, bytes } => {
            let Some(found_hash) = found_hash else {
                work.kept.push(Kept {
                    path: entry.path.clone(),
                    reason: "could not be read, so it was not compared".to_owned(),
                });
                return;
            };
            let same_bytes =
                filled.as_ref().is_none_or(|wanted| sha256(wanted.expose_secret().as_bytes()) == *found_hash);
            let rights = format!("{user}:{group} {mode:04o}");
            let wanted_rights = format!("{} {:04o}", entry.owner, entry.mode);
            let same_rights = rights == wanted_rights;
            work.found.extend(
                (!same_bytes || !same_rights)
                    .then(|| Found::Bytes { path: entry.path.clone(), sha256: found_hash.clone() }),
            );
            match (same_bytes, same_rights) {
                (true, true) => return,
                (true, false) => {
                    (Action::Update, format!("owner and mode are {rights}, declared {wanted_rights}"), None)
                }
                (false, _) => {
                    let touched = last_applied_hash(input, &entry.path).is_some_and(|applied| applied != *found_hash);
                    let reason = if touched {
                        "changed on the machine since the last apply"
                    } else {
                        "differs from the fleet file"
                    };
                    let shown = bytes.as_deref().and_then(|bytes| file_diff(bytes, text, filled.as_ref()));
                    (Action::Update, reason.to_owned(), shown)
                }
            }
        }
        FileFact::Link { target } => {
            work.found.push(Found::Link { path: entry.path.clone(), target: target.clone() });
            (Action::Update, format!("is a link to {target}, must be a file"), None)
        }
        FileFact::Directory { .. } | FileFact::Other => {
            work.blocked.push(in_the_way(entry, ChangeKind::File));
            return;
        }
        FileFact::Unreadable => {
            work.kept.push(Kept {
                path: entry.path.clone(),
                reason: "could not be read, so it was not compared".to_owned(),
            });
            return;
        }
    };
    if *found == FileFact::Missing {
        work.found.push(Found::Missing(entry.path.clone()));
    }
    work.puts.push(put());
    work.changes.push(Change {
        kind: ChangeKind::File,
        path: entry.path.clone(),
        key: None,
        action,
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason,
        diff: shown,
    });
}

/// The diff of a file of ours. Where it holds a secret, every line of either side that holds one is redacted whole.
fn file_diff(found: &[u8], wanted: &Text, filled: Option<&SecretString>) -> Option<String> {
    let found = diff::text_of(found)?;
    if !wanted.holds_secret() {
        return diff::unified(found, filled?.expose_secret());
    }
    // Which line of the found file holds the old secret cannot be told apart from its text, so all values are hidden on both sides.
    let hide = |text: &str| -> String {
        text.lines()
            .map(|line| {
                line.split_once('=')
                    .map_or_else(|| format!("{line}\n"), |(name, _)| format!("{name}={}\n", diff::REDACTED))
            })
            .collect()
    };
    diff::unified(&hide(found), &hide(&wanted.shown())).or_else(|| Some(format!("{} differs\n", diff::REDACTED)))
}

fn link(input: &Input<'_>, entry: &Entry, target: &str, work: &mut FileWork) {
    let found = input.observed.files.get(&entry.path).unwrap_or(&FileFact::Missing);
    let (action, reason, old) = match found {
        FileFact::Link { target: found } if found == target => return,
        FileFact::Link { target: found } => {
            work.found.push(Found::Link { path: entry.path.clone(), target: found.clone() });
            (Action::Update, "points elsewhere".to_owned(), Some(found.clone()))
        }
        FileFact::Missing => {
            work.found.push(Found::Missing(entry.path.clone()));
            (Action::Create, "declared, and not on the machine".to_owned(), None)
        }
        _ => {
            work.blocked.push(in_the_way(entry, ChangeKind::Link));
            return;
        }
    };
    work.links.push((entry.path.clone(), target.to_owned(), entry.owner.clone()));
    work.changes.push(Change {
        kind: ChangeKind::Link,
        path: entry.path.clone(),
        key: None,
        action,
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason,
        diff: Some(diff::of_value(old.as_deref(), Some(target))),
    });
}

/// What is declared and cannot be put there: an [obstacle](super::obstacle), which a person moves away.
fn in_the_way(entry: &Entry, kind: ChangeKind) -> Change {
    Change {
        kind,
        path: entry.path.clone(),
        key: None,
        action: Action::Create,
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason: "something that fleetctl did not put there is in its place: move it away by hand".to_owned(),
        diff: None,
    }
}

/// One entry of the manifest on the machine.
struct Listed {
    sha256: Option<String>,
    target: Option<String>,
}

fn listed(input: &Input<'_>) -> BTreeMap<String, Listed> {
    let list = |value: &'_ Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let machines = input.observed.manifest.as_ref().map(|manifest| list(manifest, "machines")).unwrap_or_default();
    let files = machines.iter().flat_map(|machine| list(machine, "files"));
    files
        .filter_map(|file| {
            let text = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("path")?, Listed { sha256: text("sha256"), target: text("target") }))
        })
        .collect()
}

fn last_applied_hash(input: &Input<'_>, path: &str) -> Option<String> {
    listed(input).remove(path).and_then(|listed| listed.sha256)
}

fn prune(input: &Input<'_>, work: &mut FileWork) {
    for (path, listed) in listed(input) {
        if input.bundle.entry(&path).is_some() || is_omlx_file(input, &path) {
            continue;
        }
        let mut keep = |reason: &str| work.kept.push(Kept { path: path.clone(), reason: reason.to_owned() });
        if !layout::could_be_ours(&path, &input.machine.omlx.base) {
            keep("listed in the manifest, but nothing of fleetctl's lies there");
            continue;
        }
        let diff = match input.observed.files.get(&path) {
            None | Some(FileFact::Missing) => continue,
            Some(FileFact::File { sha256: found, .. }) => {
                // Without a hash (it held a secret) the path alone is ours: STATE/env and the gateway's key file.
                if listed.sha256.is_some() && *found != listed.sha256 {
                    keep("no longer declared, but changed since fleetctl wrote it");
                    continue;
                }
                work.found.extend(found.clone().map(|sha256| Found::Bytes { path: path.clone(), sha256 }));
                None
            }
            Some(FileFact::Link { target }) => {
                if listed.target.as_ref() != Some(target) {
                    keep("no longer declared, but points elsewhere since fleetctl set it");
                    continue;
                }
                work.found.push(Found::Link { path: path.clone(), target: target.clone() });
                Some(diff::of_value(Some(target), None))
            }
            Some(_) => {
                keep("no longer declared, but neither the file nor the link that fleetctl put there");
                continue;
            }
        };
        work.changes.push(Change {
            kind: if listed.target.is_some() { ChangeKind::Link } else { ChangeKind::File },
            path: path.clone(),
            key: None,
            action: Action::Remove,
            disturbs: Disturbs::Nothing,
            names: Vec::new(),
            reason: "no longer declared".to_owned(),
            diff,
        });
        work.removes.push(path);
    }
}

/// oMLX's own files are never removed: only keys of them are ours.
pub(super) fn is_omlx_file(input: &Input<'_>, path: &str) -> bool {
    ["settings.json", "model_settings.json", "model_profiles.json"]
        .iter()
        .any(|file| path == format!("{}/{file}", input.machine.omlx.base))
}
