//! `fleetctl shadow import NAME FILE…`

use super::super::Context;
use super::calibration;
use crate::cli::ShadowImportArgs;
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fs;
use crate::shadow::store::Row;
use crate::shadow::{Fingerprint, recorded};

/// The longest recording.
const LIMIT: u64 = 1 << 30;
/// Lines that could not be read and are told one by one.
const TOLD: usize = 5;

pub(crate) fn run(cx: &Context, args: &ShadowImportArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let shadow = calibration::find(fleet, &args.name)?;
    calibration::may_leave(&file, shadow)?;
    let mut store = calibration::open(cx, fleet, shadow)?;
    store.lock()?;
    let now = cx.clock.now().as_second();
    let (mut new, mut known, mut unread, mut alone) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut conflicts: Vec<String> = Vec::new();
    for path in &args.files {
        let named = path.display();
        let text = fs::read_text(path, LIMIT)
            .map_err(|error| CommandError::failed(format!("cannot read the recording {named}")).because(error))?;
        let (pairs, errors, halves) = recorded(&text, shadow);
        alone += halves;
        unread += errors.len();
        for error in errors.iter().take(TOLD) {
            cx.ui.warn(&format!("{named} line {}: {}", error.line, crate::ui::sanitize(&error.what)));
        }
        store.at_once(|| -> Result<(), CommandError> {
            let mut experiments: Vec<(String, i64)> = Vec::new();
            for pair in &pairs {
                let experiment = if let Some((_, id)) = experiments.iter().find(|(prompt, _)| *prompt == pair.prompt) {
                    *id
                } else {
                    let id = store.experiment(&Fingerprint::new(fleet, shadow, &pair.prompt), now)?;
                    experiments.push((pair.prompt.clone(), id));
                    id
                };
                let before = store.known(experiment, &pair.id)?;
                match before {
                    Some(before) if before.content != pair.content => conflicts.push(pair.id.clone()),
                    Some(before) if before.local_done || !before.reference_ok => known += 1,
                    _ => {
                        let keep = |text: &Option<String>| text.clone().filter(|_| shadow.keep_text);
                        let (input, reference_text, local_text) =
                            (keep(&pair.input), keep(&pair.reference.text), keep(&pair.local.text));
                        let row = Row {
                            item: &pair.id,
                            content: &pair.content,
                            at: pair.at.unwrap_or(now),
                            tokens: None,
                            conditions: Some(r#"{"origin":"import"}"#),
                            input: input.as_deref(),
                            reference_text: reference_text.as_deref(),
                            local_text: local_text.as_deref(),
                        };
                        store.put_reference(experiment, &row, &pair.reference.arm)?;
                        store.put_local(experiment, &row, &pair.local.arm)?;
                        new += 1;
                    }
                }
            }
            if conflicts.is_empty() {
                return Ok(());
            }
            let ids: Vec<String> = conflicts.iter().take(TOLD).map(|id| format!("{id:?}")).collect();
            Err(CommandError::new(
                Kind::Refused,
                format!(
                    "{named}: {} ids were used before, with different content: {}",
                    conflicts.len(),
                    ids.join(", ")
                ),
            )
            .hint("give them other ids; nothing of this file was taken"))
        })?;
    }
    let mut said = format!("{}: {new} new pairs, {known} known already", shadow.name);
    for (count, what) in [(unread, "lines not understood"), (alone, "answers without their other half")] {
        if count > 0 {
            said.push_str(&format!(", {count} {what}"));
        }
    }
    cx.ui.status(&said);
    Ok(if new + known == 0 { Exit::Failed } else { Exit::Done })
}
