//! What is kept between runs, in one SQLite file a calibration: experiments, pairs, repeats, decisions. Texts only where the fleet file asks for them.
//!
//! A row is written as soon as its answer has come, the reference's before the local one: so a pair is never paid for twice, and a kill loses at most what is
//! in flight.

mod decisions;
mod open;
mod pairs;
mod schema;

pub use open::{Store, StoreError};
pub use pairs::{Experiment, Known, Row, Totals};

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::fleet::Rung;
    use crate::shadow::{Arm, Decision, DecisionKind, Failure, Fingerprint, Judged};
    use crate::testing;

    fn fingerprint(prompt: &str) -> Fingerprint {
        let fleet = testing::example();
        Fingerprint::new(&fleet, fleet.shadows.get("job-score").expect("declared"), prompt)
    }

    const GOOD: Arm = Arm { said: Ok(Judged { score: 5.0, tier: 1 }), seconds: Some(2.0) };

    #[test]
    fn what_was_paid_for_is_there_after_a_kill() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/x.sqlite");
        let now = Timestamp::UNIX_EPOCH;
        let row = |item| Row { item, content: "c", at: 7, tokens: Some((100, 10)), ..Row::default() };
        {
            let store = Store::open(&path, now).expect("opened");
            let id = store.experiment(&fingerprint("p"), 1).expect("an experiment");
            store.put_reference(id, &row("a"), &GOOD).expect("written");
            store
                .put_reference(id, &row("void"), &Arm { said: Err(Failure::NotJson), seconds: None })
                .expect("written");
            store.put_reference(id, &row("b"), &GOOD).expect("written");
            store.put_local(id, &row("b"), &Arm { said: Err(Failure::Timeout), seconds: Some(30.0) }).expect("written");
            store.put_repeat(id, &row("b"), &GOOD).expect("written");
        }
        let store = Store::open(&path, now).expect("opened again");
        assert_eq!(store.kept_aside(), None);
        let id = store.experiment(&fingerprint("p"), 9).expect("the same");
        let known = |item| store.known(id, item).expect("read");
        assert_eq!(known("a"), Some(Known { content: "c".into(), reference_ok: true, local_done: false }));
        assert_eq!(known("b").map(|known| known.local_done), Some(true));
        assert_eq!(known("c"), None);
        let pairs = store.pairs(id).expect("read");
        assert_eq!(pairs.len(), 2, "complete or void");
        assert_eq!((pairs[0].reference.said, pairs[1].local.said), (Err(Failure::NotJson), Err(Failure::Timeout)));
        assert_eq!(store.totals(id).expect("read"), Totals { tokens_in: 400, tokens_out: 40 });
        assert_eq!(store.repeats(id).expect("read").len(), 1);
        let other = store.experiment(&fingerprint("q"), 9).expect("another");
        assert_ne!(id, other);
        assert!(store.pairs(other).expect("read").is_empty());
        let decision = Decision {
            at: now,
            kind: DecisionKind::Promoted,
            from: Rung::Shadow,
            to: Rung::Easy5,
            by: "someone".into(),
            fingerprint: "f".into(),
            pairs: 3,
            evidence: serde_json::json!({"look": 1}),
        };
        store.decide(&decision).expect("written");
        assert_eq!(store.decisions().expect("read"), [decision]);
    }

    #[test]
    fn newer_locked_and_damaged() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.sqlite");
        let now = Timestamp::from_second(1_000).expect("a time");
        let mut first = Store::open(&path, now).expect("opened");
        first.lock().expect("ours");
        let mut second = Store::open(&path, now).expect("reading is free");
        assert!(matches!(second.lock(), Err(StoreError::Locked { .. })));
        drop((first, second));
        let connection = rusqlite::Connection::open(&path).expect("opened");
        connection.pragma_update(None, "user_version", 9).expect("written");
        drop(connection);
        let error = Store::open(&path, now).expect_err("newer").to_string();
        assert!(error.ends_with("was written by a newer fleetctl (version 9; this one knows 1)"), "{error}");
        crate::fs::write_atomic(&path, &[b'x'; 9_000], 0o600).expect("damaged");
        let store = Store::open(&path, now).expect("a new one");
        let aside = store.kept_aside().expect("kept aside").to_owned();
        assert!(aside.ends_with("x.damaged-1000.sqlite"), "{aside:?}");
        assert_eq!(crate::fs::read_bytes(&aside, 100).expect("there").len(), 100);
        assert!(store.experiments().expect("empty").is_empty());
        drop(store);
        crate::fs::write_atomic(&path, &[b'y'; 9_000], 0o600).expect("damaged again in the same second");
        let store = Store::open(&path, now).expect("a new one");
        let second = store.kept_aside().expect("kept aside").to_owned();
        assert!(second.ends_with("x.damaged-1000-2.sqlite"), "{second:?}");
        assert_eq!(crate::fs::read_bytes(&aside, 1).expect("the first is still there"), b"x");
    }

    #[test]
    fn a_damaged_file_that_many_open_at_once_is_put_aside_once() {
        const OPENERS: usize = 4;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.sqlite");
        let open_together = || {
            let barrier = std::sync::Barrier::new(OPENERS);
            std::thread::scope(|scope| {
                let open = || {
                    barrier.wait();
                    let store = Store::open(&path, Timestamp::UNIX_EPOCH).expect("opened");
                    store.experiments().expect("its tables are there");
                    store.kept_aside().is_some()
                };
                let openers: Vec<_> = (0..OPENERS).map(|_| scope.spawn(open)).collect();
                openers.into_iter().map(|opener| usize::from(opener.join().expect("no panic"))).sum::<usize>()
            })
        };
        assert_eq!(open_together(), 0, "a new file is made");
        for round in 1..=10 {
            crate::fs::write_atomic(&path, &[b'x'; 9_000], 0o600).expect("damaged");
            assert_eq!(open_together(), 1, "round {round}");
        }
    }
}
