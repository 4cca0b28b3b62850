//! What was measured before, in one SQLite file a fleet on the laptop.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::command::Context;
use crate::command::database::file_name;
use crate::error::CommandError;
use crate::fleet::Fleet;
use crate::fs::{DatabaseFile, Schema};
use crate::ui::json::BenchEntry;

/// The columns are what earlier results are found by; the result itself is its JSON.
const SCHEMA: Schema = Schema {
    version: 1,
    tables: "
create table results (
  id integer primary key,
  at text not null,
  served text not null,
  machine text not null,
  profile text not null,
  concurrent integer not null,
  tokens integer not null,
  prompt_tokens integer not null,
  speed real,
  result text not null
) strict;
create index results_of on results (served, machine, concurrent);
",
};

/// Earlier results that a new one is held to.
const LATEST: i64 = 20;

/// The history of a fleet.
pub(super) struct History {
    connection: Connection,
    file: DatabaseFile,
}

/// Opens the history; a damaged one is said to have been kept aside.
pub(super) fn open(cx: &Context, fleet: &Fleet) -> Result<History, CommandError> {
    let path = cx.state_directory("bench")?.join(format!("{}.sqlite", file_name(&fleet.name)));
    let (connection, file) = DatabaseFile::open(&path, SCHEMA, cx.clock.now())?;
    cx.warn_of_damage(file.path(), file.kept_aside());
    Ok(History { connection, file })
}

impl History {
    /// Keeps a result.
    pub(super) fn keep(&self, entry: &BenchEntry) -> Result<(), CommandError> {
        let result = serde_json::to_string(entry).unwrap_or_default();
        let speed = entry.decode_tps.or(entry.vectors_per_second).map(|speed| speed.median);
        let (tokens, prompt) = terms(entry);
        self.connection
            .execute(
                "insert into results (at, served, machine, profile, concurrent, tokens, prompt_tokens, speed, result) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![entry.at, entry.served, entry.machine, entry.profile, entry.concurrent, tokens, prompt, speed, result],
            )
            .map(drop)
            .map_err(|error| self.file.error(error).into())
    }

    /// The latest speeds of the same name on the same machine under the same terms: profile, requests at once, tokens, and a prompt of about the same length.
    pub(super) fn earlier(&self, entry: &BenchEntry) -> Result<Vec<f64>, CommandError> {
        let (tokens, prompt) = terms(entry);
        let read = || {
            let mut statement = self.connection.prepare(
                "select speed from results where served = ?1 and machine = ?2 and profile = ?3 and concurrent = ?4 and tokens = ?5 \
                 and abs(prompt_tokens - ?6) * 10 <= ?6 and speed is not null order by id desc limit ?7",
            )?;
            let rows = statement.query_map(
                params![entry.served, entry.machine, entry.profile, entry.concurrent, tokens, prompt, LATEST],
                |row| row.get(0),
            )?;
            rows.collect::<rusqlite::Result<Vec<f64>>>()
        };
        read().map_err(|error| self.file.error(error).into())
    }

    /// Everything, oldest first. A result of another shape (a hand was at the file) is left out.
    pub(super) fn all(&self) -> Result<Vec<BenchEntry>, CommandError> {
        let read = || {
            let mut statement = self.connection.prepare("select result from results order by id")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()
        };
        let texts = read().map_err(|error| CommandError::from(self.file.error(error)))?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }
}

fn terms(entry: &BenchEntry) -> (i64, i64) {
    let whole = |count: Option<u64>| count.and_then(|count| i64::try_from(count).ok()).unwrap_or(0);
    (whole(entry.conditions.tokens), whole(entry.conditions.prompt_tokens))
}

/// How old a result may be for status to speak of it.
const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// The last recent result of each name on each machine, one request alone, for status. Nothing where nothing was measured, or the history cannot be read: status
/// has other news.
pub(super) fn latest(cx: &Context, fleet: &Fleet, now: Timestamp) -> Vec<BenchEntry> {
    let Ok(directory) = cx.state_directory("bench") else { return Vec::new() };
    if crate::fs::mode(&directory.join(format!("{}.sqlite", file_name(&fleet.name)))).is_err() {
        return Vec::new();
    }
    let Ok(all) = open(cx, fleet).and_then(|history| history.all()) else { return Vec::new() };
    let is_recent = |entry: &BenchEntry| entry.at.parse::<Timestamp>().is_ok_and(|at| now.duration_since(at) <= RECENT);
    let mut latest: Vec<BenchEntry> = Vec::new();
    for entry in all.into_iter().filter(|entry| entry.concurrent == 1 && is_recent(entry)) {
        latest.retain(|known| known.served != entry.served || known.machine != entry.machine);
        latest.push(entry);
    }
    latest
}
