//! `fleetctl explain CODE | --list`

use super::Context;
use super::catalogue::catalogue;
use crate::cli::ExplainArgs;
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::json::{ExplainDocument, ExplainListDocument};
use crate::ui::{code_text, codes_text};

pub(crate) fn run(cx: &Context, args: &ExplainArgs) -> Result<Exit, CommandError> {
    let codes = catalogue();
    let Some(wanted) = &args.code else {
        if cx.global.json {
            cx.ui.answer_json(&ExplainListDocument::new(&codes))?;
        } else {
            cx.ui.answer(&codes_text(&codes))?;
        }
        return Ok(Exit::Done);
    };
    let Some(code) = codes.iter().find(|code| code.id == wanted) else {
        let error = CommandError::usage(format!("there is no code {wanted:?}"));
        let near = config::nearest(wanted, codes.iter().map(|code| code.id));
        return Err(error.hint(near.map_or_else(
            || "`fleetctl explain --list` lists them all".to_owned(),
            |near| format!("did you mean \"{near}\"?"),
        )));
    };
    if cx.global.json {
        cx.ui.answer_json(&ExplainDocument::new(code))?;
    } else {
        cx.ui.answer(&code_text(code, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(Exit::Done)
}
