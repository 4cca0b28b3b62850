//! `[serve."NAME:PROFILE"]`: a profile that oMLX exposes under a name of its own, answered by the engine of NAME.

use std::ops::Range;

use super::names::{self, INVALID_NAME};
use super::values::{Problems, quoted};
use super::view::View;
use crate::config::raw::{RawServe, Residency};
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Machine, Profile, Release, Served};
use crate::omlx;

/// A name that oMLX could not expose.
pub(crate) static EXPOSED_PROFILE: Code = Code {
    id: "exposed-profile",
    severity: Severity::Error,
    title: "a name NAME:PROFILE that its engine could not answer to",
    explanation: "From 0.5.0 on oMLX answers to NAME:PROFILE with the engine of NAME, under the request-time settings of PROFILE: one load, two \
                  names. So the part before the colon is a name of [serve] with the same model, on at least the same machines; the part after it is \
                  the profile; the two profiles differ in request-time fields only (sampling, thinking, lengths, templates); and resident, ttl and \
                  concurrency are the engine's, so they stand at NAME. Profiles that build different engines need names of their own.",
};

pub(crate) static CODES: [&Code; 1] = [&EXPOSED_PROFILE];

/// All of them.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    for served in view.fleet.served.iter() {
        let (Some(exposed), Some(raw)) = (served.name.exposed_profile(), view.raw_serve(served.name.as_str())) else {
            continue;
        };
        let Some(key) = view.raw.serve.as_ref().and_then(|serve| serve.key(served.name.as_str())) else { continue };
        if let Some(machine) = view.machines_of(served).find(|machine| !exposes(machine.omlx.release)) {
            problems.push(unknown_there(served, machine, key));
            continue;
        }
        let about = About { served, raw, key };
        about.profile(exposed, problems);
        about.own_settings(problems);
        about.engine(view, problems);
    }
    windows(view, problems);
}

fn exposes(release: Release) -> bool {
    omlx::ways(release).exposed_profiles
}

/// A release that answers 404 to a name with a colon (facts/omlx.md 4.3).
fn unknown_there(served: &Served, machine: &Machine, key: &Range<usize>) -> Problem {
    let message = format!("{} cannot name a served model on {}", quoted(served.name.as_str()), machine.name);
    let label = format!("oMLX {} knows no names with a colon", machine.omlx.release);
    let plain = served.name.as_str().replace(':', "-");
    Problem::at(&INVALID_NAME, key.clone(), message).label(label).help(format!(
        "from 0.5.0 on NAME:PROFILE is a profile of NAME; until then give it a name of its own, for example \"{plain}\""
    ))
}

/// One exposed name and where it stands.
struct About<'a> {
    served: &'a Served,
    raw: &'a RawServe,
    key: &'a Range<usize>,
}

impl About<'_> {
    fn problem(&self, span: Option<&Range<usize>>, text: &str) -> Problem {
        let span = span.unwrap_or(self.key).clone();
        Problem::at(&EXPOSED_PROFILE, span, format!("serve.{} {text}", quoted(self.served.name.as_str())))
    }

    /// What follows the colon is the profile.
    fn profile(&self, exposed: &str, problems: &mut Problems) {
        let profile = &self.served.profile;
        if *profile != exposed {
            let right = format!("{}:{profile}", self.served.name.engine());
            let problem = self.problem(
                self.raw.profile.as_ref().map(|leaf| &leaf.span),
                &format!("is the profile {exposed}, and names {profile}"),
            );
            problems.push(problem.help(format!("write profile = \"{exposed}\", or [serve.{}]", quoted(&right))));
        }
    }

    /// What belongs to the engine.
    fn own_settings(&self, problems: &mut Problems) {
        let engine = self.served.name.engine();
        let written = [
            ("resident", self.raw.resident.as_ref().map(Residency::span)),
            ("ttl", self.raw.ttl.as_ref().map(|leaf| leaf.span.clone())),
            ("concurrency", self.raw.concurrency.as_ref().map(|leaf| leaf.span.clone())),
        ];
        for (name, span) in written {
            let Some(span) = span else { continue };
            let problem = self.problem(Some(&span), &format!("has no {name} of its own: it is answered by {engine}"));
            problems.push(problem.help(format!("declare {name} in [serve.{engine}]")));
        }
    }

    /// The name before the colon has the engine that this one needs.
    fn engine(&self, view: View<'_>, problems: &mut Problems) {
        let name = self.served.name.engine();
        let Some(engine) = view.fleet.served.get(name) else {
            let declared = view.raw.serve.iter().flat_map(crate::config::read::Map::names);
            // A name that is declared and unsound has its own problem.
            if view.raw_serve(name).is_none() {
                problems.push(names::unknown(
                    name,
                    self.key,
                    declared.filter(|name| !name.contains(':')),
                    "served name",
                ));
            }
            return;
        };
        if engine.model != self.served.model {
            let problem = self.problem(
                self.raw.model.as_ref().map(|leaf| &leaf.span),
                &format!("is answered by {name}, which serves {}, not {}", engine.model, self.served.model),
            );
            problems.push(problem.help("one engine has one model; give the other a name of its own"));
        }
        if let Some(machine) = self.served.on.iter().find(|machine| !engine.is_on(machine)) {
            let problem = self.problem(
                self.raw.on.as_ref().map(|list| &list.span),
                &format!("cannot answer on {machine}, where {name} is not served"),
            );
            problems.push(problem.help(format!("add {machine} to `on` of [serve.{name}], or take it out here")));
        }
        if engine.profile == self.served.profile {
            let problem =
                self.problem(None, &format!("says nothing new: {name} itself has the profile {}", engine.profile));
            problems.push(problem.help(format!("let callers ask for {name}, or expose another profile")));
            return;
        }
        let profiles = |served: &Served| view.fleet.profiles.get(&served.profile);
        let (Some(own), Some(other)) = (profiles(self.served), profiles(engine)) else { return };
        for machine in view.machines_of(self.served) {
            let fields = engine_fields_between(machine.omlx.release, own, other);
            if let [first, ..] = fields.as_slice() {
                let span = view.field(&own.name, first).or_else(|| view.field(&other.name, first));
                let problem = self.problem(
                    self.raw.profile.as_ref().map(|leaf| &leaf.span),
                    &format!("differs from {name} in {}, which builds the engine", fields.join(", ")),
                );
                let problem = match span {
                    Some(span) => problem.also(span, "declared here"),
                    None => problem,
                };
                problems.push(
                    problem.help(
                        "an engine of its own needs a name of its own; else make these the same in both profiles",
                    ),
                );
                return;
            }
        }
    }
}

/// The fields of two profiles that differ and that no request can bring, in the order of oMLX.
fn engine_fields_between(release: Release, one: &Profile, other: &Profile) -> Vec<&'static str> {
    omlx::profile_fields(release)
        .filter(|field| !field.is_request_time())
        .filter(|field| {
            let value =
                |profile: &Profile| profile.fields.get(field.name).cloned().unwrap_or_else(|| field.default_value());
            one.drafts.get(field.name) != other.drafts.get(field.name) || !omlx::same_value(&value(one), &value(other))
        })
        .map(|field| field.name)
        .collect()
}

/// A window that keeps an exposed name resident.
fn windows(view: View<'_>, problems: &mut Problems) {
    for schedule in view.fleet.schedules.iter() {
        let Some(list) = view.raw_schedule(schedule.name.as_str()).and_then(|raw| raw.resident.as_ref()) else {
            continue;
        };
        for entry in list.value.iter().filter(|entry| entry.value.contains(':')) {
            let Some(served) = view.fleet.served.get(entry.value.as_str()) else { continue };
            let engine = served.name.engine();
            let message = format!(
                "schedules.{}: {} is answered by {engine}, and is not loaded by itself",
                schedule.name, served.name
            );
            problems.push(
                Problem::at(&EXPOSED_PROFILE, entry.span.clone(), message)
                    .help(format!("keep {engine} resident instead")),
            );
        }
    }
}
