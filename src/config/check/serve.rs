//! `[serve.NAME]`: served names.

use std::collections::HashMap;

use super::names::{self, SAME_NAME};
use super::selectors::Machines;
use super::values::{self, Problems, quoted};
use crate::config::raw::{RawFile, RawServe, Residency};
use crate::config::read::Map;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Declared, ProfileName, Served, ServedName, WeightsKind, WeightsName};

/// A draft that is served.
pub(crate) static SERVED_DRAFT: Code = Code {
    id: "served-draft",
    severity: Severity::Error,
    title: "a draft that is served",
    explanation: "Weights of kind \"draft\" speed another model up: a profile names them in dflash_draft_model or \
                  specprefill_draft_model. By themselves they answer badly, so they are never served.",
};

/// Resident where it is not served.
pub(crate) static RESIDENT_ELSEWHERE: Code = Code {
    id: "resident-elsewhere",
    severity: Severity::Error,
    title: "a name that is resident where it is not served",
    explanation: "`resident` narrows `on`: a machine that does not serve the name cannot keep it loaded. This selector names none of the \
                  machines of `on`.",
};

pub(crate) static CODES: [&Code; 2] = [&SERVED_DRAFT, &RESIDENT_ELSEWHERE];

/// All sound served names.
pub(crate) fn served(raw: &RawFile, machines: &Machines<'_>, problems: &mut Problems) -> Declared<Served> {
    let mut sound = Declared::default();
    let mut folded: HashMap<String, &str> = HashMap::new();
    for (key, span, served) in raw.serve.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a served model", ServedName::new, problems);
        if let Some(first) = folded.insert(key.to_ascii_lowercase(), key) {
            let problem = Problem::at(
                &SAME_NAME,
                span.clone(),
                format!("{} and {} differ only in case", quoted(key), quoted(first)),
            );
            let first_span = raw.serve.as_ref().and_then(|map| map.key(first)).cloned();
            problems.push(match first_span {
                Some(first_span) => problem.also(first_span, "the other one"),
                None => problem,
            });
        }
        if let Some(served) = served.and_then(|served| one(name, key, served, raw, machines, problems)) {
            sound.insert(served);
        }
    }
    sound
}

fn one(
    name: Option<ServedName>,
    key: &str,
    raw: &RawServe,
    file: &RawFile,
    machines: &Machines<'_>,
    problems: &mut Problems,
) -> Option<Served> {
    let what = |field: &str| format!("serve.{key}.{field}");
    let (no_models, no_profiles) = (Map::default(), Map::default());
    let model = names::reference(raw.model.as_ref(), file.models.as_ref().unwrap_or(&no_models), "model", problems);
    let profile =
        names::reference(raw.profile.as_ref(), file.profiles.as_ref().unwrap_or(&no_profiles), "profile", problems);
    if let (Some(model), Some(leaf)) = (model, &raw.model)
        && kind_of(file, model) == Some(WeightsKind::Draft)
    {
        problems.push(
            Problem::at(&SERVED_DRAFT, leaf.span.clone(), format!("serve.{key} serves {model}, which is a draft"))
                .help("name it in a profile's dflash_draft_model instead, or correct its `kind`"),
        );
    }
    let on = machines.list(raw.on.as_ref(), &what("on"), problems);
    let resident_on = match &raw.resident {
        None | Some(Residency::Nowhere(_)) => Vec::new(),
        Some(Residency::Everywhere(_)) => on.clone(),
        Some(Residency::Some(list)) => {
            let mut chosen = Vec::new();
            for selector in &list.value {
                let selected = machines.one(selector, problems);
                let (served, elsewhere): (Vec<_>, Vec<_>) =
                    selected.into_iter().partition(|machine| on.contains(machine));
                if let (true, [first, ..]) = (served.is_empty(), elsewhere.as_slice()) {
                    problems.push(
                        Problem::at(
                            &RESIDENT_ELSEWHERE,
                            selector.span.clone(),
                            format!("serve.{key} cannot be resident on {first}, which does not serve it"),
                        )
                        .help(format!("add {first} to `on`, or take it out of `resident`")),
                    );
                }
                for machine in served {
                    if !chosen.contains(&machine) {
                        chosen.push(machine);
                    }
                }
            }
            chosen
        }
    };
    let ttl = values::duration(raw.ttl.as_ref(), &what("ttl"), problems);
    let concurrency = values::count(raw.concurrency.as_ref(), &what("concurrency"), problems).unwrap_or(1);
    Some(Served {
        name: name?,
        model: WeightsName::new(model?).ok()?,
        profile: ProfileName::new(profile?).ok()?,
        on,
        resident_on,
        ttl,
        concurrency,
    })
}

/// The kind of a model as written, if it is one.
pub(crate) fn kind_of(file: &RawFile, model: &str) -> Option<WeightsKind> {
    let kind = file.models.as_ref()?.get(model)?.kind.as_ref()?;
    WeightsKind::parse(&kind.value)
}
