//! Selectors: which machines a value means.

use std::collections::BTreeSet;
use std::ops::Range;

use super::names;
use super::values::{Problems, quoted};
use crate::config::node::Spanned;
use crate::config::raw::RawMachine;
use crate::config::read::{Map, Texts};
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Declared, Machine, MachineName, Selector};

/// A selector that selects nothing, or is none.
pub(crate) static EMPTY_SELECTOR: Code = Code {
    id: "empty-selector",
    severity: Severity::Error,
    title: "a selector that selects no machine",
    explanation: "A selector is the name of a machine, a glob over machine names (mac-mini*), or tier:LABEL. One that selects \
                  nothing is an error: the table would silently mean no machine.",
};

pub(crate) static CODES: [&Code; 1] = [&EMPTY_SELECTOR];

/// The machines that can be selected: sound ones, and those whose own problems were already said.
pub(crate) struct Machines<'a> {
    pub(crate) sound: &'a Declared<Machine>,
    pub(crate) raw: &'a Map<RawMachine>,
}

impl Machines<'_> {
    /// The machines of a list of selectors, in the order of the selectors, then as declared, each once.
    pub(crate) fn list(&self, list: Option<&Texts>, what: &str, problems: &mut Problems) -> Vec<MachineName> {
        let Some(list) = list else { return Vec::new() };
        if list.value.is_empty() {
            problems.push(
                Problem::at(&EMPTY_SELECTOR, list.span.clone(), format!("{what} selects no machine"))
                    .help("write machines, globs, or \"tier:LABEL\""),
            );
        }
        let mut chosen = Vec::new();
        for selector in &list.value {
            for machine in self.one(selector, problems) {
                if !chosen.contains(&machine) {
                    chosen.push(machine);
                }
            }
        }
        chosen
    }

    /// The machines of one selector.
    pub(crate) fn one(&self, selector: &Spanned<String>, problems: &mut Problems) -> Vec<MachineName> {
        self.text(&selector.value, &selector.span, problems).unwrap_or_default()
    }

    /// The machines of a selector's text; `None` when it is wrong (which is said).
    pub(crate) fn text(&self, text: &str, span: &Range<usize>, problems: &mut Problems) -> Option<Vec<MachineName>> {
        let selector = match Selector::parse(text) {
            Ok(selector) => selector,
            Err(error) => {
                // A machine whose key is no name was already said.
                if !self.raw.contains(text) {
                    let message = format!("{} is {error}", quoted(text));
                    problems.push(Problem::at(&EMPTY_SELECTOR, span.clone(), message));
                }
                return None;
            }
        };
        let found: Vec<MachineName> = match &selector {
            Selector::Machine(name) => self.sound.get(name).into_iter().map(|machine| machine.name.clone()).collect(),
            many => {
                self.sound.iter().filter(|machine| many.matches(machine)).map(|machine| machine.name.clone()).collect()
            }
        };
        if found.is_empty() && !self.may_mean_unsound(&selector) {
            problems.push(self.nothing(&selector, text, span));
            return None;
        }
        Some(found)
    }

    /// Whether a selector may mean a machine that is declared but not sound, which was said where it is declared.
    pub(crate) fn may_mean_an_unsound_one(&self, text: &str) -> bool {
        Selector::parse(text).is_ok_and(|selector| self.may_mean_unsound(&selector))
    }

    fn may_mean_unsound(&self, selector: &Selector) -> bool {
        // Every sound machine is one of the file.
        if self.sound.len() == self.raw.len() {
            return false;
        }
        self.raw.iter().filter(|(name, ..)| !self.sound.contains(name)).any(|(name, _, raw)| match selector {
            Selector::Machine(wanted) => *wanted == *name,
            Selector::Glob(_) => true,
            Selector::Tier(label) => {
                raw.is_none_or(|raw| raw.tier.as_ref().is_none_or(|tier| *label == tier.value.as_str()))
            }
        })
    }

    fn nothing(&self, selector: &Selector, text: &str, span: &Range<usize>) -> Problem {
        match selector {
            Selector::Machine(_) => names::unknown(text, span, self.raw.names(), "machine"),
            Selector::Glob(_) => {
                let problem =
                    Problem::at(&EMPTY_SELECTOR, span.clone(), format!("{} selects no machine", quoted(text)));
                match suggest::help(text, self.raw.names(), "declared are") {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
            Selector::Tier(_) => {
                let tiers: BTreeSet<String> = self
                    .sound
                    .iter()
                    .filter_map(|machine| machine.tier.as_ref())
                    .map(|tier| format!("tier:{tier}"))
                    .collect();
                let problem =
                    Problem::at(&EMPTY_SELECTOR, span.clone(), format!("{} selects no machine", quoted(text)));
                match suggest::help(text, tiers.iter().map(String::as_str), "the tiers are") {
                    Some(help) => problem.help(help),
                    None => problem.help("no machine has a tier"),
                }
            }
        }
    }
}
