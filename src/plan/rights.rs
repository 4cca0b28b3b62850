//! Directories of fleetctl's own with another owner or mode than machine.md gives them: root runs scripts from there and trusts what lies there, so an apply sets
//! them right. Those that a person must look at first are obstacles.

use super::{Action, Change, ChangeKind, Disturbs, Input};
use crate::fleet::layout;
use crate::observe::FileFact;
use crate::render::Owner;

/// A directory whose owner and mode are set: path, owner, mode.
pub(super) type Right = (String, Owner, u32);

/// Each with its change.
pub(super) fn compare(input: &Input<'_>) -> (Vec<Change>, Vec<Right>) {
    input.bundle.directories.iter().filter_map(|right| Some((change(input, right)?, right.clone()))).unzip()
}

fn change(input: &Input<'_>, (path, owner, mode): &Right) -> Option<Change> {
    let Some(FileFact::Directory { user, group, mode: found }) = input.observed.files.get(path) else { return None };
    let serve = layout::serve_directory(input.machine);
    let is_sound = if [layout::LIB, layout::STATE, layout::LOGS].iter().any(|ours| is_at_or_below(path, ours)) {
        (user, group, found) == (&owner.user, &owner.group, mode)
    } else if is_at_or_below(path, &serve) {
        // oMLX's side: whoever reads it besides is the operator's to decide.
        *user == owner.user && found & 0o700 == 0o700
    } else {
        true
    };
    // The payload's directory comes and goes with each transaction.
    (!is_sound && *path != format!("{}/apply", layout::STATE)).then(|| Change {
        kind: ChangeKind::File,
        path: path.clone(),
        key: None,
        action: Action::Update,
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason: format!("owner and mode are {user}:{group} {found:04o}, declared {owner} {mode:04o}"),
        diff: None,
    })
}

fn is_at_or_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
