//! The terminal, decided once: which stream is one, how wide, with which colours.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Mutex;

use super::commands::Commands;
use super::sanitize::{escape_json, sanitize, sanitize_lines};
use crate::env::Env;
use crate::error::{CommandError, Kind};

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to say besides the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Errors only.
    Quiet,
    /// What an operator wants to know.
    Normal,
    /// And how it was found out.
    Verbose,
}

struct Stream {
    writer: Mutex<Box<dyn Write + Send>>,
    is_terminal: bool,
    color: bool,
}

impl Stream {
    fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writer.write_all(text)?;
        writer.flush()
    }
}

/// Standard output is the answer; standard error is everything else.
pub struct Ui {
    out: Stream,
    err: Stream,
    volume: Volume,
    width: Option<u16>,
    commands: Commands,
}

impl Ui {
    /// The process's own streams. `COLUMNS` overrides the width of the terminal; `commands`: how command lines to copy are written.
    pub fn of_process(env: &Env, color: Color, volume: Volume, commands: Commands) -> Self {
        let stream = |writer: Box<dyn Write + Send>, is_terminal: bool| Stream {
            writer: Mutex::new(writer),
            is_terminal,
            color: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && env.get("NO_COLOR").is_none() && env.get("TERM") != Some("dumb"),
            },
        };
        let out = stream(Box::new(io::stdout()), io::stdout().is_terminal());
        let err = stream(Box::new(io::stderr()), io::stderr().is_terminal());
        let width = env.get("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns >= 40);
        Self { out, err, volume, width, commands }
    }

    /// Columns of the answer: `COLUMNS`, else the terminal's, else 100 (a log or a pipe).
    pub fn width(&self) -> u16 {
        let terminal = || self.out.is_terminal.then(ratatui::crossterm::terminal::size).and_then(Result::ok);
        self.width.or_else(|| terminal().map(|(columns, _)| columns)).unwrap_or(100).max(40)
    }

    /// How command lines to copy are written: what an answer names passes through it before it is laid out; commentary does by itself.
    pub const fn commands(&self) -> &Commands {
        &self.commands
    }

    /// Whether the answer goes to a terminal.
    pub fn answers_terminal(&self) -> bool {
        self.out.is_terminal
    }

    /// Whether a program of the operator's own can talk with him: both its input and its output are a terminal.
    pub fn is_interactive(&self) -> bool {
        self.out.is_terminal && io::stdin().is_terminal()
    }

    /// Whether standard error is a terminal: then long work is animated there.
    pub fn animates(&self) -> bool {
        self.err.is_terminal && self.volume > Volume::Quiet
    }

    /// Whether the answer is coloured.
    pub fn colors_answer(&self) -> bool {
        self.out.color
    }

    /// Whether commentary is coloured.
    pub fn colors_commentary(&self) -> bool {
        self.err.color
    }

    /// Whether only the answer and errors are wanted.
    pub fn is_quiet(&self) -> bool {
        self.volume == Volume::Quiet
    }

    /// Whether to say how things were found out.
    pub fn is_verbose(&self) -> bool {
        self.volume == Volume::Verbose
    }

    /// Writes a part of the answer, as it is. Errors: a closed pipe ends the command quietly.
    pub fn answer(&self, text: &str) -> Result<(), CommandError> {
        self.answer_bytes(text.as_bytes())
    }

    /// Writes a part of the answer, as it is.
    pub fn answer_bytes(&self, bytes: &[u8]) -> Result<(), CommandError> {
        self.out.write(bytes).map_err(CommandError::from)
    }

    /// Writes one JSON document as the answer.
    pub fn answer_json<T: serde::Serialize>(&self, document: &T) -> Result<(), CommandError> {
        let mut text = serde_json::to_string_pretty(document)
            .map_err(|error| CommandError::new(Kind::Bug, "cannot write the JSON document").because(error))?;
        text.push('\n');
        self.answer(&escape_json(&text))
    }

    /// Commentary, a line without colours of its own; not with `--quiet`.
    pub fn status(&self, line: &str) {
        if self.volume > Volume::Quiet {
            self.commentary(&format!("{}\n", sanitize_lines(&self.commands.in_text(line))));
        }
    }

    /// A warning that is no finding of the answer.
    pub fn warn(&self, line: &str) {
        if self.volume > Volume::Quiet {
            let style = anstyle::AnsiColor::Yellow.on_default().bold();
            self.commentary(&format!(
                "{} {}\n",
                self.heading(style, "warning:"),
                sanitize_lines(&self.commands.in_text(line))
            ));
        }
    }

    /// An error with its chain and hints; a gone reader is not spoken of.
    pub fn error(&self, error: &CommandError) {
        if error.kind == Kind::BrokenPipe {
            return;
        }
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        let mut text =
            format!("{} {}\n", self.heading(red, "error:"), sanitize(&self.commands.in_text(&error.message)));
        let mut cause = error.source.as_deref().map(|source| source as &dyn std::error::Error);
        while let Some(source) = cause {
            for line in source.to_string().lines() {
                text.push_str("  caused by: ");
                text.push_str(&sanitize(&self.commands.in_text(line.trim_end())));
                text.push('\n');
            }
            cause = source.source();
        }
        for hint in &error.hints {
            text.push_str(&format!("{} {}\n", self.heading(cyan, "help:"), sanitize(&self.commands.in_text(hint))));
        }
        self.commentary(&text);
    }

    /// Asks on standard error and reads a line of standard input: only y or yes is yes. `None`: standard input is no terminal, so nobody can answer.
    pub fn confirm(&self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        self.commentary(&format!("{} [y/N] ", sanitize_lines(question)));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer).is_ok();
        Some(read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Commentary as it is; a closed standard error is nobody's problem.
    pub fn commentary(&self, text: &str) {
        drop(self.err.write(text.as_bytes()));
    }

    fn heading(&self, style: anstyle::Style, text: &str) -> String {
        if self.err.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
