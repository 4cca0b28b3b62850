//! `fleetctl edit`: the fleet file is replaced only by one without errors.

use std::path::Path;

use super::Context;
use super::fleet_file::LIMIT;
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fs;
use crate::transport;
use crate::ui::{render_problems, summarize_problems};

pub(crate) fn run(cx: &Context) -> Result<Exit, CommandError> {
    let named = &cx.global.file;
    let editor = editor(cx)?;
    // A symbolic link stays one: what it leads to is replaced.
    let path = fs::real_path(named).map_err(|error| {
        CommandError::new(Kind::InvalidFleet, format!("cannot read {}", named.display())).because(error)
    })?;
    let (text, mode) = fs::read_text(&path, LIMIT)
        .and_then(|text| Ok((text, fs::mode(&path)?)))
        .map_err(|error| CommandError::new(Kind::InvalidFleet, "cannot read the fleet file").because(error))?;
    let copy = fs::write_temporary("fleet-", ".toml", text.as_bytes())
        .map_err(|error| CommandError::failed(format!("cannot make a copy of {}", named.display())).because(error))?;
    let discard = || drop(fs::remove(&copy));
    match open(editor, &copy) {
        Ok(()) => {}
        Err(error) => {
            // Nothing was saved that could be lost, unless the editor failed after a change.
            return match fs::read_text(&copy, LIMIT) {
                Ok(now) if now == text => {
                    discard();
                    Err(error)
                }
                _ => Err(error.hint(format!("what you wrote is kept in {}", copy.display()))),
            };
        }
    }
    let edited = fs::read_text(&copy, LIMIT).map_err(|error| {
        CommandError::new(Kind::InvalidFleet, "cannot read what the editor saved").because(error).hint(format!(
            "it is kept in {}; {} is unchanged",
            copy.display(),
            named.display()
        ))
    })?;
    if edited == text {
        discard();
        cx.ui.status(&format!("{} is unchanged", named.display()));
        return Ok(Exit::Done);
    }
    let loaded = cx.loaded(&named.display().to_string(), &edited);
    let (width, color) = (cx.ui.width(), cx.ui.colors_commentary());
    cx.ui.commentary(&render_problems(&loaded.source, &loaded.problems, width, color));
    let summary = summarize_problems(&named.display().to_string(), &loaded.problems);
    if loaded.fleet.is_none() {
        return Err(CommandError::new(Kind::InvalidFleet, summary.unwrap_or_else(|| "the file is invalid".to_owned()))
            .hint(format!("{} is unchanged; what you wrote is kept in {}", named.display(), copy.display())));
    }
    let now = fs::read_text(&path, LIMIT);
    if now.as_ref().ok() != Some(&text) {
        return Err(CommandError::failed(format!("{} changed while you edited it", named.display()))
            .hint(format!("it is left as it is; what you wrote is kept in {}", copy.display())));
    }
    fs::write_atomic(&path, edited.as_bytes(), mode).map_err(|error| {
        CommandError::failed(format!("cannot replace {}", named.display()))
            .because(error)
            .hint(format!("what you wrote is kept in {}", copy.display()))
    })?;
    discard();
    if let Some(summary) = summary {
        cx.ui.status(&summary);
    }
    cx.ui.status(&format!("{} is replaced; `fleetctl plan` shows what that changes", named.display()));
    Ok(Exit::Done)
}

/// `$VISUAL`, `$EDITOR`, or vi. Errors: neither is set, and vi would have no terminal: it would wait for keys that nobody can press.
fn editor(cx: &Context) -> Result<&str, CommandError> {
    let chosen =
        ["VISUAL", "EDITOR"].into_iter().filter_map(|name| cx.env.get(name)).find(|line| !line.trim().is_empty());
    match chosen {
        Some(line) => Ok(line),
        None if cx.ui.is_interactive() => Ok("vi"),
        None => Err(CommandError::usage("edit starts an editor, and there is no terminal for one")
            .hint("run it on a terminal, or set VISUAL or EDITOR to a command that changes the file it is given")
            .hint(format!("or change {} and run `fleetctl check`", cx.global.file.display()))),
    }
}

/// The editor on the copy. It is a command line for the shell by convention (git, crontab): "code --wait".
fn open(editor: &str, copy: &Path) -> Result<(), CommandError> {
    let line = format!("{editor} {}", transport::quote(&copy.to_string_lossy()));
    let status = transport::run_in_foreground("/bin/sh", &["-c", &line])
        .map_err(|error| CommandError::failed(format!("cannot start the editor {editor:?}")).because(error))?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::failed(format!("the editor {editor:?} ended with {status}"))
        .hint("set VISUAL or EDITOR to the editor of your choice"))
}
