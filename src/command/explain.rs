//! `fleetctl explain CODE | --list`

use anstyle::Style;

use super::Context;
use super::catalogue::catalogue;
use crate::cli::ExplainArgs;
use crate::config;
use crate::diagnostic::Code;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::json::{ExplainDocument, ExplainListDocument};

pub(crate) fn run(cx: &Context, args: &ExplainArgs) -> Result<Exit, CommandError> {
    let codes = catalogue();
    let Some(wanted) = &args.code else {
        if cx.global.json {
            cx.ui.answer_json(&ExplainListDocument::new(&codes))?;
        } else {
            cx.ui.answer(&list(&codes))?;
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
        cx.ui.answer(&entry(code, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(Exit::Done)
}

fn list(codes: &[&Code]) -> String {
    let width = codes.iter().map(|code| code.id.len()).max().unwrap_or(0);
    let line = |code: &&Code| format!("{:width$}  {:7}  {}", code.id, code.severity.as_str(), code.title);
    codes.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn entry(code: &Code, width: u16, color: bool) -> String {
    let bold = if color { Style::new().bold() } else { Style::new() };
    let mut text = format!("{bold}{}{bold:#} ({}): {}\n", code.id, code.severity.as_str(), code.title);
    for paragraph in code.explanation.split("\n\n") {
        text.push('\n');
        text.push_str(&wrapped(paragraph, usize::from(width.min(100))));
    }
    text
}

/// A paragraph in lines of at most `width` characters; a longer word stands alone.
fn wrapped(paragraph: &str, width: usize) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
    text
}
