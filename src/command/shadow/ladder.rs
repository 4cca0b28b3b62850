//! `fleetctl shadow promote|demote|halt NAME`

use serde_json::json;

use super::super::Context;
use super::calibration::{self, Known};
use super::write_rung::write_rung;
use crate::cli::{ShadowDemoteArgs, ShadowHaltArgs, ShadowPromoteArgs};
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::{Fleet, Rung, Shadow};
use crate::shadow::store::Store;
use crate::shadow::{Decision, DecisionKind, Fingerprint, Standing, below};
use crate::ui::json::{VerdictMode, measure_entries};

pub(crate) fn promote(cx: &Context, args: &ShadowPromoteArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let shadow = calibration::find(&file.fleet, &args.name)?;
    calibration::may_leave(&file, shadow)?;
    let store = calibration::open(cx, &file.fleet, shadow)?;
    let known = calibration::known(cx, &store, shadow, None)?;
    if args.rearm {
        record(cx, &store, shadow, &known, DecisionKind::Rearmed, shadow.rung, json!({}))?;
        cx.ui.status(&format!("{} is armed again on rung {}", shadow.name, shadow.rung.as_str()));
        return Ok(Exit::Done);
    }
    let Some(next) = &known.next else {
        cx.ui.status(&format!("{} is on the highest rung already", shadow.name));
        return Ok(Exit::Done);
    };
    let mut missing = next.missing.clone();
    missing.extend(changed(&file.fleet, shadow, &known));
    let evidence = json!({
        "looks": known.looks.taken.iter().map(|taken| json!({
            "number": taken.look.number, "pairs": taken.look.pairs, "alpha": taken.look.alpha, "admits": taken.admits, "passed": taken.passed,
        })).collect::<Vec<_>>(),
        "missing": missing,
    });
    if !missing.is_empty() {
        record(cx, &store, shadow, &known, DecisionKind::Looked, shadow.rung, evidence)?;
        let mut error =
            CommandError::new(Kind::Refused, format!("{} is not ready for rung {}", shadow.name, next.rung.as_str()));
        for one in missing {
            error = error.hint(format!("missing: {one}"));
        }
        return Err(error.hint(format!("fleetctl shadow report {} shows all of it", shadow.name)));
    }
    write_rung(cx, &file, &shadow.name, next.rung)?;
    record(cx, &store, shadow, &known, DecisionKind::Promoted, next.rung, evidence)?;
    Ok(Exit::Done)
}

/// The parts of the fingerprint that the fleet file has otherwise than the experiment; the prompt is the inputs'.
pub(super) fn changed(fleet: &Fleet, shadow: &Shadow, known: &Known) -> Vec<String> {
    let Some(experiment) = &known.experiment else { return Vec::new() };
    let now = Fingerprint::new(fleet, shadow, "");
    let is_there = |part: &&(String, String)| part.0 == "prompt" || now.parts().contains(part);
    let mut names: Vec<&str> =
        experiment.parts.iter().filter(|part| !is_there(part)).map(|(name, _)| name.as_str()).collect();
    names.extend(
        now.parts()
            .iter()
            .filter(|part| part.0 != "prompt" && !experiment.parts.iter().any(|old| old.0 == part.0))
            .map(|(name, _)| name.as_str()),
    );
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("the fleet file has changed since these pairs: {}", names.join(", "))]
}

pub(crate) fn demote(cx: &Context, args: &ShadowDemoteArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let shadow = calibration::find(&file.fleet, &args.name)?;
    let to = match &args.to {
        Some(text) => Rung::ALL.into_iter().find(|rung| rung.as_str() == text).ok_or_else(|| {
            CommandError::usage(format!("{text:?} is no rung"))
                .hint(format!("rungs are {}", Rung::ALL.map(Rung::as_str).join(", ")))
        })?,
        None => below(shadow.rung).unwrap_or(Rung::Shadow),
    };
    if to >= shadow.rung {
        return Err(CommandError::usage(format!("{} is on rung {} already", shadow.name, shadow.rung.as_str()))
            .hint("demote leads down; `promote` leads up"));
    }
    let store = calibration::open(cx, &file.fleet, shadow)?;
    let known = calibration::known(cx, &store, shadow, None)?;
    write_rung(cx, &file, &shadow.name, to)?;
    record(cx, &store, shadow, &known, DecisionKind::Demoted, to, json!({"reason": args.reason}))?;
    Ok(Exit::Done)
}

pub(crate) fn halt(cx: &Context, args: &ShadowHaltArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let shadow = calibration::find(&file.fleet, &args.name)?;
    let store = calibration::open(cx, &file.fleet, shadow)?;
    let known = calibration::known(cx, &store, shadow, None)?;
    let is_halted = Standing::of(&known.decisions).halted;
    let state = if args.resume { "goes on" } else { "is halted" };
    if is_halted != args.resume {
        cx.ui.status(&format!("{} {state} already, on rung {}", shadow.name, shadow.rung.as_str()));
        return Ok(Exit::Done);
    }
    let kind = if args.resume { DecisionKind::Resumed } else { DecisionKind::Halted };
    record(cx, &store, shadow, &known, kind, shadow.rung, json!({}))?;
    cx.ui.status(&format!("{} {state} on rung {}", shadow.name, shadow.rung.as_str()));
    Ok(Exit::Done)
}

/// Keeps a decision with everything it rests on.
pub(super) fn record(
    cx: &Context,
    store: &Store,
    shadow: &Shadow,
    known: &Known,
    kind: DecisionKind,
    to: Rung,
    mut evidence: serde_json::Value,
) -> Result<(), CommandError> {
    let measures = measure_entries(&known.measures, &known.assessment, VerdictMode::Bound);
    if let Some(fields) = evidence.as_object_mut() {
        fields.insert("measures".to_owned(), json!(measures));
    }
    let by = match kind {
        DecisionKind::Guarded | DecisionKind::Restarted => "guard",
        _ => cx.env.get("USER").or_else(|| cx.env.get("LOGNAME")).unwrap_or("unknown"),
    };
    store.decide(&Decision {
        at: cx.clock.now(),
        kind,
        from: shadow.rung,
        to,
        by: by.to_owned(),
        fingerprint: known.experiment.as_ref().map_or_else(String::new, |one| one.fingerprint.clone()),
        pairs: known.measures.pairs,
        evidence,
    })?;
    Ok(())
}
