//! `[omlx.settings]` and `[omlx.environment]`, by the releases of the machines that they are for.

use super::misfit::{have_it, misfit};
use super::values::{OUT_OF_RANGE, Problems, quoted};
use super::view::View;
use crate::config::node::{Node, Value};
use crate::config::raw::RawOmlx;
use crate::config::read::{Map, WRONG_TYPE};
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::Release;
use crate::omlx;

/// A setting that the release does not know.
pub(crate) static UNKNOWN_SETTING: Code = Code {
    id: "unknown-setting",
    severity: Severity::Error,
    title: "a key of settings.json that the declared release of oMLX does not know",
    explanation: "[omlx.settings] holds keys of oMLX's settings.json by oMLX's own names: a section and a key, as in \
                  scheduler.max_concurrent_requests. A release ignores a key that it does not know and drops it at its next save. Keys \
                  differ between releases: 0.3.11 and later have no memory.max_process_memory, for example.",
};

pub(crate) static CODES: [&Code; 1] = [&UNKNOWN_SETTING];

/// [omlx] under the releases of the machines that it holds for, [machines.NAME.omlx] under that machine's.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    if let Some(omlx) = &view.raw.omlx {
        let mut releases: Vec<Release> = view.release.into_iter().collect();
        for machine in view.fleet.machines.iter() {
            if !releases.contains(&machine.omlx.release) {
                releases.push(machine.omlx.release);
            }
        }
        if view.fleet.machines.iter().all(|machine| Some(machine.omlx.release) != view.release)
            && !view.fleet.machines.is_empty()
        {
            releases.retain(|release| Some(*release) != view.release);
        }
        for release in &releases {
            settings(omlx, *release, problems);
        }
        variables(omlx, problems);
    }
    for (name, _, raw) in view.raw.machines.iter().flat_map(Map::iter) {
        let Some(omlx) = raw.and_then(|raw| raw.omlx.as_ref()) else { continue };
        variables(omlx, problems);
        if let Some(machine) = view.fleet.machines.get(name) {
            settings(omlx, machine.omlx.release, problems);
        }
    }
}

fn settings(raw: &RawOmlx, release: Release, problems: &mut Problems) {
    for (section, section_key, node) in raw.settings.iter().flat_map(Map::iter) {
        if omlx::DECIDED_ELSEWHERE.contains(&section) {
            continue; // Said already: other keys decide them.
        }
        let Some(node) = node else { continue };
        let sections: Vec<&str> = omlx::section_order(release).into_iter().filter(|name| *name != "version").collect();
        let table = match &node.value {
            Value::Table(table) if sections.contains(&section) => table,
            other if sections.contains(&section) => {
                let message = format!("omlx.settings.{section} takes a table, not {}", other.kind());
                problems.push(Problem::at(&WRONG_TYPE, node.span.clone(), message));
                continue;
            }
            _ => {
                let problem = Problem::at(
                    &UNKNOWN_SETTING,
                    section_key.clone(),
                    format!("oMLX {release} has no section {} in settings.json", quoted(section)),
                );
                // A key that was written without its section.
                let owner = omlx::settings(release).find(|setting| setting.key == section).map(omlx::Setting::path);
                problems.push(
                    match owner
                        .map(|path| format!("did you mean {path}?"))
                        .or_else(|| suggest::help(section, sections.iter().copied(), "sections are"))
                    {
                        Some(help) => problem.help(help),
                        None => problem,
                    },
                );
                continue;
            }
        };
        for (key, entry) in table {
            one(section, key, &entry.key, &entry.node, release, problems);
        }
    }
}

fn one(
    section: &str,
    key: &str,
    span: &std::ops::Range<usize>,
    node: &Node,
    release: Release,
    problems: &mut Problems,
) {
    let Some(setting) = omlx::setting(release, section, key) else {
        let problem = Problem::at(
            &UNKNOWN_SETTING,
            span.clone(),
            format!("oMLX {release} has no setting {section}.{}", key.escape_debug()),
        );
        let others: Vec<&str> = Release::ALL
            .into_iter()
            .filter(|other| omlx::setting(*other, section, key).is_some())
            .map(Release::as_str)
            .collect();
        let known = omlx::settings(release).filter(|setting| setting.section == section).map(|setting| setting.key);
        let help = if others.is_empty() { suggest::help(key, known, "its keys are") } else { Some(have_it(&others)) };
        problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
        return;
    };
    if let Some(problem) = misfit(node, &setting.path(), |json| setting.check(json)) {
        problems.push(problem);
    }
}

/// `DFLASH_MAX_CTX` is read as a whole number of tokens; oMLX falls back to 4096 without a word when it is none.
fn variables(raw: &RawOmlx, problems: &mut Problems) {
    let declared = raw.environment.as_ref().and_then(|environment| environment.get(omlx::DFLASH_MAX_CTX));
    if let Some(leaf) = declared
        && !leaf.value.trim().parse::<u64>().is_ok_and(|tokens| tokens > 0)
    {
        problems.push(
            Problem::at(
                &OUT_OF_RANGE,
                leaf.span.clone(),
                format!("DFLASH_MAX_CTX: {} is no number of tokens", quoted(&leaf.value)),
            )
            .help("write a whole number above 0, as in \"32768\""),
        );
    }
}
