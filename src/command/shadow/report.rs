//! `fleetctl shadow report NAME`

use super::super::Context;
use super::calibration::{self, Known};
use crate::cli::{ShadowMode, ShadowReportArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::Shadow;
use crate::fs;
use crate::shadow::store::Totals;
use crate::ui::json::{ShadowReportDocument, VerdictMode};
use crate::ui::{ShadowAnswer, render_shadow, render_shadow_page};

pub(crate) fn run(cx: &Context, args: &ShadowReportArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let shadow = calibration::find(&file.fleet, &args.name)?;
    let store = calibration::open(cx, &file.fleet, shadow)?;
    let known = calibration::known(cx, &store, shadow, args.fingerprint.as_deref())?;
    let answer = answer(shadow, &known);
    if let Some(path) = &args.html {
        let page = render_shadow_page(&answer, &known.pairs, &file.fleet, cx.clock.now());
        fs::write_atomic(path, page.as_bytes(), 0o644).map_err(|error| {
            CommandError::failed(format!("cannot write the page {}", path.display())).because(error)
        })?;
        cx.ui.status(&format!("{} is written", path.display()));
    }
    if cx.global.json {
        let mode = if args.mode == ShadowMode::Point { VerdictMode::Point } else { VerdictMode::Bound };
        let measured = (&known.measures, &known.assessment);
        cx.ui.answer_json(&ShadowReportDocument::new(shadow, answer.fingerprint, measured, answer.next, mode))?;
    } else if args.html.is_none() {
        cx.ui.answer(&cx.with_file(&render_shadow(&answer, cx.ui.width(), cx.ui.colors_answer())))?;
    }
    Ok(Exit::Done)
}

/// What is known, as `ui` takes it.
pub(super) fn answer<'a>(shadow: &'a Shadow, known: &'a Known) -> ShadowAnswer<'a> {
    #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2^53")]
    let money = known
        .experiment
        .as_ref()
        // An imported pair tells no tokens.
        .filter(|_| known.totals != Totals::default())
        .and_then(|_| calibration::cost(shadow, known.totals.tokens_in as f64, known.totals.tokens_out as f64));
    ShadowAnswer {
        shadow,
        fingerprint: known.experiment.as_ref().map(|one| one.fingerprint.as_str()),
        others: known.others,
        earlier: known.earlier,
        inputs: known.inputs,
        measures: &known.measures,
        assessment: &known.assessment,
        easy: &known.easy,
        looks: &known.looks,
        next: known.next.as_ref(),
        decisions: &known.decisions,
        money,
    }
}
