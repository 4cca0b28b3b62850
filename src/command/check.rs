//! `fleetctl check`

use super::Context;
use crate::config::Loaded;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::json::CheckDocument;
use crate::ui::{plural, render_problems, sanitize, summarize_problems};

pub(crate) fn run(cx: &Context) -> Result<Exit, CommandError> {
    let loaded = cx.check_fleet();
    let exit = if loaded.fleet.is_some() { Exit::Done } else { Exit::InvalidFleet };
    if cx.global.json {
        cx.ui.answer_json(&CheckDocument::new(&loaded.source, &loaded.problems))?;
        return Ok(exit);
    }
    let mut answer = render_problems(&loaded.source, &loaded.problems, cx.ui.width(), cx.ui.colors_answer());
    answer.push_str(&last_line(&loaded));
    answer.push('\n');
    cx.ui.answer(&answer)?;
    Ok(exit)
}

fn last_line(loaded: &Loaded) -> String {
    let path = sanitize(loaded.source.path());
    let said = summarize_problems(loaded.source.path(), &loaded.problems);
    let Some(fleet) = &loaded.fleet else { return said.unwrap_or(path) };
    format!(
        "{}: {}, {}, {}, {}",
        said.unwrap_or_else(|| format!("{path}: no problem")),
        plural(fleet.machines.len(), "machine"),
        plural(fleet.served.len(), "served name"),
        plural(fleet.slots.len(), "slot"),
        plural(fleet.jobs.len(), "job"),
    )
}
