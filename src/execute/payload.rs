//! A transaction as it travels: files with a digest over all of them.
//!
//! Knows nothing of connections. Secrets stand in the blobs only: they are on the wire inside the script's standard input, and on the machine in root's own
//! directory with mode 0700.

use super::payload_error::PayloadError;
use super::plan_lines::{plan_lines, yes};
use super::terms::{Purpose, Terms};
use crate::fleet::sha256;
use crate::plan::{Drain, RUNNER, Transaction, Values};
use crate::secret::{ExposeSecret as _, SecretString};

/// A file of the payload.
#[derive(Clone)]
pub struct PayloadFile {
    /// Below STATE/apply.
    pub path: String,
    /// Its bytes.
    pub bytes: SecretString,
}

/// Everything that travels.
#[derive(Clone)]
pub struct Payload {
    /// The transaction's id.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// `sums` is the last.
    pub files: Vec<PayloadFile>,
    /// SHA-256 of `sums`, hex.
    pub digest: String,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({}, {} files)", self.id, self.files.len())
    }
}

/// The payload of a transaction. Errors: a hole that nothing fills; a control character in a path or a name.
pub fn payload(transaction: &Transaction, values: &Values, terms: &Terms) -> Result<Payload, PayloadError> {
    let (plan, blobs) = plan_lines(transaction, values, terms.purpose)?;
    let meta = meta(transaction, terms)?;
    let mut files = vec![
        file("meta", SecretString::from(meta)),
        file("plan", SecretString::from(plan)),
        file("record.json", SecretString::from(record(transaction, terms))),
        file("runner", SecretString::from(RUNNER)),
    ];
    for (at, blob) in blobs.into_iter().enumerate() {
        files.push(file(&format!("blobs/{}", at + 1), blob));
    }
    let sums = files.iter().fold(String::new(), |sums, file| {
        sums + &format!("{}  {}\n", sha256(file.bytes.expose_secret().as_bytes()), file.path)
    });
    let digest = sha256(sums.as_bytes());
    files.push(file("sums", SecretString::from(sums)));
    Ok(Payload { id: terms.id.clone(), purpose: terms.purpose, files, digest })
}

fn record(transaction: &Transaction, terms: &Terms) -> String {
    let mut record = terms.record.clone();
    record.insert("machine".to_owned(), transaction.machine.as_str().into());
    record.insert("fleet".to_owned(), terms.fleet.as_str().into());
    record.insert("id".to_owned(), terms.id.as_str().into());
    record.insert("kind".to_owned(), terms.purpose.as_str().into());
    record.insert("who".to_owned(), terms.who.as_str().into());
    record.insert("changes".to_owned(), terms.changes.into());
    record.insert("generation".to_owned(), serde_json::Value::Null);
    let keys = transaction.keys_written.iter().map(|(path, pointers)| (path.clone(), pointers.clone().into()));
    record.insert("keys".to_owned(), serde_json::Value::Object(keys.collect()));
    let mut text = serde_json::Value::Object(record).to_string();
    // One space behind each colon where the machine looks for its place.
    text = text.replacen("\"generation\":null", "\"generation\": null", 1);
    text.push('\n');
    text
}

fn file(path: &str, bytes: SecretString) -> PayloadFile {
    PayloadFile { path: path.to_owned(), bytes }
}

fn meta(transaction: &Transaction, terms: &Terms) -> Result<String, PayloadError> {
    let gate = &transaction.gate;
    let generation = match terms.purpose {
        Purpose::Rollback(generation) => generation.to_string(),
        Purpose::Apply | Purpose::Remove => String::new(),
    };
    let mut text = String::new();
    for (name, value) in [
        ("id", terms.id.as_str()),
        ("kind", terms.purpose.as_str()),
        ("machine", transaction.machine.as_str()),
        ("fleet", &terms.fleet),
        ("who", &terms.who),
        ("user", &transaction.user),
        ("base", &transaction.base),
        ("changes", &terms.changes.to_string()),
        ("drains", yes(transaction.drain == Drain::Engine)),
        ("drain", &terms.drain.as_secs().to_string()),
        ("force", yes(terms.force)),
        ("gate", &gate.within.as_secs().to_string()),
        ("gate_skip", yes(terms.no_gate)),
        ("engine", yes(gate.engine)),
        ("release", gate.release.as_str()),
        ("by_clock", yes(gate.by_clock)),
        ("generation", &generation),
    ] {
        if value.chars().any(char::is_control) {
            return Err(PayloadError::Control(value.to_owned()));
        }
        text.push_str(name);
        text.push('\t');
        text.push_str(value);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::{Input, Lineage, plan_machine};
    use crate::testing::machine::{after_apply, values};
    use crate::{render, testing};

    /// A first apply of the example: everything travels.
    fn first_apply() -> Transaction {
        let fleet = testing::example();
        let machine = fleet.machines.get("mac-mini1").expect("a machine of the example");
        let bundle = render::bundle(&fleet, machine);
        let mut observed = after_apply(&fleet, machine, &bundle, &values());
        observed.files.clear();
        observed.jobs.clear();
        let plan = plan_machine(&Input {
            fleet: &fleet,
            machine,
            bundle: &bundle,
            observed: &observed,
            values: &values(),
            now: jiff::Timestamp::UNIX_EPOCH,
            lineage: &Lineage::Unknown,
            allow_older: false,
        });
        plan.transaction.expect("everything is to be done")
    }

    fn terms() -> Terms {
        Terms {
            id: "run-1-mac-mini1".to_owned(),
            purpose: Purpose::Apply,
            fleet: "home".to_owned(),
            who: "ops@laptop".to_owned(),
            drain: Duration::from_secs(5),
            force: false,
            no_gate: false,
            changes: 3,
            record: serde_json::Map::new(),
        }
    }

    fn content(file: &PayloadFile) -> &str {
        file.bytes.expose_secret()
    }

    #[test]
    fn every_byte_is_under_the_digest() {
        let payload = payload(&first_apply(), &values(), &terms()).expect("a payload");
        let (sums, files) = payload.files.split_last().expect("files");
        assert_eq!((sums.path.as_str(), sha256(content(sums).as_bytes())), ("sums", payload.digest.clone()));
        let listed: Vec<String> =
            files.iter().map(|file| format!("{}  {}", sha256(content(file).as_bytes()), file.path)).collect();
        assert_eq!(content(sums).lines().collect::<Vec<_>>(), listed);
    }

    #[test]
    fn it_says_which_machine_and_fleet_it_is_for() {
        let payload = payload(&first_apply(), &values(), &terms()).expect("a payload");
        let meta = payload.files.iter().find(|file| file.path == "meta").expect("meta");
        for line in ["id\trun-1-mac-mini1", "kind\tapply", "machine\tmac-mini1", "fleet\thome", "who\tops@laptop"] {
            assert!(content(meta).lines().any(|said| said == line), "{line}: {}", content(meta));
        }
    }

    #[test]
    fn secrets_stand_in_blobs_and_nowhere_else() {
        let payload = payload(&first_apply(), &values(), &terms()).expect("a payload");
        let holds = |file: &&PayloadFile| content(file).contains("key-of-");
        assert!(payload.files.iter().any(|file| holds(&file)), "the key travels");
        let wrong: Vec<&str> = payload
            .files
            .iter()
            .filter(holds)
            .map(|file| file.path.as_str())
            .filter(|path| !path.starts_with("blobs/"))
            .collect();
        assert_eq!(wrong, [""; 0]);
        assert_eq!(format!("{payload:?}"), format!("Payload(run-1-mac-mini1, {} files)", payload.files.len()));
    }

    #[test]
    fn what_would_be_another_line_of_the_plan_does_not_travel() {
        for odd in ["/a\n/etc/passwd", "/a\tb", "/a\u{7f}", "/a\u{9b}2J"] {
            let mut transaction = first_apply();
            transaction.removes.push(odd.to_owned());
            let refused = payload(&transaction, &values(), &terms());
            assert!(matches!(refused, Err(PayloadError::Control(said)) if said == odd), "{odd:?}");
        }
        let refused = payload(&first_apply(), &values(), &Terms { who: "o\np".to_owned(), ..terms() });
        assert!(matches!(refused, Err(PayloadError::Control(_))));
    }

    #[test]
    fn a_hole_that_nothing_fills_is_named_with_its_file() {
        let refused = payload(&first_apply(), &Values::default(), &terms());
        let Err(PayloadError::Fill { path, .. }) = refused else { panic!("filled with nothing") };
        assert!(path.starts_with('/'), "{path}");
    }
}
