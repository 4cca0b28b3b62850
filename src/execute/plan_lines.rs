//! The plan as the runner reads it (`templates/apply/main.sh`): one tab-separated line a step; what does not fit into a line is a numbered blob.

use std::fmt::Write as _;

use super::payload_error::PayloadError;
use super::terms::Purpose;
use crate::fleet::{layout, sha256};
use crate::plan::{
    Found, Live, Merge, Owner, Placeholder, Put, Text, Transaction, UnitAction, UnitKind, UnitStep, Values,
};
use crate::secret::{ExposeSecret as _, SecretString};

/// The lines, and the blobs that they name by their place, from 1. Errors: a hole that nothing fills; a control character in a path or a name.
pub(super) fn plan_lines(
    transaction: &Transaction,
    values: &Values,
    purpose: Purpose,
) -> Result<(String, Vec<SecretString>), PayloadError> {
    let mut writer = Writer { values, plan: String::new(), blobs: Vec::new() };
    for found in &transaction.found {
        writer.found(found)?;
    }
    for (path, owner, bits) in &transaction.directories {
        writer.line(&["dir", path, &owner.user, &owner.group, &mode(*bits)])?;
    }
    for (path, owner, bits) in &transaction.rights {
        writer.line(&["rights", path, &owner.user, &owner.group, &mode(*bits)])?;
    }
    for put in &transaction.puts {
        writer.put(put)?;
    }
    if purpose == Purpose::Apply {
        writer.put(&Put {
            path: layout::manifest_path(),
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
    Ok((writer.plan, writer.blobs))
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

pub(super) const fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// A path of names as an RFC 6901 pointer in the form that `json_flatten` prints: names decoded, but for what is not printable ASCII and the backslash.
fn pointer(names: &[String]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pointers_as_the_machine_prints_them() {
        let names = ["a/b~c", "\\", "größe", "\u{1f600}"].map(str::to_owned);
        assert_eq!(pointer(&names), "/a~1b~0c/\\\\/gr\\u00f6\\u00dfe/\\ud83d\\ude00");
    }
}
