//! What a profile holds, by the releases under which it is used: fields, types, ranges, exclusions.

use super::misfit::{have_it, misfit};
use super::values::{Problems, quoted};
use super::view::View;
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Profile, Release};
use crate::omlx;

/// A field that the release does not know.
pub(crate) static UNKNOWN_FIELD: Code = Code {
    id: "unknown-field",
    severity: Severity::Error,
    title: "a field that the declared release of oMLX does not know",
    explanation: "Profiles hold oMLX's per-model settings by oMLX's own names. A release drops a field that it does not know when it reads \
                  the file, without a word; so the profile would not do what it says. Fields differ between releases: the message names \
                  the release that is declared for the machines that use the profile.",
};

/// A field that no profile may hold.
pub(crate) static FIELD_NOT_IN_PROFILE: Code = Code {
    id: "field-not-in-profile",
    severity: Severity::Error,
    title: "a field of oMLX that no profile may hold",
    explanation: "oMLX knows the field, but not as a part of a profile: is_pinned, is_default, ttl_seconds, model_alias, \
                  model_type_override, active_profile_name, trust_remote_code, display_name and description belong to one model. \
                  Residency is `resident` of [serve], the idle time `ttl`, the type `kind` of [models].",
};

/// Settings that exclude each other.
pub(crate) static EXCLUSIVE_FIELDS: Code = Code {
    id: "exclusive-fields",
    severity: Severity::Error,
    title: "settings of a profile that exclude each other",
    explanation: "DFlash is an engine of its own: with it on, TurboQuant and SpecPrefill are not used, and when DFlash cannot start, \
                  oMLX silently loads the other engine with the other settings. Later releases refuse further pairs (MTP with \
                  DFlash, and so on) and erase the whole entry.",
};

pub(crate) static CODES: [&Code; 3] = [&UNKNOWN_FIELD, &FIELD_NOT_IN_PROFILE, &EXCLUSIVE_FIELDS];

/// Every profile under every release that it is used with.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    for profile in view.fleet.profiles.iter() {
        for release in view.releases_of(profile) {
            fields(view, profile, release, problems);
            exclusions(view, profile, release, problems);
        }
    }
}

fn fields(view: View<'_>, profile: &Profile, release: Release, problems: &mut Problems) {
    let Some(raw) = view.raw_profile(profile.name.as_str()) else { return };
    for (name, key, node) in raw.iter() {
        let Some(field) = omlx::field(release, name) else {
            let problem =
                Problem::at(&UNKNOWN_FIELD, key.clone(), format!("oMLX {release} knows no field {}", quoted(name)))
                    .label(format!("in profiles.{}", profile.name));
            problems.push(with_help(problem, elsewhere(name, release).or_else(|| near(name, release))));
            continue;
        };
        if !field.in_profile {
            let problem = Problem::at(&FIELD_NOT_IN_PROFILE, key.clone(), format!("no profile may hold {name}"))
                .label(format!("in profiles.{}", profile.name));
            problems.push(with_help(problem, instead(name).map(str::to_owned)));
            continue;
        }
        if field.names_draft() {
            continue; // A reference, checked where references are.
        }
        if let Some(node) = node
            && let Some(problem) = misfit(node, &format!("profiles.{}.{name}", profile.name), |json| field.check(json))
        {
            problems.push(problem);
        }
    }
}

fn exclusions(view: View<'_>, profile: &Profile, release: Release, problems: &mut Problems) {
    for conflict in omlx::conflicts(release, &profile.fields) {
        let Some(other) = view.field(&profile.name, conflict.other) else { continue };
        let problem = Problem::at(
            &EXCLUSIVE_FIELDS,
            other,
            format!("profiles.{}: {} and {} exclude each other", profile.name, conflict.one, conflict.other),
        );
        let problem = match view.field(&profile.name, conflict.one) {
            Some(one) => problem.also(one, "the other one"),
            None => problem,
        };
        problems.push(problem.help("turn one of them off, or make two profiles and two served names of it"));
    }
}

fn with_help(problem: Problem, help: Option<String>) -> Problem {
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The releases that do know the field.
fn elsewhere(name: &str, release: Release) -> Option<String> {
    let known: Vec<&str> =
        Release::ALL.into_iter().filter(|other| omlx::field(*other, name).is_some()).map(Release::as_str).collect();
    (!known.is_empty() && !known.contains(&release.as_str())).then(|| have_it(&known))
}

fn near(name: &str, release: Release) -> Option<String> {
    let known = omlx::profile_fields(release).map(|field| field.name);
    suggest::nearest(name, known).map(|near| format!("did you mean \"{near}\"?"))
}

fn instead(name: &str) -> Option<&'static str> {
    match name {
        "is_pinned" => Some("write `resident = true` in [serve.NAME]"),
        "ttl_seconds" => Some("write `ttl = \"15m\"` in [serve.NAME]"),
        "model_type_override" => Some("`kind` of [models.NAME] decides it"),
        "model_alias" | "display_name" => Some("the key of [serve.NAME] is the name that clients type"),
        "active_profile_name" => Some("`profile` of [serve.NAME] decides it"),
        _ => None,
    }
}
