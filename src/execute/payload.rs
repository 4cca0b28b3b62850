//! A transaction as it travels: files with a digest over all of them.
//!
//! Knows nothing of connections. Secrets stand in the blobs only: they are on the wire inside the script's standard input, and on the machine in root's own
//! directory with mode 0700.

use std::collections::BTreeMap;

use super::payload_error::PayloadError;
use super::plan_lines::{plan_lines, yes};
use super::terms::{Purpose, Terms};
use crate::fleet::{layout, sha256};
use crate::plan::{Drain, RUNNER, Transaction, Values};
use crate::secret::{ExposeSecret as _, SecretString};

/// The name of the runner in it.
const RUNNER_FILE: &str = "runner";

/// A file of the payload.
#[derive(Clone)]
pub struct PayloadFile {
    /// Below STATE/apply.
    pub path: String,
    /// Where its bytes come from.
    pub source: Source,
}

/// Where the bytes of a file come from. They are held to the same sum, whichever it is.
#[derive(Clone)]
pub enum Source {
    /// They travel.
    Sent(SecretString),
    /// A file of the machine holds them.
    There(String),
    /// An earlier file of the payload holds them: its path.
    Same(String),
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
    let mut contents = vec![
        ("meta".to_owned(), SecretString::from(meta)),
        ("plan".to_owned(), SecretString::from(plan)),
        ("record.json".to_owned(), SecretString::from(record(transaction, terms))),
        (RUNNER_FILE.to_owned(), SecretString::from(RUNNER)),
    ];
    contents.extend(blobs.into_iter().enumerate().map(|(at, blob)| (format!("blobs/{}", at + 1), blob)));
    let mut sums = String::new();
    let mut files: Vec<PayloadFile> = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, bytes) in contents {
        let sum = sha256(bytes.expose_secret().as_bytes());
        sums += &format!("{sum}  {path}\n");
        let source = match seen.get(&sum) {
            // A first apply installs the runner that carries it out.
            Some(earlier) => Source::Same(earlier.clone()),
            None if path == RUNNER_FILE && transaction.has_runner => Source::There(layout::runner_path()),
            None => Source::Sent(bytes),
        };
        seen.entry(sum).or_insert_with(|| path.clone());
        files.push(PayloadFile { path, source });
    }
    let digest = sha256(sums.as_bytes());
    files.push(PayloadFile { path: "sums".to_owned(), source: Source::Sent(SecretString::from(sums)) });
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

    /// What travels of a file.
    fn content(file: &PayloadFile) -> &str {
        match &file.source {
            Source::Sent(bytes) => bytes.expose_secret(),
            Source::There(_) | Source::Same(_) => "",
        }
    }

    /// What a file holds in the end.
    fn held<'a>(files: &'a [PayloadFile], file: &'a PayloadFile) -> &'a str {
        match &file.source {
            Source::Sent(bytes) => bytes.expose_secret(),
            Source::There(path) => {
                assert_eq!(*path, "/usr/local/libexec/fleetctl/runner");
                RUNNER
            }
            Source::Same(path) => {
                held(files, files.iter().find(|earlier| earlier.path == *path).expect("an earlier file"))
            }
        }
    }

    #[test]
    fn every_byte_is_under_the_digest() {
        let payload = payload(&first_apply(), &values(), &terms()).expect("a payload");
        let (sums, files) = payload.files.split_last().expect("files");
        assert_eq!((sums.path.as_str(), sha256(content(sums).as_bytes())), ("sums", payload.digest.clone()));
        let listed: Vec<String> =
            files.iter().map(|file| format!("{}  {}", sha256(held(files, file).as_bytes()), file.path)).collect();
        assert_eq!(content(sums).lines().collect::<Vec<_>>(), listed);
    }

    #[test]
    fn the_runner_travels_once_and_only_where_it_is_not_there() {
        let copies = |transaction: &Transaction| {
            let payload = payload(transaction, &values(), &terms()).expect("a payload");
            payload.files.iter().filter(|file| content(file) == RUNNER).count()
        };
        // The first apply installs it as well.
        let mut transaction = first_apply();
        assert!(transaction.puts.iter().any(|put| put.path == layout::runner_path()) && !transaction.has_runner);
        assert_eq!(copies(&transaction), 1);
        transaction.has_runner = true;
        assert_eq!(copies(&transaction), 0);
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
