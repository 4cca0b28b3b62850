//! A transaction as it travels: files with a digest over all of them, and a plan of one tab-separated line a step.
//!
//! Knows nothing of connections. Secrets stand in the blobs only: they are on the wire inside the script's standard input, and on the machine in root's own
//! directory with mode 0700.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::plan::{
    Drain, FillError, Found, Live, Merge, Owner, Placeholder, Put, RUNNER, Text, Transaction, UnitAction, UnitKind,
    UnitStep, Values,
};
use crate::secret::{ExposeSecret as _, SecretString};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Brings the machine to what the fleet file says.
    Apply,
    /// Goes back to a kept generation.
    Rollback(u32),
    /// Takes everything of ours away.
    Remove,
}

impl Purpose {
    /// As `result.json` and the record say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback(_) => "rollback",
            Self::Remove => "remove",
        }
    }
}

/// What the operator decided, and who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The transaction's own word; no two are alike.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// `[fleet].name`
    pub fleet: String,
    /// `user@host` of the laptop.
    pub who: String,
    /// How long to wait until the machine is idle.
    pub drain: Duration,
    /// Whether to go on when it is not idle by then.
    pub force: bool,
    /// Whether health is not asked for.
    pub no_gate: bool,
    /// How many changes the plan shows for this machine.
    pub changes: usize,
    /// What `STATE/record.json` says of this apply; the keys written are added here, the generation's number on the machine.
    pub record: serde_json::Map<String, serde_json::Value>,
}

/// Why a payload cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A hole without a value.
    #[error("{path} cannot be written")]
    Fill {
        /// The file.
        path: String,
        /// What is missing.
        #[source]
        source: FillError,
    },
    /// A path or name that cannot travel.
    #[error("{0:?} holds a control character")]
    Control(String),
}

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

/// SHA-256, hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A path of names as an RFC 6901 pointer in the form that `json_flatten` prints: names decoded, but for what is not printable ASCII and the backslash.
pub(super) fn pointer(names: &[String]) -> String {
    names.iter().fold(String::new(), |mut pointer, name| {
        pointer.push('/');
        for c in name.chars() {
            match c {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                ' '..='[' | ']'..='~' => pointer.push(c),
                // As Python's json writes it, because oMLX does (facts: omlx.md 1.4).
                '\\' => pointer.push_str("\\\\"),
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        let _ = write!(pointer, "\\u{unit:04x}");
                    }
                }
            }
        }
        pointer
    })
}

struct Writer<'a> {
    values: &'a Values,
    plan: String,
    blobs: Vec<SecretString>,
}

impl Writer<'_> {
    fn line(&mut self, words: &[&str]) -> Result<(), PayloadError> {
        for (at, word) in words.iter().enumerate() {
            if word.chars().any(char::is_control) {
                return Err(PayloadError::Control((*word).to_owned()));
            }
            if at > 0 {
                self.plan.push('\t');
            }
            // An empty field would be lost: a tab is white space to the shell's `read`.
            self.plan.push_str(if word.is_empty() { "-" } else { word });
        }
        self.plan.push('\n');
        Ok(())
    }

    fn raw(&mut self, bytes: SecretString) -> String {
        self.blobs.push(bytes);
        self.blobs.len().to_string()
    }

    fn text(&mut self, path: &str, text: &Text) -> Result<String, PayloadError> {
        let filled = self.filled(path, text)?;
        let number = self.raw(filled);
        if text.holes().any(|hole| *hole == Placeholder::SecretKey) {
            self.line(&["secretkey", &number])?;
        }
        Ok(number)
    }

    fn filled(&self, path: &str, text: &Text) -> Result<SecretString, PayloadError> {
        text.fill_but_secret_key(self.values).map_err(|source| PayloadError::Fill { path: path.to_owned(), source })
    }

    fn found(&mut self, found: &Found) -> Result<(), PayloadError> {
        match found {
            Found::Missing(path) => self.line(&["found", "missing", path]),
            Found::Bytes { path, sha256 } => self.line(&["found", "bytes", path, sha256]),
            Found::Link { path, target } => self.line(&["found", "link", path, target]),
            Found::Keys { path, keys, bytes } => {
                // What is not UTF-8 is no JSON: then the bytes as a whole are compared.
                let Ok(seen) = String::from_utf8(bytes.0.clone()) else {
                    return self.line(&["found", "bytes", path, &sha256(&bytes.0)]);
                };
                let seen = self.raw(SecretString::from(seen));
                let pointers: String = keys.iter().map(|key| pointer(key) + "\n").collect();
                let pointers = self.raw(SecretString::from(pointers));
                self.line(&["found", "keys", path, &seen, &pointers])
            }
        }
    }

    fn put(&mut self, put: &Put) -> Result<(), PayloadError> {
        let content = self.text(&put.path, &put.text)?;
        self.line(&["put", &put.path, &put.owner.user, &put.owner.group, &mode(put.mode), &content])
    }

    fn merge(&mut self, merge: &Merge) -> Result<(), PayloadError> {
        let mut changes = Text::default();
        for key in &merge.remove {
            changes.push(&format!("remove\t{}\n", pointer(key)));
        }
        for (key, value) in &merge.set {
            changes.push(&format!("set\t{}\t", pointer(key)));
            changes.append(value.clone());
            changes.push("\n");
        }
        let changes = self.text(&merge.path, &changes)?;
        let fresh = self.text(&merge.path, &merge.fresh)?;
        let aside = if merge.keep_aside { "yes" } else { "no" };
        self.line(&["merge", &merge.path, &merge.owner.user, &merge.owner.group, &changes, &fresh, aside])
    }

    fn unit(&mut self, unit: &UnitStep) -> Result<(), PayloadError> {
        let kind = match unit.kind {
            UnitKind::Omlx => "omlx",
            UnitKind::Resident => "resident",
            UnitKind::Timed => "timed",
        };
        let action = match unit.action {
            UnitAction::Start => "start",
            UnitAction::Restart => "restart",
            UnitAction::Reload => "reload",
            UnitAction::Remove => "remove",
            UnitAction::TakeOver => "takeover",
            UnitAction::LeaveHeld => "held",
        };
        let nobody = Owner { user: "-".to_owned(), group: "-".to_owned() };
        let (log, owner) = unit.log.as_ref().map_or(("-", &nobody), |(log, owner)| (log.as_str(), owner));
        // No secret is in it: what asks whether a daemon is ready has no key.
        let ready = unit.ready.as_ref().map(|ready| self.filled(&unit.label, ready)).transpose()?;
        let ready = ready.as_ref().map_or("-", |ready| ready.expose_secret());
        self.line(&["unit", &unit.name, &unit.label, &unit.plist, kind, action, log, &owner.user, &owner.group, ready])
    }

    fn live(&mut self, live: &Live) -> Result<(), PayloadError> {
        let path = "oMLX's API";
        match live {
            Live::Rescan => self.line(&["live", "rescan"]),
            Live::Settings { name, body, undo } => {
                let (body, undo) = (self.text(path, body)?, self.text(path, undo)?);
                self.line(&["live", "settings", name.as_str(), &body, &undo])
            }
            Live::Profile { name, profile, body, undo } => {
                let mut optional = |text: &Option<Text>| {
                    text.as_ref().map_or_else(|| Ok("-".to_owned()), |text| self.text(path, text))
                };
                let (body, undo) = (optional(body)?, optional(undo)?);
                self.line(&["live", "profile", name.as_str(), profile, &body, &undo])
            }
            Live::Global { body, undo, changes_key } => {
                let (body, undo) = (self.text(path, body)?, self.text(path, undo)?);
                self.line(&["live", "global", &body, &undo, yes(*changes_key)])
            }
            Live::ApplyProfile { name, profile } => self.line(&["live", "applyprofile", name.as_str(), profile]),
            Live::Reload { name, load } => {
                self.line(&["live", "reload", name.as_str(), if *load { "yes" } else { "no" }])
            }
            Live::Load { name } => self.line(&["live", "load", name.as_str()]),
            Live::Unload { name } => self.line(&["live", "unload", name.as_str()]),
        }
    }
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}

const fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// The payload of a transaction. Errors: a hole that nothing fills; a control character in a path or a name.
pub fn payload(transaction: &Transaction, values: &Values, terms: &Terms) -> Result<Payload, PayloadError> {
    let mut writer = Writer { values, plan: String::new(), blobs: Vec::new() };
    for found in &transaction.found {
        writer.found(found)?;
    }
    for (path, owner, bits) in &transaction.directories {
        writer.line(&["dir", path, &owner.user, &owner.group, &mode(*bits)])?;
    }
    for put in &transaction.puts {
        writer.put(put)?;
    }
    if terms.purpose == Purpose::Apply {
        writer.put(&Put {
            path: crate::fleet::layout::manifest_path(),
            owner: Owner::root(),
            mode: 0o644,
            text: Text::literal(transaction.manifest.clone()),
        })?;
    }
    for merge in &transaction.merges {
        writer.merge(merge)?;
    }
    for (path, target, owner) in &transaction.links {
        writer.line(&["link", path, target, &owner.user, &owner.group])?;
    }
    for path in &transaction.removes {
        writer.line(&["remove", path])?;
    }
    for unit in &transaction.units {
        writer.unit(unit)?;
    }
    for label in &transaction.idle_units {
        writer.line(&["idle", label])?;
    }
    for (path, pointers) in &transaction.keys_written {
        for pointer in pointers {
            writer.line(&["owned", path, pointer])?;
        }
    }
    for live in &transaction.live {
        writer.live(live)?;
    }
    let gate = &transaction.gate;
    for name in &gate.listed {
        writer.line(&["listed", name.as_str()])?;
    }
    for name in &gate.resident {
        writer.line(&["resident", name.as_str()])?;
    }
    for ask in &gate.ask {
        let kind = if ask.embedding { "embedding" } else { "text" };
        let need = if ask.optional { "optional" } else { "required" };
        writer.line(&["ask", ask.name.as_str(), kind, need])?;
    }
    let meta = meta(transaction, terms)?;
    let mut files = vec![
        file("meta", SecretString::from(meta)),
        file("plan", SecretString::from(writer.plan)),
        file("record.json", SecretString::from(record(transaction, terms))),
        file("runner", SecretString::from(RUNNER)),
    ];
    for (at, blob) in writer.blobs.into_iter().enumerate() {
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

    #[test]
    fn names_are_pointers_as_the_machine_prints_them() {
        let names = ["a/b~c", "\\", "größe", "\u{1f600}"].map(str::to_owned);
        assert_eq!(pointer(&names), "/a~1b~0c/\\\\/gr\\u00f6\\u00dfe/\\ud83d\\ude00");
    }
}
