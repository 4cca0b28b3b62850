//! What is wrong with a fleet's memory or speed, as data: `config` puts it into the file's problems, `plan` beside its changes.

use crate::fleet::MachineName;

/// How grave a finding is; the same three as a problem of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gravity {
    /// What was assumed, or could be better.
    Note,
    /// Works, but not as one would expect.
    Warning,
    /// Does not work.
    Error,
}

/// A rule: a stable code and its entry in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable over releases.
    pub id: &'static str,
    /// Always the same for one rule.
    pub gravity: Gravity,
    /// One line, no full stop.
    pub title: &'static str,
    /// What it means, the arithmetic, and how it is mended.
    pub explanation: &'static str,
}

/// A value of the fleet file by its path of keys: `serve`, `moe`, `resident`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub Vec<String>);

impl Place {
    /// The place of these keys.
    pub fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(str::to_owned).to_vec())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.join("."))
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Where it is mended: the first of these that the file holds (a declared value before the table that could hold it).
    pub places: Vec<Place>,
    /// Other places that matter.
    pub also: Vec<Place>,
    /// The machines it is about; empty when it is about none in particular.
    pub machines: Vec<MachineName>,
    /// What is wrong, without the machines; a lowercase fragment.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    pub(super) fn new(rule: &'static Rule, place: Place, text: String) -> Self {
        Self { rule, places: vec![place], also: Vec::new(), machines: Vec::new(), text, help: None }
    }

    pub(super) fn also(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.also.extend(places);
        self
    }

    pub(super) fn on(mut self, machine: &MachineName) -> Self {
        self.machines.push(machine.clone());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What is wrong, with the machines before it.
    pub fn message(&self) -> String {
        if self.machines.is_empty() {
            return self.text.clone();
        }
        let machines: Vec<&str> = self.machines.iter().map(MachineName::as_str).collect();
        format!("{}: {}", machines.join(", "), self.text)
    }
}

/// The names in words: `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Seconds in words: `about 40 s`, `about 2 min`.
pub(super) fn about(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("about {:.0} s", seconds.max(1.0))
    } else {
        format!("about {:.0} min", seconds / 60.0)
    }
}
