//! `fleetctl shadow guard NAME`: demotes where the pairs since the last change of the rung ask for it.

use serde_json::json;

use super::super::Context;
use super::calibration;
use super::ladder::{changed, record};
use super::write_rung::write_rung;
use crate::cli::ShadowGuardArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::Rung;
use crate::shadow::{Alarm, DecisionKind, Standing, alarms, arrived, demoted, pairs_since};

pub(crate) fn run(cx: &Context, args: &ShadowGuardArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let shadow = calibration::find(&file.fleet, &args.name)?;
    let store = calibration::open(cx, &file.fleet, shadow)?;
    let known = calibration::known(cx, &store, shadow, None)?;
    let recent = pairs_since(known.pairs.clone(), arrived(&known.decisions, shadow.rung));
    let mut found = alarms(&recent, &shadow.require);
    let earned = known.decisions.iter().rev().find(|one| one.kind == DecisionKind::Promoted);
    let id = known.experiment.as_ref().map_or("", |one| one.fingerprint.as_str());
    let is_other = earned.is_some_and(|one| one.fingerprint != id) || !changed(&file.fleet, shadow, &known).is_empty();
    if is_other && shadow.rung > Rung::Shadow {
        found.push(Alarm::Fingerprint);
    }
    let said: Vec<String> = found.iter().map(Alarm::sentence).collect();
    let to = demoted(shadow.rung, &found);
    if found.is_empty() || to == shadow.rung {
        let seen = format!(
            "{} stays on rung {}: {} pairs since it came there",
            shadow.name,
            shadow.rung.as_str(),
            recent.len()
        );
        cx.ui.status(&seen);
        for one in said {
            cx.ui.warn(&one);
        }
        return Ok(Exit::Done);
    }
    for one in &said {
        cx.ui.warn(one);
    }
    if Standing::of(&known.decisions).halted {
        cx.ui.warn(&format!("{} is halted: it stays on rung {}", shadow.name, shadow.rung.as_str()));
        return Ok(Exit::Done);
    }
    write_rung(cx, &file, &shadow.name, to)?;
    let kind = if found.contains(&Alarm::Fingerprint) { DecisionKind::Restarted } else { DecisionKind::Guarded };
    record(cx, &store, shadow, &known, kind, to, json!({"alarms": said}))?;
    Ok(Exit::Done)
}
