//! DFlash: an engine that serves one request at a time, has a limit of its own and ignores most of a request.

use std::ops::Range;

use super::values::Problems;
use super::view::View;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Machine, MachineName, Profile, Rank, Release, Served, SlotName};
use crate::omlx;

/// A field that a DFlash engine ignores.
pub(crate) static IGNORED_BY_DFLASH: Code = Code {
    id: "ignored-by-dflash",
    severity: Severity::Error,
    title: "a field that the DFlash engine ignores",
    explanation: "A DFlash engine is given the prompt, max_tokens and temperature and nothing else: top_p, top_k, min_p, penalties, stop \
                  strings, seeds, thinking budgets and grammars have no effect. A slot that relies on them answers differently than the \
                  same weights under a profile without DFlash.",
};

/// A context that ends DFlash.
pub(crate) static CONTEXT_ENDS_DFLASH: Code = Code {
    id: "context-ends-dflash",
    severity: Severity::Error,
    title: "a context window at or above DFLASH_MAX_CTX",
    explanation: "oMLX 0.3.8 drops DFlash for good after one prompt of DFLASH_MAX_CTX tokens or more (default 4096): it loads the ordinary \
                  engine and stays with it, also for short prompts, until the model is loaded again. A max_context_window below the limit \
                  refuses such a prompt instead. Raise DFLASH_MAX_CTX in [omlx.environment], or lower max_context_window.",
};

/// A context that nobody bounds.
pub(crate) static UNBOUNDED_DFLASH: Code = Code {
    id: "dflash-without-window",
    severity: Severity::Warning,
    title: "a DFlash profile whose context window is not below DFLASH_MAX_CTX by its own word",
    explanation: "Without max_context_window a model takes prompts up to oMLX's global sampling.max_context_window (default 32768), and one \
                  prompt of DFLASH_MAX_CTX tokens or more (default 4096) ends DFlash until the model is loaded again (oMLX 0.3.8).",
};

/// DFlash that cannot start.
pub(crate) static WITHOUT_DRAFT: Code = Code {
    id: "speculation-without-draft",
    severity: Severity::Warning,
    title: "DFlash or SpecPrefill without its draft",
    explanation: "oMLX turns DFlash and SpecPrefill on only when the draft is named too; without it the ordinary engine is loaded, without a \
                  word.",
};

/// Two DFlash engines on one machine.
pub(crate) static TWO_DFLASH: Code = Code {
    id: "two-dflash-residents",
    severity: Severity::Error,
    title: "two DFlash names resident on one machine",
    explanation: "Two DFlash engines cannot stay loaded together: from 0.4.2 on loading the second unloads the first or fails when that is \
                  pinned, and in 0.3.8 all models of a server share one worker, on which a DFlash answer holds up everything else.",
};

/// DFlash beside long prompts.
pub(crate) static DFLASH_BESIDE_LONG: Code = Code {
    id: "dflash-beside-long-context",
    severity: Severity::Warning,
    title: "a DFlash slot beside long-context work on one machine",
    explanation: "All models of one oMLX run on one worker thread. A chunk of a long prompt (2,048 tokens) is not interrupted: at 350 tok/s of \
                  prefill it holds the DFlash slot up for 6 s, and a 64K prompt is 32 such chunks; a DFlash answer in turn holds up \
                  everything else from its first to its last token. Put the long work on another machine, or first there.\n\nLong means a \
                  max_context_window above 32768, oMLX's own default.",
};

pub(crate) static CODES: [&Code; 6] =
    [&IGNORED_BY_DFLASH, &CONTEXT_ENDS_DFLASH, &UNBOUNDED_DFLASH, &WITHOUT_DRAFT, &TWO_DFLASH, &DFLASH_BESIDE_LONG];

/// oMLX's default of `sampling.max_context_window` (0.3.8 settings.py; facts 2.1).
const DEFAULT_CONTEXT: u64 = 32_768;

/// All rules of DFlash.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    for profile in view.fleet.profiles.iter() {
        drafts(view, profile, problems);
        if is_dflash(profile) {
            ignored(view, profile, problems);
            for served in view.fleet.served.iter().filter(|served| served.profile == profile.name) {
                view.machines_of(served).for_each(|machine| context(view, profile, machine, problems));
            }
        }
    }
    view.fleet.machines.iter().for_each(|machine| two_residents(view, machine, problems));
    beside_long(view, problems);
}

fn is_dflash(profile: &Profile) -> bool {
    profile.is_on("dflash_enabled")
}

/// Whether a served name runs on the DFlash engine.
pub(crate) fn runs_dflash(view: View<'_>, served: &Served) -> bool {
    view.fleet.profiles.get(&served.profile).is_some_and(is_dflash)
}

fn drafts(view: View<'_>, profile: &Profile, problems: &mut Problems) {
    for (switch, draft) in
        [("dflash_enabled", "dflash_draft_model"), ("specprefill_enabled", "specprefill_draft_model")]
    {
        if profile.is_on(switch)
            && view.field(&profile.name, draft).is_none()
            && let Some(span) = view.field(&profile.name, switch)
        {
            problems.push(
                Problem::at(
                    &WITHOUT_DRAFT,
                    span,
                    format!("profiles.{}: {switch} has no effect without {draft}", profile.name),
                )
                .help(format!("name a draft of [models]: {draft} = \"NAME\"")),
            );
        }
    }
}

fn ignored(view: View<'_>, profile: &Profile, problems: &mut Problems) {
    for release in view.releases_of(profile) {
        for field in omlx::sampler_fields_ignored_by_dflash(release) {
            if let Some(span) = view.field(&profile.name, field) {
                let problem =
                    Problem::at(&IGNORED_BY_DFLASH, span, format!("profiles.{}: DFlash ignores {field}", profile.name));
                let problem = match view.field(&profile.name, "dflash_enabled") {
                    Some(dflash) => problem.also(dflash, "DFlash is on here"),
                    None => problem,
                };
                problems.push(problem.help("remove it, or turn DFlash off in this profile"));
            }
        }
    }
}

fn context(view: View<'_>, profile: &Profile, machine: &Machine, problems: &mut Problems) {
    // Later releases have a field of their own, unlimited by default, and go back to DFlash after a long prompt.
    if machine.omlx.release != Release::V0_3_8 {
        return;
    }
    let Some(limit) = omlx::dflash_limit(machine.omlx.release, &machine.omlx.environment, None) else { return };
    let declared = limit_span(view, machine);
    let text = machine.omlx.environment.get(omlx::DFLASH_MAX_CTX);
    if text.is_some_and(|text| text.trim().parse::<u64>().is_err()) {
        return; // Said where the variable is.
    }
    let limit_text = if declared.is_some() { format!("{limit}") } else { format!("oMLX's default of {limit}") };
    let place = |problem: Problem| match &declared {
        Some(span) => problem.also(span.clone(), "DFLASH_MAX_CTX"),
        None => problem,
    };
    match (profile.number("max_context_window"), view.field(&profile.name, "max_context_window")) {
        (Some(window), Some(span)) if window >= limit => problems.push(
            place(Problem::at(
                &CONTEXT_ENDS_DFLASH,
                span,
                format!("profiles.{}: max_context_window {window} is not below DFLASH_MAX_CTX, {limit_text}", profile.name),
            ))
            .help(format!("one prompt that long ends DFlash: lower it below {limit}, or raise DFLASH_MAX_CTX in [omlx.environment]")),
        ),
        (None, None) => {
            let path = crate::fleet::SettingPath(vec!["sampling".to_owned(), "max_context_window".to_owned()]);
            let window = machine.omlx.settings.get(&path).and_then(serde_json::Value::as_u64).unwrap_or(DEFAULT_CONTEXT);
            if window >= limit
                && let Some(span) = view.field(&profile.name, "dflash_enabled")
            {
                problems.push(
                    place(Problem::at(
                        &UNBOUNDED_DFLASH,
                        span,
                        format!(
                            "profiles.{}: without max_context_window prompts of up to {window} tokens arrive, and DFLASH_MAX_CTX is {limit_text}",
                            profile.name
                        ),
                    ))
                    .help(format!("set max_context_window below {limit}")),
                );
            }
        }
        _ => {}
    }
}

/// Where the limit that holds for a machine is declared.
fn limit_span(view: View<'_>, machine: &Machine) -> Option<Range<usize>> {
    let own = view.raw.machines.as_ref().and_then(|machines| machines.get(machine.name.as_str()));
    let own = own.and_then(|raw| raw.omlx.as_ref());
    [own, view.raw.omlx.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|omlx| omlx.environment.as_ref()?.get(omlx::DFLASH_MAX_CTX))
        .map(|leaf| leaf.span.clone())
}

fn two_residents(view: View<'_>, machine: &Machine, problems: &mut Problems) {
    let say = |names: Vec<&Served>, place: Option<Range<usize>>, when: String, problems: &mut Problems| {
        if let ([first, .., last], Some(span)) = (names.as_slice(), place) {
            let problem = Problem::at(
                &TWO_DFLASH,
                span,
                format!("{} and {} both run DFlash and are resident on {}{when}", first.name, last.name, machine.name),
            );
            problems.push(problem.help("keep one of them resident there"));
        }
    };
    let baseline: Vec<&Served> =
        view.fleet.baseline_residents(&machine.name).filter(|served| runs_dflash(view, served)).collect();
    let place = baseline.last().and_then(|served| view.resident(&served.name));
    say(baseline, place, String::new(), problems);
    for schedule in view.fleet.schedules_on(&machine.name) {
        let Some(resident) = &schedule.resident else { continue };
        let names: Vec<&Served> = view
            .fleet
            .served_on(&machine.name)
            .filter(|served| resident.contains(&served.name) && runs_dflash(view, served))
            .collect();
        let place = view.raw_schedule(schedule.name.as_str()).and_then(|raw| raw.resident.as_ref());
        say(names, place.map(|list| list.span.clone()), format!(" in the window {}", schedule.name), problems);
    }
}

/// A slot that reaches DFlash on a machine where another slot brings long prompts, in the routes outside every window.
fn beside_long(view: View<'_>, problems: &mut Problems) {
    let mut said: Vec<(&SlotName, &MachineName)> = Vec::new();
    for slot in view.fleet.slots.iter() {
        for machine in dflash_machines(view, &slot.route) {
            let Some(long) = view.fleet.slots.iter().find(|other| {
                other.name != slot.name && other.route.iter().any(|rank| brings_long(view, rank, machine))
            }) else {
                continue;
            };
            if said.contains(&(&slot.name, machine)) {
                continue;
            }
            said.push((&slot.name, machine));
            let route = |name: &SlotName| {
                view.raw_slot(name.as_str()).and_then(|raw| raw.route.as_ref()).map(|route| route.span.clone())
            };
            let Some(span) = route(&slot.name) else { continue };
            let problem = Problem::at(
                &DFLASH_BESIDE_LONG,
                span,
                format!("{} runs DFlash on {machine}, where {} brings long prompts", slot.name, long.name),
            );
            let problem = match route(&long.name) {
                Some(other) => problem.also(other, "long prompts"),
                None => problem,
            };
            problems.push(
                problem.help(format!("let {} prefer another machine, or serve {} elsewhere", long.name, slot.name)),
            );
        }
    }
}

fn dflash_machines<'a>(view: View<'a>, route: &'a [Rank]) -> impl Iterator<Item = &'a MachineName> {
    route
        .iter()
        .filter(move |rank| view.fleet.served.get(&rank.served).is_some_and(|served| runs_dflash(view, served)))
        .flat_map(|rank| &rank.machines)
}

fn brings_long(view: View<'_>, rank: &Rank, machine: &MachineName) -> bool {
    let Some(served) = view.fleet.served.get(&rank.served) else { return false };
    let window = view.fleet.profiles.get(&served.profile).and_then(|profile| profile.number("max_context_window"));
    rank.machines.contains(machine)
        && !runs_dflash(view, served)
        && window.is_some_and(|window| window > DEFAULT_CONTEXT)
}
