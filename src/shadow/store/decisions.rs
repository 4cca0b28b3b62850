//! The decisions.

use rusqlite::params;

use super::{Store, StoreError};
use crate::fleet::Rung;
use crate::shadow::{Decision, DecisionKind};

impl Store {
    /// Keeps a decision.
    pub fn decide(&self, decision: &Decision) -> Result<(), StoreError> {
        self.connection
            .execute(
                "insert into decisions (at, kind, rung_from, rung_to, decided_by, fingerprint, pairs, evidence) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    decision.at.to_string(),
                    decision.kind.as_str(),
                    decision.from.as_str(),
                    decision.to.as_str(),
                    decision.by,
                    decision.fingerprint,
                    u32::try_from(decision.pairs).unwrap_or(u32::MAX),
                    decision.evidence.to_string()
                ],
            )
            .map(drop)
            .map_err(|error| self.error(error))
    }

    /// All decisions, oldest first. One that a hand wrote into the file and that means nothing is left out.
    pub fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "select at, kind, rung_from, rung_to, decided_by, fingerprint, pairs, evidence from decisions order by id",
            )?;
            let rows = statement.query_map([], |row| {
                let rung = |place: usize| -> rusqlite::Result<Option<Rung>> {
                    let text: String = row.get(place)?;
                    Ok(Rung::ALL.into_iter().find(|rung| rung.as_str() == text))
                };
                let at = row.get::<_, String>(0)?.parse().ok();
                let kind = DecisionKind::parse(&row.get::<_, String>(1)?);
                let (Some(at), Some(kind), Some(from), Some(to)) = (at, kind, rung(2)?, rung(3)?) else {
                    return Ok(None);
                };
                Ok(Some(Decision {
                    at,
                    kind,
                    from,
                    to,
                    by: row.get(4)?,
                    fingerprint: row.get(5)?,
                    pairs: usize::try_from(row.get::<_, u32>(6)?).unwrap_or_default(),
                    evidence: serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default(),
                }))
            })?;
            rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }
}
