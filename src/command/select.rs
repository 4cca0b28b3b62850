//! `--on` and `--timeout`, given their meaning.

use std::time::Duration;

use super::Context;
use crate::config;
use crate::error::CommandError;
use crate::fleet::{Fleet, Machine, Selector, parse_duration};

impl Context {
    /// The machines that `--on` selects, as declared; all without it. Errors: a selector that selects nothing is a usage error
    /// that names the near ones.
    pub(crate) fn select<'a>(&self, fleet: &'a Fleet) -> Result<Vec<&'a Machine>, CommandError> {
        select(&self.global.on, fleet)
    }

    /// The machine of a name. Errors: there is none (usage), with the near ones.
    #[expect(clippy::unused_self, reason = "stands beside `select`")]
    pub(crate) fn one_machine<'a>(&self, fleet: &'a Fleet, name: &str) -> Result<&'a Machine, CommandError> {
        if let Some(machine) = fleet.machines.get(name) {
            return Ok(machine);
        }
        let error = CommandError::usage(format!("the fleet has no machine {name:?}"));
        Err(match config::suggestion(name, fleet.machines.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    /// `--timeout`: for reaching and probing one machine. Errors: usage.
    pub(crate) fn timeout(&self) -> Result<Duration, CommandError> {
        let text = &self.global.timeout;
        parse_duration(text).map_err(|error| CommandError::usage(format!("--timeout {text:?} is {error}")))
    }
}

/// The machines of selectors as typed, in the order of declaration; all when there is none.
pub(crate) fn select<'a>(selectors: &[String], fleet: &'a Fleet) -> Result<Vec<&'a Machine>, CommandError> {
    if selectors.is_empty() {
        return Ok(fleet.machines.iter().collect());
    }
    let mut chosen = vec![false; fleet.machines.len()];
    for text in selectors {
        let selector = Selector::parse(text).map_err(|error| CommandError::usage(format!("{text:?} is {error}")))?;
        let mut any = false;
        for (chosen, machine) in chosen.iter_mut().zip(fleet.machines.iter()) {
            let matches = selector.matches(machine);
            any |= matches;
            *chosen |= matches;
        }
        if !any {
            return Err(nothing(text, fleet));
        }
    }
    Ok(fleet.machines.iter().zip(chosen).filter_map(|(machine, chosen)| chosen.then_some(machine)).collect())
}

fn nothing(text: &str, fleet: &Fleet) -> CommandError {
    let mut tiers: Vec<String> = Vec::new();
    for tier in fleet.machines.iter().filter_map(|machine| machine.tier.as_ref()) {
        let tier = format!("tier:{tier}");
        if !tiers.contains(&tier) {
            tiers.push(tier);
        }
    }
    let known = fleet.machines.keys().chain(tiers.iter().map(String::as_str));
    let error = CommandError::usage(format!("{text:?} selects no machine of the fleet"));
    match config::suggestion(text, known, "there are") {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn names(selectors: &[&str]) -> Result<Vec<String>, String> {
        let fleet = testing::example();
        let selectors: Vec<String> = selectors.iter().map(|text| (*text).to_owned()).collect();
        select(&selectors, &fleet)
            .map(|machines| machines.into_iter().map(|machine| machine.name.to_string()).collect())
            .map_err(|error| format!("{error} ({})", error.hints.join("; ")))
    }

    #[test]
    fn machines_globs_and_tiers_in_the_order_of_declaration() {
        assert_eq!(names(&[]).map(|all| all.len()), Ok(4));
        assert_eq!(
            names(&["tier:edge", "mac-studio1", "*mini1"]),
            Ok(vec!["mac-studio1".to_owned(), "mac-mini1".to_owned(), "mac-mini2".to_owned()])
        );
    }

    #[test]
    fn a_selector_that_selects_nothing_names_the_near_ones() {
        insta::assert_snapshot!(names(&["mac-mni1"]).unwrap_err(), @r#""mac-mni1" selects no machine of the fleet (did you mean "mac-mini1"?)"#);
        insta::assert_snapshot!(names(&["tier:edgy"]).unwrap_err(), @r#""tier:edgy" selects no machine of the fleet (did you mean "tier:edge"?)"#);
        insta::assert_snapshot!(names(&["mac-mini1", "zebra"]).unwrap_err(), @r#""zebra" selects no machine of the fleet (there are: mac-studio1, mac-mini3, mac-mini1, mac-mini2, tier:heavy, tier:medium, tier:edge)"#);
        insta::assert_snapshot!(names(&["$(x)"]).unwrap_err(), @r#""$(x)" is not a selector: write a machine, a glob as mac-mini*, or tier:LABEL ()"#);
    }
}
