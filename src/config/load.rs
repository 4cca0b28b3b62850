//! Text in; the fleet, or every reason why there is none, out.

use super::node::{Node, Value};
use super::raw::RawFile;
use super::read::{At, Read as _};
use super::{check, source::Source, syntax};
use crate::diagnostic::{self, Code, Problem};
use crate::fleet::Fleet;

/// What a text turned out to be.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The fleet; `None` exactly when a problem is an error.
    pub fleet: Option<Fleet>,
    /// The fleet as far as it is sound, also when a problem is an error: for answers that explain the errors (`capacity`), never for acting on.
    pub sound: Option<Fleet>,
    /// Every problem, in the order of the file.
    pub problems: Vec<Problem>,
    /// The text, for showing where.
    pub source: Source,
}

/// Reads a fleet file's text (TOML, or the canonical JSON form). `path` is how the operator named the file.
pub fn load(path: &str, text: &str) -> Loaded {
    let source = Source::new(path, text);
    let mut problems = Vec::new();
    let table = syntax::parse(&source, &mut problems);
    let sound = if table.is_empty() && diagnostic::has_errors(&problems) {
        None
    } else {
        let whole = Node::new(Value::Table(table.clone()), 0..source.text().len());
        RawFile::read(whole, &At::ROOT, &mut problems).and_then(|raw| check::fleet(&raw, &table, &mut problems))
    };
    without_consequences(&source, &mut problems);
    diagnostic::sort(&mut problems);
    problems.dedup();
    let fleet = sound.clone().filter(|_| !diagnostic::has_errors(&problems));
    Loaded { fleet, sound, problems, source }
}

/// Takes out what may only follow from a syntax error: problems on its lines, and what is missed that may stand there.
fn without_consequences(source: &Source, problems: &mut Vec<Problem>) {
    let line = |problem: &Problem| problem.primary.as_ref().map(|label| source.place(label.span.start).line);
    let is_syntax = |problem: &Problem| problem.code.id == syntax::SYNTAX.id;
    let broken: Vec<_> = problems.iter().filter(|problem| is_syntax(problem)).map(line).collect();
    if !broken.is_empty() {
        problems.retain(|problem| {
            is_syntax(problem) || (!check::may_follow_from_a_gap(problem.code) && !broken.contains(&line(problem)))
        });
    }
}

/// Every code that [`load`] can report.
pub fn codes() -> Vec<&'static Code> {
    check::codes()
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn the_example_is_a_fleet() {
        let fleet = testing::example();
        assert_eq!(fleet.machines.keys().collect::<Vec<_>>(), ["mac-studio1", "mac-mini3", "mac-mini1", "mac-mini2"]);
        let arctic = fleet.served.get("embed-arctic").expect("declared");
        assert_eq!(
            arctic.on.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["mac-mini1", "mac-mini2", "mac-studio1"]
        );
        assert_eq!(arctic.resident_on.len(), 2);
        let studio = fleet.machines.get("mac-studio1").expect("declared");
        assert_eq!(studio.omlx.base, "/Users/ops/.omlx");
        assert_eq!(studio.omlx.settings.len(), 2);
        assert_eq!(fleet.profiles.get("interactive").expect("declared").drafts.len(), 1);
    }

    #[test]
    fn the_canonical_form_is_the_same_fleet() {
        let fleet = testing::example();
        assert_eq!(testing::fleet(&fleet.canonical.to_string()), fleet);
    }
}
