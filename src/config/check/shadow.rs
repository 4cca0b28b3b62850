//! `[shadow.NAME]`: calibrations.

use super::values::{self, INVALID_ADDRESS, Problems, quoted};
use super::{names, secrets};
use crate::config::node::Spanned;
use crate::config::raw::{RawFile, RawPrice, RawReference, RawRequire, RawShadow};
use crate::config::read::{Map, RawTable as _};
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Declared, Price, Reference, ReferenceApi, Requirements, Rung, Shadow, ShadowName, SlotName};

/// No JSON pointer.
pub(crate) static INVALID_POINTER: Code = Code {
    id: "invalid-pointer",
    severity: Severity::Error,
    title: "a text that is no JSON pointer",
    explanation: "A JSON pointer (RFC 6901) starts with a slash: /score, /answer/tier, /items/0. `~` is written ~0 and `/` ~1.",
};

/// A tier that is none.
pub(crate) static UNKNOWN_TIER: Code = Code {
    id: "unknown-tier",
    severity: Severity::Error,
    title: "tiers that contradict each other",
    explanation: "`tiers` lists every tier once, best first; `easy` names those of them that the first rungs may answer locally.",
};

/// Shadow of a slot whose inputs must stay.
pub(crate) static CLOUD_NOT_ALLOWED: Code = Code {
    id: "cloud-not-allowed",
    severity: Severity::Warning,
    title: "a calibration of a slot whose inputs may not leave the fleet",
    explanation: "A calibration sends the slot's inputs to the reference model. `allow_cloud = true` on the slot is the only thing that \
                  lets them leave the fleet; without it `shadow` refuses, whatever the command line says.",
};

pub(crate) static CODES: [&Code; 3] = [&INVALID_POINTER, &UNKNOWN_TIER, &CLOUD_NOT_ALLOWED];

/// All sound calibrations.
pub(crate) fn shadows(raw: &RawFile, problems: &mut Problems) -> Declared<Shadow> {
    let mut sound = Declared::default();
    for (key, span, shadow) in raw.shadow.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a calibration", ShadowName::new, problems);
        if let Some(shadow) = shadow.and_then(|shadow| one(name, key, shadow, raw, problems)) {
            sound.insert(shadow);
        }
    }
    sound
}

fn one(
    name: Option<ShadowName>,
    key: &str,
    raw: &RawShadow,
    file: &RawFile,
    problems: &mut Problems,
) -> Option<Shadow> {
    let what = |field: &str| format!("shadow.{key}.{field}");
    let none = Map::default();
    let slot = names::reference(raw.slot.as_ref(), file.slots.as_ref().unwrap_or(&none), "slot", problems);
    if let (Some(slot), Some(leaf)) = (slot, &raw.slot)
        && let Some(declared) = file.slots.as_ref().and_then(|slots| slots.get(slot))
        && !declared.allow_cloud.as_ref().map_or(declared.names("allow_cloud"), |allow| allow.value)
    {
        let problem = Problem::at(
            &CLOUD_NOT_ALLOWED,
            leaf.span.clone(),
            format!("shadow.{key} would send the inputs of {slot} to a cloud model"),
        );
        let problem = match &declared.allow_cloud {
            Some(allow) => problem.also(allow.span.clone(), "not allowed here"),
            None => problem,
        };
        problems.push(problem.help(format!("set allow_cloud = true in [slots.{slot}]")));
    }
    let reference = raw.reference.as_ref().and_then(|raw| reference(raw, &what("reference"), problems));
    let score = pointer(raw.score.as_ref(), &what("score"), problems);
    let tier = pointer(raw.tier.as_ref(), &what("tier"), problems);
    let (tiers, easy) = tiers(raw, &what, problems);
    let require = raw.require.as_ref().map(|raw| requirements(raw, &what("require"), problems));
    let rungs = Rung::ALL.map(|rung| (rung.as_str(), rung));
    let rung = values::choice(raw.rung.as_ref(), &rungs, &what("rung"), problems).unwrap_or(Rung::Shadow);
    let price = raw.price.as_ref().map(|raw| price(raw, &what("price"), problems));
    Some(Shadow {
        name: name?,
        slot: SlotName::new(slot?).ok()?,
        reference: reference?,
        score: score?,
        tier: tier?,
        tiers: tiers?,
        easy: easy?,
        require: require?,
        rung,
        keep_text: raw.keep_text.as_ref().is_some_and(|keep| keep.value),
        price,
        mirror: raw.mirror.as_ref().is_some_and(|mirror| mirror.value),
    })
}

fn reference(raw: &RawReference, what: &str, problems: &mut Problems) -> Option<Reference> {
    let model = values::text(raw.model.as_ref(), 200, &format!("{what}.model"), problems);
    let api_key = secrets::source(raw.api_key.as_ref(), &format!("{what}.api_key"), problems);
    let leaf = raw.base_url.as_ref()?;
    let rest = leaf.value.strip_prefix("https://").or_else(|| leaf.value.strip_prefix("http://"));
    let is_url = rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest.chars().all(|c| c.is_ascii_graphic() && !"\"'`<>\\^{|}".contains(c))
            && !rest.split('/').next().unwrap_or_default().contains('@')
    });
    if !is_url {
        problems.push(
            Problem::at(
                &INVALID_ADDRESS,
                leaf.span.clone(),
                format!("{what}.base_url: {} is no address of an API", quoted(&leaf.value)),
            )
            .help("write it as \"https://api.openai.com/v1\"; keys belong into api_key"),
        );
        return None;
    }
    // The format has no key for it: Anthropic's API is known by its host, or by a proxy's path that names it.
    let api = if leaf.value.to_ascii_lowercase().contains("anthropic") {
        ReferenceApi::Anthropic
    } else {
        ReferenceApi::OpenAi
    };
    Some(Reference { api, base_url: leaf.value.trim_end_matches('/').to_owned(), model: model?, api_key })
}

fn pointer(leaf: Option<&Spanned<String>>, what: &str, problems: &mut Problems) -> Option<String> {
    let leaf = leaf?;
    let escapes = leaf.value.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if leaf.value.starts_with('/') && escapes && !leaf.value.chars().any(char::is_control) {
        return Some(leaf.value.clone());
    }
    let message = format!("{what}: {} is no JSON pointer", quoted(&leaf.value));
    problems.push(Problem::at(&INVALID_POINTER, leaf.span.clone(), message).help("write it as \"/score\""));
    None
}

fn tiers(
    raw: &RawShadow,
    what: &dyn Fn(&str) -> String,
    problems: &mut Problems,
) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let Some(list) = &raw.tiers else { return (None, None) };
    let mut tiers: Vec<String> = Vec::new();
    for tier in &list.value {
        let Some(text) = values::text(Some(tier), 64, &what("tiers"), problems) else { return (None, None) };
        if tiers.contains(&text) {
            let message = format!("{} names {} twice", what("tiers"), quoted(&text));
            problems.push(Problem::at(&UNKNOWN_TIER, tier.span.clone(), message));
            return (None, None);
        }
        tiers.push(text);
    }
    if tiers.len() < 2 {
        problems.push(
            Problem::at(&UNKNOWN_TIER, list.span.clone(), format!("{} names fewer than two tiers", what("tiers")))
                .help("list every tier of the answers, best first"),
        );
        return (None, None);
    }
    let easy = raw.easy.as_ref().map(|list| {
        for tier in &list.value {
            if !tiers.contains(&tier.value) {
                let problem = Problem::at(
                    &UNKNOWN_TIER,
                    tier.span.clone(),
                    format!("{}: {} is none of the tiers", what("easy"), quoted(&tier.value)),
                );
                problems.push(match suggest::help(&tier.value, tiers.iter().map(String::as_str), "tiers are") {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
        }
        list.value.iter().map(|tier| tier.value.clone()).collect()
    });
    (Some(tiers), easy)
}

fn requirements(raw: &RawRequire, what: &str, problems: &mut Problems) -> Requirements {
    let mut ratio = |leaf: Option<&Spanned<f64>>, field: &str| {
        values::number(leaf, 0.0..=1.0, &format!("{what}.{field}"), problems)
    };
    let pearson = ratio(raw.pearson.as_ref(), "pearson");
    let tier_agreement = ratio(raw.tier_agreement.as_ref(), "tier_agreement");
    let failure_rate = ratio(raw.failure_rate.as_ref(), "failure_rate");
    Requirements {
        pearson,
        tier_agreement,
        failure_rate,
        latency: values::duration(raw.latency.as_ref(), &format!("{what}.latency"), problems),
        pairs: values::count(raw.pairs.as_ref(), &format!("{what}.pairs"), problems).unwrap_or(100),
    }
}

fn price(raw: &RawPrice, what: &str, problems: &mut Problems) -> Price {
    let mut money = |leaf: Option<&Spanned<f64>>, field: &str| {
        values::number(leaf, 0.0..=f64::MAX, &format!("{what}.{field}"), problems).unwrap_or_default()
    };
    Price { input: money(raw.input.as_ref(), "input"), output: money(raw.output.as_ref(), "output") }
}
