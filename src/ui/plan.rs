//! The plan for people: the same change on several machines is shown once, with their names.

use unicode_width::UnicodeWidthStr as _;

use super::wrap::indented;
use super::{Palette, plural, sanitize};
use crate::plan::{Action, Change, ChangeKind, Disturbs, MachinePlan, PlanState, Summary};

/// Changes that the same machines share, in order.
struct Group<'a> {
    machines: Vec<&'a str>,
    changes: Vec<&'a Change>,
}

/// Below a change.
const INDENT: usize = 6;

/// The whole plan as text. `width`: columns of the terminal; what a file holds is never broken.
pub fn plan_text(machines: &[MachinePlan], width: u16, palette: Palette) -> String {
    let mut lines: Vec<String> = Vec::new();
    for group in groups(machines) {
        lines.push(palette.heading(&group.machines.join(", ")));
        lines.extend(group.changes.into_iter().flat_map(|change| one(change, width, palette)));
        lines.push(String::new());
    }
    for machine in machines {
        for kept in &machine.kept {
            let line = format!("{}: left alone: {}: {}", machine.machine, kept.path, kept.reason);
            lines.push(palette.dim(&indented(&sanitize(&line), 2, width)));
        }
        let note = |note: &String| indented(&format!("{}: {}", machine.machine, sanitize(note)), 2, width);
        lines.extend(machine.notes.iter().map(note));
    }
    for machine in machines {
        let state = match machine.state {
            PlanState::Changes => continue,
            PlanState::InSync => palette.good("in sync"),
            PlanState::Refused => palette.bad("refused:"),
            PlanState::Unreachable => palette.bad("unreachable:"),
            PlanState::Error => palette.bad("error:"),
        };
        let detail = machine.detail.as_deref().map(sanitize).unwrap_or_default();
        let detail = detail.strip_prefix(&format!("{}: ", machine.machine)).unwrap_or(&detail);
        lines.push(indented(format!("{}: {state} {detail}", machine.machine).trim_end(), 2, width));
    }
    lines.push(summary_line(machines));
    lines.join("\n") + "\n"
}

/// `plan: 3 to create, 1 to update, 0 to remove; restarts 1 daemon, reloads nothing`
fn summary_line(machines: &[MachinePlan]) -> String {
    let summary = Summary::of(machines);
    if summary.create + summary.update + summary.remove == 0 {
        let quiet = machines.iter().all(|machine| machine.state == PlanState::InSync);
        return if quiet { "plan: nothing to do".to_owned() } else { "plan: nothing that could be done".to_owned() };
    }
    let count = |n: usize, what: &str| if n == 0 { format!("no {what}") } else { plural(n, what) };
    format!(
        "plan: {} to create, {} to update, {} to remove; {}, {}",
        summary.create,
        summary.update,
        summary.remove,
        count(summary.restarts, "restart"),
        count(summary.reloads, "reload"),
    )
}

fn groups(machines: &[MachinePlan]) -> Vec<Group<'_>> {
    let mut shared: Vec<(&Change, Vec<&str>)> = Vec::new();
    for machine in machines {
        for change in &machine.changes {
            match shared.iter_mut().find(|(other, _)| *other == change) {
                Some((_, names)) => names.push(machine.machine.as_str()),
                None => shared.push((change, vec![machine.machine.as_str()])),
            }
        }
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (change, names) in shared {
        match groups.iter_mut().find(|group| group.machines == names) {
            Some(group) => group.changes.push(change),
            None => groups.push(Group { machines: names, changes: vec![change] }),
        }
    }
    groups
}

fn one(change: &Change, width: u16, palette: Palette) -> Vec<String> {
    let sign = match change.action {
        Action::Create => palette.good("+"),
        Action::Update => palette.warn("~"),
        Action::Remove => palette.bad("-"),
    };
    let what = match (change.kind, &change.key) {
        (_, Some(key)) => format!("{} {key}", change.path),
        (ChangeKind::Service, None) => format!("daemon {}", change.path),
        (_, None) => change.path.clone(),
    };
    let names: Vec<&str> = change.names.iter().map(crate::fleet::ServedName::as_str).collect();
    let disturbs = match change.disturbs {
        Disturbs::Nothing => String::new(),
        Disturbs::Reload => format!(" [reload {}]", names.join(", ")),
        Disturbs::Restart if is_omlx(change) => " [restart oMLX]".to_owned(),
        Disturbs::Restart => format!(" [restart {}]", change.path.trim_start_matches("dev.fleetctl.")),
    };
    let what = indented(&sanitize(&what), INDENT, width);
    let disturbs = sanitize(&disturbs);
    let is_full = INDENT + what.lines().last().unwrap_or_default().width() + disturbs.width() > usize::from(width);
    let between = if is_full && !disturbs.is_empty() { format!("\n{:INDENT$}", "") } else { String::new() };
    let disturbs = if is_full { disturbs.trim_start() } else { disturbs.as_str() };
    let mut lines = vec![
        format!("  {sign} {what}{between}{}", palette.warn(disturbs)),
        format!("{:INDENT$}{}", "", palette.dim(&indented(&sanitize(&change.reason), INDENT, width))),
    ];
    lines.extend(change.diff.iter().flat_map(|diff| diff.lines()).map(|line| {
        let line = sanitize(line);
        let shown = match line.as_bytes().first() {
            Some(b'+') => palette.good(&line),
            Some(b'-') => palette.bad(&line),
            _ => palette.dim(&line),
        };
        format!("      {shown}")
    }));
    lines
}

fn is_omlx(change: &Change) -> bool {
    change.kind == ChangeKind::Setting || change.path == "dev.fleetctl.omlx"
}
