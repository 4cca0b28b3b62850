//! The short private directory of the control sockets: found, made, checked, and cleaned of what dead runs left.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::env::Env;
use crate::fs;

/// A socket's path may have 104 bytes on macOS, the final NUL included, and OpenSSH first binds it with "." and 16 random characters behind
/// (`ControlMaster`; measured with OpenSSH 9.2): 86 are left.
const LONGEST_SOCKET: usize = 86;

/// The longest file name that the connector puts there: a hash, a letter and ".conf".
pub(super) const LONGEST_NAME: usize = 24;

/// What lies there without a living socket is of a dead run after this time.
const STALE: Duration = Duration::from_mins(10);

/// Why there is no directory for the sockets.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be made or read.
    #[error("no directory for the SSH control sockets")]
    Io(#[source] io::Error),
    /// Somebody else could write there.
    #[error("{path} is not a directory of yours alone: remove it, or set XDG_RUNTIME_DIR to a private directory", path = .0.display())]
    NotPrivate(PathBuf),
}

/// Finds the directory, makes it, and removes what dead runs left there.
///
/// The first that is short enough of `$XDG_RUNTIME_DIR/fleetctl`, `~/.fleetctl/s` and `/tmp/fleetctl-UID`.
pub(super) fn prepare(env: &Env) -> Result<PathBuf, DirectoryError> {
    let fits = |path: &PathBuf| path.as_os_str().len() + 1 + LONGEST_NAME <= LONGEST_SOCKET;
    let runtime = env.get("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("fleetctl"));
    let home = env.home().map(|home| home.join(".fleetctl/s"));
    let mut last = None;
    for candidate in runtime.into_iter().chain(home).filter(|path| path.is_absolute()).filter(fits) {
        match make(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) => last = Some(error),
        }
    }
    // The user's number, without a call that std does not have: the owner of a file that we make.
    let probe = tempfile::tempfile().map_err(|error| last.unwrap_or(DirectoryError::Io(error)))?;
    let uid = probe.metadata().map_err(DirectoryError::Io)?.uid();
    let path = PathBuf::from(format!("/tmp/fleetctl-{uid}"));
    make(&path)?;
    Ok(path)
}

fn make(path: &Path) -> Result<(), DirectoryError> {
    fs::create_private_directory(path).map_err(DirectoryError::Io)?;
    let is = std::fs::symlink_metadata(path).map_err(DirectoryError::Io)?;
    // A file made here is ours: its owner is the one that the directory must have.
    let probe = tempfile::tempfile_in(path).and_then(|file| file.metadata()).map_err(DirectoryError::Io)?;
    if !is.is_dir() || is.uid() != probe.uid() {
        return Err(DirectoryError::NotPrivate(path.to_owned()));
    }
    if is.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(DirectoryError::Io)?;
    }
    clean(path);
    Ok(())
}

/// Removes sockets that nobody listens on, and old files without a living socket. What cannot be removed is left: it is only litter.
fn clean(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let dead = match name.split_once('.') {
            // ".conf" and ".log" belong to the socket of the same name.
            Some((socket, "conf" | "log")) => !is_alive(&directory.join(socket)) && is_old(&entry),
            Some(_) => is_old(&entry),
            None => !is_alive(&path),
        };
        if dead {
            drop(std::fs::remove_file(&path));
        }
    }
}

fn is_old(entry: &std::fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|is| is.modified()).ok();
    modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > STALE)
}

/// Whether somebody listens on the socket.
pub(super) fn is_alive(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_short_and_clean() {
        let home = tempfile::Builder::new().prefix("h").tempdir_in("/tmp").expect("a directory");
        let env = Env::from([("HOME", home.path().to_str().expect("text"))]);
        let directory = prepare(&env).expect("made");
        assert_eq!(directory, home.path().join(".fleetctl/s"));
        let mode = std::fs::metadata(&directory).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        let dead = directory.join("0123456789abcdefl");
        drop(std::os::unix::net::UnixListener::bind(&dead).expect("bound"));
        let alive = directory.join("fedcba9876543210t");
        let listener = std::os::unix::net::UnixListener::bind(&alive).expect("bound");
        let fresh = directory.join("0123456789abcdefl.conf");
        fs::write_atomic(&fresh, b"", 0o600).expect("written");
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).expect("widened");
        prepare(&env).expect("again");
        assert!(!dead.exists() && alive.exists() && fresh.exists());
        assert_eq!(std::fs::metadata(&directory).expect("there").permissions().mode() & 0o777, 0o700);
        drop(listener);
    }

    #[test]
    fn a_long_home_is_not_used() {
        let home = tempfile::tempdir().expect("a directory");
        let long = home.path().join("x".repeat(80));
        let env = Env::from([("HOME", long.to_str().expect("text"))]);
        let directory = prepare(&env).expect("made");
        assert!(directory.to_string_lossy().starts_with("/tmp/fleetctl-"), "{}", directory.display());
    }
}
