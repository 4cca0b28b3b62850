//! Whole directories: read as values, replaced in one step.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What lies at a path below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Whether it may be executed. Not read back: archives and checkouts lose it.
        is_executable: bool,
    },
    /// A symbolic link, to what it says; never followed.
    Link(PathBuf),
    /// Something else, or a file above the limit.
    Other,
}

/// Files and links below a directory, by path relative to it. Empty directories do not count.
pub type Tree = BTreeMap<PathBuf, Node>;

/// A rendered file has at most some 100 kB.
const FILE_LIMIT: u64 = 16 << 20;

/// Reads a directory with all that is below it; `None` when there is nothing at the path. Errors: I/O with the path; `NotADirectory`.
pub fn read_tree(root: &Path) -> io::Result<Option<Tree>> {
    match fs_err::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_dir() => {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no directory", root.display())));
        }
        Ok(_) => {}
    }
    let mut tree = Tree::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(below) = pending.pop() {
        for entry in fs_err::read_dir(root.join(&below))? {
            let entry = entry?;
            let relative = below.join(entry.file_name());
            let metadata = fs_err::symlink_metadata(entry.path())?;
            let node = if metadata.is_dir() {
                pending.push(relative);
                continue;
            } else if metadata.is_symlink() {
                Node::Link(fs_err::read_link(entry.path())?)
            } else if metadata.is_file() && metadata.len() <= FILE_LIMIT {
                read_file(&entry.path(), metadata.len())?
            } else {
                Node::Other
            };
            tree.insert(relative, node);
        }
    }
    Ok(Some(tree))
}

/// `length` is what the file had a moment ago.
fn read_file(path: &Path, length: u64) -> io::Result<Node> {
    use io::Read as _;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    fs_err::File::open(path)?.take(FILE_LIMIT).read_to_end(&mut bytes)?;
    Ok(Node::File { bytes, is_executable: false })
}

/// Names of what a directory holds, sorted; `None` when there is nothing at the path. Hidden ones are left out.
pub fn names_in(directory: &Path) -> io::Result<Option<Vec<String>>> {
    let entries = match fs_err::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(Some(names))
}

/// Whether a directory, not a link to one, is at the path.
pub fn is_real_directory(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Replaces `root` by a directory that holds exactly the tree. Its parent is made when missing.
///
/// The new one is written beside it and renamed: whenever the process dies, `root` is wholly old or wholly new, or (between two renames) not there; never
/// half. What an earlier, killed run left beside it is removed.
pub fn replace_tree(root: &Path, tree: &Tree) -> io::Result<()> {
    let named = |what: &str, error: &io::Error| {
        io::Error::new(error.kind(), format!("cannot {what} {}: {error}", root.display()))
    };
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} cannot be replaced", root.display())));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    fs_err::create_dir_all(parent)?;
    let prefix = format!(".{}.fleetctl-", name.to_string_lossy());
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) && is_real_directory(&entry.path()) {
            fs_err::remove_dir_all(entry.path())?;
        }
    }
    let beside =
        tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(|error| named("write beside", &error))?;
    let fresh = beside.path().join("new");
    write_tree(&fresh, tree)?;
    if is_real_directory(root) {
        fs_err::rename(root, beside.path().join("old"))?;
    }
    fs_err::rename(&fresh, root)?;
    beside.close().map_err(|error| named("remove the old", &error))
}

fn write_tree(root: &Path, tree: &Tree) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::create_dir_all(root)?;
    for (relative, node) in tree {
        let path = root.join(relative);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        match node {
            Node::File { bytes, is_executable } => {
                fs_err::write(&path, bytes)?;
                if *is_executable {
                    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
                }
            }
            Node::Link(target) => fs_err::os::unix::fs::symlink(target, &path)?,
            Node::Other => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Node {
        Node::File { bytes: text.into(), is_executable: false }
    }

    #[test]
    fn a_tree_is_replaced_whole_and_read_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("out/m");
        let old: Tree = [("a/b".into(), file("1")), ("gone".into(), file("2"))].into();
        let new: Tree = [("a/b".into(), file("3")), ("l".into(), Node::Link("/nowhere".into()))].into();
        assert_eq!(read_tree(&root).expect("read"), None);
        replace_tree(&root, &old).expect("written");
        let left = directory.path().join("out/.m.fleetctl-killed/new");
        std::fs::create_dir_all(&left).expect("a rest");
        replace_tree(&root, &new).expect("replaced");
        assert_eq!(read_tree(&root).expect("read"), Some(new));
        let names: Vec<_> = std::fs::read_dir(directory.path().join("out")).expect("listed").collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn a_link_to_a_directory_is_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("real")).expect("made");
        std::os::unix::fs::symlink("real", directory.path().join("link")).expect("linked");
        assert!(!is_real_directory(&directory.path().join("link")));
        assert!(read_tree(&directory.path().join("link")).is_err());
        assert_eq!(read_tree(directory.path()).expect("read").map(|tree| tree.len()), Some(1));
    }
}
