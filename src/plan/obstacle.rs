//! What stands in the way of what is declared: a directory where a link belongs, a file that may not be read, a base path of another user. Each is a person's to
//! move or to give back, because fleetctl did not put it there: the plan is an error that names it, and nothing of the machine is called in sync.

use crate::fleet::{Machine, layout};
use crate::observe::{FileFact, Observed};
use crate::render::{Bundle, Content, Entry, Owner};

/// Something in the way of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// The path, what is there and what must be.
    pub(super) what: String,
    /// The command for the machine's own shell.
    pub(super) mend: String,
}

/// All of one machine, directories first. `quote` makes one shell word.
pub(super) fn obstacles(
    machine: &Machine,
    bundle: &Bundle,
    observed: &Observed,
    quote: &dyn Fn(&str) -> String,
) -> Vec<Obstacle> {
    let mut all = Vec::new();
    let mut closed: Vec<&str> = Vec::new();
    let is_below_any =
        |path: &str, closed: &[&str]| closed.iter().any(|directory| path.starts_with(&format!("{directory}/")));
    for (path, owner, mode) in &bundle.directories {
        // What lies in a directory that is in the way says nothing of its own.
        let Some(fact) = observed.files.get(path).filter(|_| !is_below_any(path, &closed)) else { continue };
        if let Some(obstacle) = of_directory(machine, path, owner, *mode, fact, quote) {
            closed.push(path);
            all.push(obstacle);
        }
    }
    for entry in &bundle.entries {
        let fact = observed.files.get(&entry.path).filter(|_| !is_below_any(&entry.path, &closed));
        all.extend(fact.and_then(|fact| of_entry(machine, entry, fact, quote)));
    }
    all
}

fn of_directory(
    machine: &Machine,
    path: &str,
    owner: &Owner,
    mode: u32,
    fact: &FileFact,
    quote: &dyn Fn(&str) -> String,
) -> Option<Obstacle> {
    let FileFact::Directory { user, group, mode: found } = fact else {
        // A link to a directory elsewhere is the operator's way to keep it there.
        let what = thing(fact).filter(|_| !matches!(fact, FileFact::Link { .. }))?;
        return Some(Obstacle {
            what: format!("{path} is {what}, and must be a directory"),
            mend: move_away(path, machine, quote),
        });
    };
    let found_rights = format!("{user}:{group} {found:04o}");
    let is_base = path == machine.omlx.base;
    if is_base && (*user != machine.user || found & 0o700 != 0o700) {
        // What lies in it may be another user's too, and oMLX keeps its own files there.
        return Some(Obstacle {
            what: format!(
                "{path} is {found_rights}, and oMLX, which runs as {}, must be able to write there",
                machine.user
            ),
            mend: format!(
                "sudo chown -R {} {path} && sudo chmod u+rwx {path}",
                quote(&owner.to_string()),
                path = quote(path)
            ),
        });
    }
    // Without it nothing below can be compared, not even to whom the machine belongs.
    let is_readable = *user == machine.user && found & 0o500 == 0o500 || found & 0o005 == 0o005;
    let is_read = [layout::LIB, layout::STATE].contains(&path);
    (is_read && !is_readable).then(|| Obstacle {
        what: format!(
            "{path} is {found_rights}, and {} may not read it: nothing in it could be compared",
            machine.user
        ),
        mend: give_back(path, owner, mode, quote),
    })
}

fn of_entry(machine: &Machine, entry: &Entry, fact: &FileFact, quote: &dyn Fn(&str) -> String) -> Option<Obstacle> {
    let path = &entry.path;
    let away = |must: &str| {
        let what = thing(fact)?;
        Some(Obstacle {
            what: format!("{path} is {what}, which fleetctl did not put there, and must be {must}"),
            mend: move_away(path, machine, quote),
        })
    };
    let closed = |owned: String| Obstacle {
        what: format!("{path} may not be read by {}{owned}: it could not be compared", machine.user),
        mend: give_back(path, &entry.owner, entry.mode, quote),
    };
    match (&entry.content, fact) {
        (Content::Link { .. }, FileFact::Link { .. } | FileFact::Missing | FileFact::Unreadable) => None,
        (Content::Link { target }, _) => away(&format!("a link to {target}")),
        (Content::Keys(_), FileFact::Link { .. }) | (_, FileFact::Directory { .. } | FileFact::Other) => away("a file"),
        // Of what root alone may read, root was asked: there a missing answer is sudo's.
        (Content::Keys(_), FileFact::File { user, group, mode, sha256: None, .. }) => {
            Some(closed(format!(" (it is {user}:{group} {mode:04o})")))
        }
        (Content::Whole(_), FileFact::File { user, group, mode, sha256: None, .. }) if entry.mode & 0o004 != 0 => {
            Some(closed(format!(" (it is {user}:{group} {mode:04o})")))
        }
        _ => None,
    }
}

/// What is there, in a word; `None` where a directory may be there after all.
fn thing(fact: &FileFact) -> Option<&'static str> {
    match fact {
        FileFact::File { .. } => Some("a file"),
        FileFact::Directory { .. } => Some("a directory"),
        FileFact::Other => Some("neither a file nor a directory"),
        FileFact::Link { .. } => Some("a link"),
        FileFact::Missing | FileFact::Unreadable => None,
    }
}

/// Out of the way, and nothing lost: into the home, where neither oMLX nor launchd looks.
fn move_away(path: &str, machine: &Machine, quote: &dyn Fn(&str) -> String) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("sudo mv {} {}", quote(path), quote(&format!("{}/{name}.moved-away", machine.home)))
}

/// The owner and mode that are declared.
fn give_back(path: &str, owner: &Owner, mode: u32, quote: &dyn Fn(&str) -> String) -> String {
    let path = quote(path);
    format!("sudo chown {} {path} && sudo chmod {mode:04o} {path}", quote(&owner.to_string()))
}
