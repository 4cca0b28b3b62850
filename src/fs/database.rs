//! An SQLite file that is kept between runs: made where there is none, kept aside where it is damaged, refused where it is newer or in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long another process's write is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a database is made of.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What this program writes into `user_version`; a newer one is refused.
    pub version: i64,
    /// The tables of that version.
    pub tables: &'static str,
}

/// The file behind an open connection.
#[derive(Debug)]
pub struct DatabaseFile {
    path: PathBuf,
    kept_aside: Option<PathBuf>,
    /// Held for as long as nobody else may write for long: the lock ends with the file.
    lock: Option<std::fs::File>,
}

/// What keeps a database from being used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Written by a later release.
    #[error("{} was written by a newer fleetctl (version {version}; this one knows {known})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// Ours.
        known: i64,
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

impl DatabaseFile {
    /// Opens or makes the file and its directory. A damaged file is renamed and a new one made: [`Self::kept_aside`] says so.
    pub fn open(path: &Path, schema: Schema, now: Timestamp) -> Result<(Connection, Self), DatabaseError> {
        let files = |source| DatabaseError::Files { path: path.to_owned(), source };
        if let Some(directory) = path.parent() {
            super::create_private_directory(directory).map_err(files)?;
        }
        let database = |source| of(path, source);
        // Whoever opens shares the door; whoever puts the file aside has it alone. Otherwise a second process that found
        // the same damage would rename the new file of the first, or remove the index that somebody has just made.
        let door = super::append(&path.with_extension("open-lock")).map_err(files)?;
        door.lock_shared().map_err(files)?;
        match connect(path) {
            Err(error) if is_damaged(&error) => {}
            Err(error) => return Err(of(path, error)),
            Ok(connection) => return finish(connection, path, schema, None),
        }
        door.unlock().map_err(files)?;
        door.lock().map_err(files)?;
        match connect(path) {
            // Another process was here first.
            Ok(connection) => finish(connection, path, schema, None),
            Err(error) if is_damaged(&error) => {
                let aside = put_aside(path, now).map_err(files)?;
                finish(connect(path).map_err(database)?, path, schema, Some(aside))
            }
            Err(error) => Err(of(path, error)),
        }
    }

    /// Makes sure that nobody else does lengthy work on it, until it is dropped. Errors: somebody does.
    pub fn lock(&mut self) -> Result<(), DatabaseError> {
        let beside = self.path.with_extension("lock");
        let file = super::append(&beside).map_err(|source| DatabaseError::Files { path: beside.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(DatabaseError::Locked { path: self.path.clone() }),
            Err(std::fs::TryLockError::Error(source)) => Err(DatabaseError::Files { path: beside, source }),
        }
    }

    /// Where a damaged file was put.
    pub fn kept_aside(&self) -> Option<&Path> {
        self.kept_aside.as_deref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SQLite's error about this file.
    pub fn error(&self, source: rusqlite::Error) -> DatabaseError {
        of(&self.path, source)
    }
}

fn of(path: &Path, source: rusqlite::Error) -> DatabaseError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Locked { path: path.to_owned() },
        _ => DatabaseError::Database { path: path.to_owned(), source },
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Renames a damaged file to a name that nothing has yet. What is left of its log goes with it: SQLite empties the log when
/// the last connection closes, but another process may hold one. The index (`-shm`) is made anew (sqlite.org/walformat.html).
fn put_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let mut aside = path.with_extension(format!("damaged-{}.sqlite", now.as_second()));
    let mut number = 1_u32;
    while aside.exists() {
        number += 1;
        aside = path.with_extension(format!("damaged-{}-{number}.sqlite", now.as_second()));
    }
    super::rename(path, &aside)?;
    match super::rename(&beside(path, "-wal"), &beside(&aside, "-wal")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    drop(super::remove(&beside(path, "-shm")));
    Ok(aside)
}

/// SQLite's own name for a file that belongs to a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
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

/// Makes the tables, unless another process has made them since the version was read.
fn make_tables(connection: &mut Connection, schema: Schema) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
    if version == 0 {
        let Schema { version, tables } = schema;
        transaction.execute_batch(&format!("{tables}pragma user_version = {version};"))?;
    }
    transaction.commit()
}

fn finish(
    mut connection: Connection,
    path: &Path,
    schema: Schema,
    kept_aside: Option<PathBuf>,
) -> Result<(Connection, DatabaseFile), DatabaseError> {
    let database = |source| of(path, source);
    let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(database)?;
    if version > schema.version {
        return Err(DatabaseError::Newer { path: path.to_owned(), version, known: schema.version });
    }
    let mode: String = connection.query_row("pragma journal_mode = wal", [], |row| row.get(0)).map_err(database)?;
    drop(mode);
    if version == 0 {
        make_tables(&mut connection, schema).map_err(database)?;
    }
    Ok((connection, DatabaseFile { path: path.to_owned(), kept_aside, lock: None }))
}
