//! The scripts of templates/models with their values, each quoted, in front.

use crate::transport::{quote, quote_all};

const LIST: &str = include_str!("../../../templates/models/list.sh");
const LOCK: &str = include_str!("../../../templates/lock.sh");
const ALONE: &str = include_str!("../../../templates/models/alone.sh");
const COPY: &str = include_str!("../../../templates/models/copy.sh");
const PLACE: &str = include_str!("../../../templates/models/place.sh");
const SUMS: &str = include_str!("../../../templates/models/sums.sh");
const REACH: &str = include_str!("../../../templates/models/reach-hub.sh");
const REMOVE: &str = include_str!("../../../templates/models/remove.sh");

/// Lists the weights below `root`: the named directories, or with `None` all.
pub(super) fn list(root: &str, serve: Option<&str>, directories: Option<&[&str]>) -> String {
    let call =
        directories.map_or_else(|| "all".to_owned(), |names| format!("each {}", quote_all(names.iter().copied())));
    format!("ROOT={}\nSERVE={}\nDIRECTORIES() {{\n{call}\n}}\n{LIST}", quote(root), quote(serve.unwrap_or_default()))
}

/// What a copy needs to know.
pub(super) struct Copy<'a> {
    /// Where it is to stand.
    pub(super) target: &'a Target,
    /// A directory there, or `USER@HOST:DIRECTORY`.
    pub(super) from: &'a str,
    /// How the hub is reached; `None` for a directory there.
    pub(super) hub: Option<&'a HubKeys>,
    /// Bytes that must stay free.
    pub(super) margin: u64,
    /// Whose copy it is.
    pub(super) owner: &'a Owner,
}

/// Who works at a copy: at most one at a time.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// A word of this sync: its attempts know each other by it.
    pub(super) run: String,
    /// `user@host` of the laptop, for people.
    pub(super) who: String,
}

/// Where weights come to stand, and where they wait until they are whole.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The directory that oMLX's links point to.
    pub(super) last: String,
    /// Beside it, below a directory that oMLX passes over: its name begins with a dot (facts/omlx.md 6.3).
    pub(super) partial: String,
}

/// How a machine's own ssh reaches the hub: under the hub's key, which was asked of the hub itself.
#[derive(Clone, Debug)]
pub(super) struct HubKeys {
    /// Lines of known_hosts.
    pub(super) known: String,
    /// The command line of ssh, without the file of the keys.
    pub(super) shell: String,
}

/// Copies.
pub(super) fn copy(copy: &Copy<'_>) -> String {
    let (shell, known) = copy.hub.map_or(("", ""), |hub| (hub.shell.as_str(), hub.known.as_str()));
    format!(
        "{}FROM={}\nRSH={}\nKNOWN={}\nMARGIN={}\n{COPY}",
        alone(copy.target, copy.owner),
        quote(copy.from),
        quote(shell),
        quote(known),
        copy.margin
    )
}

/// Gives a copy its name.
pub(super) fn place(target: &Target, owner: &Owner) -> String {
    format!("{}{PLACE}", alone(target, owner))
}

/// What stands in front of a script that must be alone at a copy.
fn alone(target: &Target, owner: &Owner) -> String {
    format!(
        "RUN={}\nWHO={}\nFINAL={}\nPARTIAL={}\n{LOCK}\n{ALONE}\n",
        quote(&owner.run),
        quote(&owner.who),
        quote(&target.last),
        quote(&target.partial)
    )
}

/// Sums every file.
pub(super) fn sums(directory: &str) -> String {
    format!("WHERE={}\n{SUMS}", quote(directory))
}

/// Finds the address by which the hub can be reached.
pub(super) fn reach(hub: &HubKeys, addresses: &[String]) -> String {
    let addresses = quote_all(addresses.iter().map(String::as_str));
    format!("RSH={}\nKNOWN={}\nset -- {addresses}\n{REACH}", quote(&hub.shell), quote(&hub.known))
}

/// Removes directories below `root`.
pub(super) fn remove(root: &str, serve: &str, directories: &[&str]) -> String {
    let directories = quote_all(directories.iter().copied());
    format!("ROOT={}\nSERVE={}\nset -- {directories}\n{REMOVE}", quote(root), quote(serve))
}
