//! Opening the file of a calibration.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::schema::{TABLES, VERSION};
use crate::fs::{DatabaseError, DatabaseFile, Schema};

/// What keeps the store from being used.
pub type StoreError = DatabaseError;

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    file: DatabaseFile,
}

impl Store {
    /// Opens or makes the store. A damaged file is renamed and a new one made: [`Store::kept_aside`] says so.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let schema = Schema { version: VERSION, tables: TABLES };
        let (connection, file) = DatabaseFile::open(path, schema, now)?;
        Ok(Self { connection, file })
    }

    /// Makes sure that nobody else buys pairs for this store, until it is dropped. Errors: somebody does.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        self.file.lock()
    }

    /// Where a damaged store was put.
    pub fn kept_aside(&self) -> Option<&Path> {
        self.file.kept_aside()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn error(&self, source: rusqlite::Error) -> StoreError {
        self.file.error(source)
    }
}
