//! Experiments and their pairs.

use rusqlite::{OptionalExtension as _, Row as SqlRow, params};

use super::{Store, StoreError};
use crate::shadow::{Arm, Failure, Fingerprint, Judged, Pair};

/// An experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its row.
    pub id: i64,
    /// Its fingerprint.
    pub fingerprint: String,
    /// What the fingerprint is made of.
    pub parts: Vec<(String, String)>,
    /// When it began, seconds since 1970.
    pub started: i64,
    /// Complete pairs.
    pub pairs: u32,
}

/// What is known of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The hash of its content.
    pub content: String,
    /// Whether the reference gave a usable answer.
    pub reference_ok: bool,
    /// Whether the local side has answered, or failed.
    pub local_done: bool,
}

/// What goes into a row besides the arms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    /// The item's id.
    pub item: &'a str,
    /// The hash of its content.
    pub content: &'a str,
    /// Seconds since 1970.
    pub at: i64,
    /// Prompt and completion tokens of the reference.
    pub tokens: Option<(u32, u32)>,
    /// Where the local answer came from: machine, served name, load.
    pub conditions: Option<&'a str>,
    /// The input, where texts are kept.
    pub input: Option<&'a str>,
    /// The reference's text.
    pub reference_text: Option<&'a str>,
    /// The local text.
    pub local_text: Option<&'a str>,
}

/// What an experiment has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Prompt tokens of the reference.
    pub tokens_in: i64,
    /// Completion tokens of the reference.
    pub tokens_out: i64,
}

fn state(arm: &Arm) -> (&'static str, Option<f64>, Option<u8>) {
    match arm.said {
        Ok(judged) => ("ok", Some(judged.score), Some(judged.tier)),
        Err(failure) => (failure.as_str(), None, None),
    }
}

fn arm(row: &SqlRow<'_>, first: usize) -> rusqlite::Result<Arm> {
    let state = row.get_ref(first)?.as_str().unwrap_or_default();
    let judged = row.get::<_, Option<f64>>(first + 1)?.zip(row.get::<_, Option<u8>>(first + 2)?);
    let said = match (state, judged) {
        ("ok", Some((score, tier))) => Ok(Judged { score, tier }),
        (state, _) => Err(Failure::parse(state).unwrap_or(Failure::Refused)),
    };
    Ok(Arm { said, seconds: row.get(first + 3)? })
}

impl Store {
    /// The experiment of a fingerprint, made where there is none.
    pub fn experiment(&self, fingerprint: &Fingerprint, now: i64) -> Result<i64, StoreError> {
        let parts = serde_json::json!(fingerprint.parts()).to_string();
        let id = fingerprint.id();
        self.connection
            .execute(
                "insert into experiments (fingerprint, parts, started) values (?1, ?2, ?3) on conflict do nothing",
                params![id, parts, now],
            )
            .and_then(|_| {
                self.connection.query_row("select id from experiments where fingerprint = ?1", [id], |row| row.get(0))
            })
            .map_err(|error| self.error(error))
    }

    /// All experiments, the one with the latest pair last.
    pub fn experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "select e.id, e.fingerprint, e.parts, e.started,
                        (select count(*) from pairs p where p.experiment = e.id and p.local_state is not null)
                 from experiments e
                 order by coalesce((select max(p.id) from pairs p where p.experiment = e.id), 0), e.id",
            )?;
            statement
                .query_map([], |row| {
                    Ok(Experiment {
                        id: row.get(0)?,
                        fingerprint: row.get(1)?,
                        parts: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                        started: row.get(3)?,
                        pairs: row.get(4)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// What is known of an item.
    pub fn known(&self, experiment: i64, item: &str) -> Result<Option<Known>, StoreError> {
        self.connection
            .prepare_cached("select content, reference_state = 'ok', local_state is not null from pairs where experiment = ?1 and item = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![experiment, item], |row| {
                        Ok(Known { content: row.get(0)?, reference_ok: row.get(1)?, local_done: row.get(2)? })
                    })
                    .optional()
            })
            .map_err(|error| self.error(error))
    }

    /// Writes the reference's answer down, before the local side is asked. A voided pair is replaced.
    pub fn put_reference(&self, experiment: i64, row: &Row<'_>, reference: &Arm) -> Result<(), StoreError> {
        let (state, score, tier) = state(reference);
        let tokens = row.tokens.unzip();
        self.connection
            .prepare_cached(
                "insert into pairs (experiment, item, content, at, reference_state, reference_score, reference_tier, reference_seconds,
                                    tokens_in, tokens_out, input, reference_text)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 on conflict (experiment, item) do update set at = excluded.at, reference_state = excluded.reference_state,
                   reference_score = excluded.reference_score, reference_tier = excluded.reference_tier,
                   reference_seconds = excluded.reference_seconds, input = excluded.input, reference_text = excluded.reference_text,
                   tokens_in = coalesce(tokens_in, 0) + excluded.tokens_in, tokens_out = coalesce(tokens_out, 0) + excluded.tokens_out",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    experiment,
                    row.item,
                    row.content,
                    row.at,
                    state,
                    score,
                    tier,
                    reference.seconds,
                    tokens.0,
                    tokens.1,
                    row.input,
                    row.reference_text
                ])
            })
            .map(drop)
            .map_err(|error| self.error(error))
    }

    /// Writes the local answer down; the pair is complete. Its row moves to the end: rows are in the order in which they were completed, so that the
    /// first so many pairs stay the first when an older reference's other half comes late.
    pub fn put_local(&self, experiment: i64, row: &Row<'_>, local: &Arm) -> Result<(), StoreError> {
        let (state, score, tier) = state(local);
        self.connection
            .prepare_cached(
                "update pairs set id = (select max(id) + 1 from pairs), at = ?3, local_state = ?4, local_score = ?5, local_tier = ?6, local_seconds = ?7, conditions = ?8, local_text = ?9
                 where experiment = ?1 and item = ?2",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    experiment,
                    row.item,
                    row.at,
                    state,
                    score,
                    tier,
                    local.seconds,
                    row.conditions,
                    row.local_text
                ])
            })
            .map(drop)
            .map_err(|error| self.error(error))
    }

    /// Writes the reference's second answer to an input down: the noise floor.
    pub fn put_repeat(&self, experiment: i64, row: &Row<'_>, again: &Arm) -> Result<(), StoreError> {
        let (state, score, tier) = state(again);
        let tokens = row.tokens.unzip();
        self.connection
            .execute(
                "insert into repeats (experiment, item, at, state, score, tier, tokens_in, tokens_out) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 on conflict do nothing",
                params![experiment, row.item, row.at, state, score, tier, tokens.0, tokens.1],
            )
            .map(drop)
            .map_err(|error| self.error(error))
    }

    /// Whether an input was repeated.
    pub fn is_repeated(&self, experiment: i64, item: &str) -> Result<bool, StoreError> {
        self.connection
            .query_row(
                "select exists (select 1 from repeats where experiment = ?1 and item = ?2)",
                params![experiment, item],
                |row| row.get(0),
            )
            .map_err(|error| self.error(error))
    }

    /// The complete pairs of an experiment and those that the reference voided, in the order of their completion.
    pub fn pairs(&self, experiment: i64) -> Result<Vec<Pair>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "select at, reference_state, reference_score, reference_tier, reference_seconds,
                        coalesce(local_state, 'empty'), local_score, local_tier, local_seconds
                 from pairs where experiment = ?1 and (local_state is not null or reference_state <> 'ok') order by id",
            )?;
            statement
                .query_map([experiment], |row| {
                    Ok(Pair { at: row.get(0)?, reference: arm(row, 1)?, local: arm(row, 5)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// How many different inputs the valid pairs after a second rest on: one input under two ids makes two pairs, and no more evidence than one.
    pub fn distinct_inputs(&self, experiment: i64, after: i64) -> Result<usize, StoreError> {
        self.connection
            .query_row(
                "select count(distinct content) from pairs
                 where experiment = ?1 and local_state is not null and reference_state = 'ok' and at > ?2",
                params![experiment, after],
                |row| row.get::<_, u32>(0),
            )
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
            .map_err(|error| self.error(error))
    }

    /// The complete pair of an item.
    pub fn pair(&self, experiment: i64, item: &str) -> Result<Option<Pair>, StoreError> {
        self.connection
            .prepare_cached(
                "select at, reference_state, reference_score, reference_tier, reference_seconds,
                        local_state, local_score, local_tier, local_seconds
                 from pairs where experiment = ?1 and item = ?2 and local_state is not null",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![experiment, item], |row| {
                        Ok(Pair { at: row.get(0)?, reference: arm(row, 1)?, local: arm(row, 5)? })
                    })
                    .optional()
            })
            .map_err(|error| self.error(error))
    }

    /// What the reference said of the same input twice.
    pub fn repeats(&self, experiment: i64) -> Result<Vec<(Judged, Judged)>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "select p.reference_score, p.reference_tier, r.score, r.tier from repeats r
                 join pairs p on p.experiment = r.experiment and p.item = r.item
                 where r.experiment = ?1 and r.state = 'ok' and p.reference_state = 'ok'",
            )?;
            statement
                .query_map([experiment], |row| {
                    let judged = |first: usize| -> rusqlite::Result<Judged> {
                        Ok(Judged { score: row.get(first)?, tier: row.get(first + 1)? })
                    };
                    Ok((judged(0)?, judged(2)?))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// The tokens that the reference took, repeats included.
    pub fn totals(&self, experiment: i64) -> Result<Totals, StoreError> {
        self.connection
            .query_row(
                "select coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0)
                 from (select tokens_in, tokens_out from pairs where experiment = ?1
                       union all select tokens_in, tokens_out from repeats where experiment = ?1)",
                [experiment],
                |row| Ok(Totals { tokens_in: row.get(0)?, tokens_out: row.get(1)? }),
            )
            .map_err(|error| self.error(error))
    }

    /// Does many writes as one.
    pub fn at_once<T, E: From<StoreError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let run = |sql| self.connection.execute_batch(sql).map_err(|error| self.error(error));
        run("begin immediate")?;
        match work() {
            Ok(done) => {
                run("commit")?;
                Ok(done)
            }
            Err(error) => {
                run("rollback")?;
                Err(error)
            }
        }
    }
}
