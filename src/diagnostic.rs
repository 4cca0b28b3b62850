//! A problem as data: code, severity, where, help. One renderer shows it (`ui`), one document carries it (`check --json`).
//!
//! Knows nothing of the fleet, of files or of terminals.

use std::ops::Range;

/// How grave a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// What was assumed.
    Note,
    /// Works, but not as one would expect.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// As JSON documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A stable code, its severity and its entry in the catalogue (`explain CODE`, docs). Each rule family declares its codes as constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable over releases: `unknown-key`.
    pub id: &'static str,
    /// Always the same for one code.
    pub severity: Severity,
    /// One line, no full stop.
    pub title: &'static str,
    /// What it means, why it is a problem (with arithmetic or source where there is one), and how it is mended. Plain text paragraphs.
    pub explanation: &'static str,
}

/// A place in the fleet file, in bytes, with what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Byte range in the file's text.
    pub span: Range<usize>,
    /// Said at the underline; may be empty.
    pub text: String,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which rule.
    pub code: &'static Code,
    /// What is wrong, naming the object; a lowercase fragment without a full stop.
    pub message: String,
    /// Where it is mended (json.md, `line`); `None` when it has no place in the file.
    pub primary: Option<Label>,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(code: &'static Code, span: Range<usize>, message: impl Into<String>) -> Self {
        let primary = Some(Label { span, text: String::new() });
        Self { code, message: message.into(), primary, secondary: Vec::new(), help: None }
    }

    /// A problem without a place.
    pub fn general(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), primary: None, secondary: Vec::new(), help: None }
    }

    /// With the text that stands at the underline.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// With another place that matters.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The severity of its code.
    pub const fn severity(&self) -> Severity {
        self.code.severity
    }
}

/// Orders problems by place, gravest first at one place; those without a place come last.
pub fn sort(problems: &mut [Problem]) {
    let start = |problem: &Problem| problem.primary.as_ref().map_or(usize::MAX, |label| label.span.start);
    problems.sort_by_key(|problem| (start(problem), std::cmp::Reverse(problem.severity()), problem.code.id));
}

/// Whether any is an error.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity() == Severity::Error)
}
