//! The only door to the laptop's files. Every error names the path.

mod database;
mod tree;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use database::{DatabaseError, DatabaseFile, Schema};
pub use tree::{Node, Tree, is_real_directory, names_in, read_tree, replace_tree};

/// Reads a text file of at most `limit` bytes. Errors: I/O with the path; `InvalidData` when it is longer or not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    let named = |what: String| io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}", path.display()));
    if bytes.len() as u64 > limit {
        return Err(named(format!("is longer than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| named(format!("is not UTF-8 (byte {})", error.utf8_error().valid_up_to())))
}

/// Reads at most `limit` bytes of a file. Errors: I/O with the path.
pub fn read_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file for appending, as a child's stream. Errors: I/O with the path.
pub fn append(path: &Path) -> io::Result<std::fs::File> {
    let file = fs_err::OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.into_file())
}

/// Replaces a file in one step: a temporary file in the same directory, synced, then renamed. The mode is set before any content is written.
///
/// A device or a pipe (`--out /dev/stdout`) is written to as it is: a rename would put a file in its place.
pub fn write_atomic(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if fs_err::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs_err::OpenOptions::new().write(true).open(path)?.write_all(contents);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".fleetctl-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(directory)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write in {}: {error}", directory.display())))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| {
        io::Error::new(error.error.kind(), format!("cannot replace {}: {}", path.display(), error.error))
    })?;
    Ok(())
}

/// Writes a file that nobody needs after a crash: in place and without a sync, which costs milliseconds on a Mac's disk.
pub fn write_scratch(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    fs_err::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?.write_all(contents)
}

/// The path behind symbolic links, absolute.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    fs_err::canonicalize(path)
}

/// The permission bits of a file.
pub fn mode(path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o777)
}

/// Writes a file of the owner's in the system's directory for temporary files; it stays until it is removed.
pub fn write_temporary(prefix: &str, suffix: &str, contents: &[u8]) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new().prefix(prefix).suffix(suffix).tempfile()?;
    file.write_all(contents)?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

/// Renames a file.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::rename(from, to)
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    fs_err::remove_file(path)
}

/// Makes a directory and its parents, for the owner only.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot make {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("f");
        write_atomic(&path, b"one", 0o600).expect("written");
        write_atomic(&path, b"two", 0o600).expect("replaced");
        assert_eq!(read_text(&path, 100).expect("read"), "two");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).expect("listed").count(), 1);
        let device = directory.path().join("device");
        std::os::unix::fs::symlink("/dev/null", &device).expect("a link");
        write_atomic(&device, b"nothing", 0o600).expect("taken");
        assert!(device.is_symlink(), "a device is written to, not replaced");
        std::fs::remove_file(&device).expect("removed");
        assert!(read_text(&path, 2).expect_err("too long").to_string().contains("longer than 2 bytes"));
    }
}
