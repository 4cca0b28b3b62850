//! Opening the file: made where there is none, kept aside where it is damaged, refused where it is newer or in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};

use super::schema::{TABLES, VERSION};
use crate::fs;

/// How long another process's write is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
    kept_aside: Option<PathBuf>,
    /// Held for as long as pairs are bought: the lock ends with the file.
    lock: Option<std::fs::File>,
}

/// What keeps the store from being used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by a later release.
    #[error("{} was written by a newer fleetctl (version {version}; this one knows {VERSION})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// Another process writes.
    #[error("{} is in use by another process", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file or its directory.
    #[error("cannot open {}", .path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite.
    #[error("cannot use {}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl Store {
    /// Opens or makes the store. A damaged file is renamed and a new one made: [`Store::kept_aside`] says so.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let files = |source| StoreError::Files { path: path.to_owned(), source };
        if let Some(directory) = path.parent() {
            fs::create_private_directory(directory).map_err(files)?;
        }
        let database = |source| of(path, source);
        match connect(path) {
            Ok(connection) => finish(connection, path, None),
            Err(error) if is_damaged(&error) => {
                let aside = path.with_extension(format!("damaged-{}.sqlite", now.as_second()));
                fs::rename(path, &aside).map_err(files)?;
                // They belong to the damaged file, hold its latest writes, and may not be there at all.
                for suffix in ["-wal", "-shm"] {
                    drop(fs::rename(&beside(path, suffix), &beside(&aside, suffix)));
                }
                finish(connect(path).map_err(database)?, path, Some(aside))
            }
            Err(error) => Err(of(path, error)),
        }
    }

    /// Makes sure that nobody else buys pairs for this store, until it is dropped. Errors: somebody does.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        let beside = self.path.with_extension("lock");
        let file = fs::append(&beside).map_err(|source| StoreError::Files { path: beside.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: self.path.clone() }),
            Err(std::fs::TryLockError::Error(source)) => Err(StoreError::Files { path: beside, source }),
        }
    }

    /// Where a damaged store was put.
    pub fn kept_aside(&self) -> Option<&Path> {
        self.kept_aside.as_deref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn error(&self, source: rusqlite::Error) -> StoreError {
        of(&self.path, source)
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn of(path: &Path, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path: path.to_owned() },
        _ => StoreError::Database { path: path.to_owned(), source },
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// A connection to a sound file. `quick_check` reads every page once.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let said: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(code, Some(said)));
    }
    Ok(connection)
}

fn finish(connection: Connection, path: &Path, kept_aside: Option<PathBuf>) -> Result<Store, StoreError> {
    let database = |source| of(path, source);
    let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(database)?;
    if version > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    let mode: String = connection.query_row("pragma journal_mode = wal", [], |row| row.get(0)).map_err(database)?;
    drop(mode);
    if version == 0 {
        connection
            .execute_batch(&format!("begin immediate;{TABLES}pragma user_version = {VERSION};commit;"))
            .map_err(database)?;
    }
    Ok(Store { connection, path: path.to_owned(), kept_aside, lock: None })
}
