//! Problems of the fleet file as a person reads them: the source underlined, in the look of rustc.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::plural::tally;
use super::sanitize;
use super::wrap::wrapped;
use crate::config::Source;
use crate::diagnostic::{Label, Problem, Severity};

/// Labels further apart than this many lines are shown in excerpts of their own.
const NEAR: usize = 8;

/// All problems, one below the other, each followed by an empty line. Long lines are cut to the width.
pub fn render_problems(source: &Source, problems: &[Problem], width: u16, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(usize::from(width));
    let mut shown = String::new();
    for problem in problems {
        shown.push_str(&renderer.render(&[group(source, problem, usize::from(width))]));
        shown.push_str("\n\n");
    }
    shown
}

/// `fleet.toml: 2 errors, 1 warning`; `None` without any problem.
pub fn summarize_problems(path: &str, problems: &[Problem]) -> Option<String> {
    let count = |severity| problems.iter().filter(|problem| problem.severity() == severity).count();
    let counted = tally(&[
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Note), "note"),
    ]);
    (!counted.is_empty()).then(|| format!("{}: {counted}", sanitize(path)))
}

fn group<'a>(source: &'a Source, problem: &'a Problem, width: usize) -> Group<'a> {
    let level = match problem.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    // The renderer puts further lines below the first word of the title: `warning[CODE]: `.
    let title =
        within(&problem.message, width, problem.severity().as_str().len() + problem.code.id.len() + "[]: ".len());
    let mut group = Group::with_title(level.primary_title(title).id(problem.code.id));
    let path = sanitize(source.path());
    if problem.primary.is_none() && problem.secondary.is_empty() {
        group = group.element(Origin::path(path.clone()));
    }
    for excerpt in excerpts(source, problem) {
        let mut snippet = Snippet::source(harmless(&source.text()[excerpt.bytes.clone()]))
            .path(path.clone())
            .line_start(excerpt.line);
        for (kind, label) in excerpt.labels {
            let shown = shown(source.text(), &label.span);
            let span = shown.start - excerpt.bytes.start..shown.end - excerpt.bytes.start;
            let text = (!label.text.is_empty()).then(|| sanitize(&label.text));
            snippet = snippet.annotation(kind.span(span).label(text));
        }
        group = group.element(snippet);
    }
    match &problem.help {
        Some(help) => {
            let last =
                problem.primary.iter().chain(&problem.secondary).map(|label| source.place(label.span.start).line);
            let digits = last.max().unwrap_or_default().to_string().len();
            group.element(Level::HELP.message(within(help, width, digits + " = help: ".len())))
        }
        None => group,
    }
}

/// Text that begins behind `left` columns, in lines that end at the width. Where there is no room for words beside the left part, it stays one line.
fn within(text: &str, width: usize, left: usize) -> String {
    const WORDS: usize = 24;
    let safe = sanitize(text);
    match width.checked_sub(left).filter(|room| *room >= WORDS) {
        Some(room) => wrapped(&safe, room).join("\n"),
        None => safe,
    }
}

/// Whole lines of the file with the labels that lie on them.
struct Excerpt<'a> {
    bytes: Range<usize>,
    line: usize,
    labels: Vec<(AnnotationKind, &'a Label)>,
}

/// The lines that a problem needs, the primary's first: rendering never looks at the rest of a long file.
fn excerpts<'a>(source: &Source, problem: &'a Problem) -> Vec<Excerpt<'a>> {
    let primary = problem.primary.iter().map(|label| (AnnotationKind::Primary, label));
    let secondary = problem.secondary.iter().map(|label| (AnnotationKind::Context, label));
    let mut found: Vec<Excerpt<'a>> = Vec::new();
    for (kind, label) in primary.chain(secondary) {
        let line = source.place(label.span.start).line;
        let bytes = lines_around(source.text(), &shown(source.text(), &label.span));
        match found.iter_mut().find(|excerpt| excerpt.line.abs_diff(line) <= NEAR) {
            Some(excerpt) => {
                excerpt.bytes = excerpt.bytes.start.min(bytes.start)..excerpt.bytes.end.max(bytes.end);
                excerpt.line = excerpt.line.min(line);
                excerpt.labels.push((kind, label));
            }
            None => found.push(Excerpt { bytes, line, labels: vec![(kind, label)] }),
        }
    }
    found
}

/// The part of a span that is underlined: the renderer would show all of a value that is longer than a screen.
fn shown(text: &str, span: &Range<usize>) -> Range<usize> {
    const LINES: usize = 12;
    const CHARACTERS: usize = 100;
    let value = &text[span.clone()];
    let (mut line_feeds, mut in_line) = (0, 0);
    for (at, c) in value.char_indices() {
        in_line += 1;
        if c == '\n' {
            line_feeds += 1;
            in_line = 0;
        }
        if line_feeds == LINES || in_line > CHARACTERS {
            return span.start..span.start + at;
        }
    }
    span.clone()
}

/// The whole lines of a span.
fn lines_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
    start..end
}

/// The renderer makes C0 and most bidirectional controls visible by itself; the others are replaced by a character of as many bytes,
/// so that offsets stay right.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{80}'..='\u{9f}' => '\u{a4}',
            '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => '\u{fffd}',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_underlined_where_it_is_mended() {
        let loaded = crate::config::load("fleet.toml", "schema = 1\n[fleet]\nname = \"home\"\ntimezon = \"UTC\"\n");
        insta::assert_snapshot!(render_problems(&loaded.source, &loaded.problems, 80, false), @r#"
        error[unknown-key]: unknown key "timezon" in fleet
         --> fleet.toml:4:1
          |
        4 | timezon = "UTC"
          | ^^^^^^^ unknown
          |
          = help: did you mean "timezone"?

        error[missing-key]: the file has no `omlx`
        --> fleet.toml

        error[missing-key]: the file has no `machines`
        --> fleet.toml
        "#);
    }

    #[test]
    fn nothing_of_the_file_moves_the_cursor() {
        let text = "schema = 1\n[fleet]\nname = \"a\u{9b}2J\u{202e}b\"\n\"x\\u001B[31m\" = 1\n# \u{1b}[2J\n";
        let loaded = crate::config::load("f\u{1b}[31m.toml", text);
        let shown = render_problems(&loaded.source, &loaded.problems, 80, false);
        assert!(!shown.is_empty() && shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'), "{shown:?}");
    }

    #[test]
    fn every_damaged_example_can_be_shown() {
        const PIECES: [&str; 10] = [
            "\r\n",
            "\"",
            "\u{1b}[31m",
            "\u{9b}",
            "漢字",
            "e\u{301}",
            "\t",
            "[",
            "\u{202e}",
            "\n\n\n\n\n\n\n\n\n\n\n\n\n",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).expect("small")
        };
        for _ in 0..150 {
            let mut text = include_str!("../../fleet.toml").to_owned();
            for _ in 0..=random(8) {
                let at = text.floor_char_boundary(random(text.len()));
                text.insert_str(at, PIECES[random(PIECES.len())]);
            }
            let loaded = crate::config::load("fleet.toml", &text);
            for (width, color) in [(40, false), (120, true)] {
                let shown = render_problems(&loaded.source, &loaded.problems, width, color);
                let harmful = |c: char| c.is_control() && c != '\n' && !(color && c == '\u{1b}');
                assert!(!shown.chars().any(harmful) && !shown.contains('\u{202e}'), "{shown:?}");
                assert_eq!(color, shown.contains('\u{1b}'), "{shown:?}");
            }
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("schema = 1\n{} = 1\n", "x".repeat(100_000));
        let loaded = crate::config::load("fleet.toml", &text);
        let shown = render_problems(&loaded.source, &loaded.problems[..1], 80, false);
        assert!(shown.len() < 2_000, "{} bytes", shown.len());
    }
}
