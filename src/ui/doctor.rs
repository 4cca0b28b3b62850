//! `doctor` for people: a machine, its findings, and under each the command that mends it, on a line of its own so that it can be copied whole.

use super::json::{DoctorDocument, ExaminedMachine};
use super::plural::tally;
use super::wrap::wrapped;
use super::{Palette, sanitize};

/// The findings of all machines. `width`: columns of the terminal; commands are never wrapped.
pub fn doctor_text(document: &DoctorDocument, width: u16, palette: Palette) -> String {
    let mut text = String::new();
    let columns = document.machines.iter().flat_map(|machine| &machine.findings).map(|finding| finding.code.len());
    let column = columns.max().unwrap_or_default();
    let severity_width = "warning".len();
    let indent = 2 + severity_width + 2;
    if document.machines.len() > 1 {
        text.push_str(&headline(document));
    }
    for machine in &document.machines {
        if !text.is_empty() {
            text.push('\n');
        }
        let name = palette.heading(&sanitize(&machine.name));
        text.push_str(&format!("{name}  {}\n", count(machine.findings.iter().map(|finding| finding.severity))));
        for (place, finding) in machine.findings.iter().enumerate() {
            let severity = format!("{:<severity_width$}", finding.severity);
            let severity = match finding.severity {
                "error" => palette.bad(&severity),
                "warning" => palette.warn(&severity),
                _ => palette.dim(&severity),
            };
            // The machine's name stands above already.
            let message = finding.message.strip_prefix(&format!("{}: ", machine.name)).unwrap_or(&finding.message);
            let left = indent + column + 2;
            let room = usize::from(width).saturating_sub(left);
            let (first, rest) = if room >= 40 {
                (format!("{:<column$}  ", finding.code), left)
            } else {
                (format!("{}\n{}", finding.code, " ".repeat(indent)), indent)
            };
            let lines = wrapped(&sanitize(message), usize::from(width).saturating_sub(rest).max(20));
            text.push_str(&format!("  {severity}  {first}{}\n", lines.join(&format!("\n{}", " ".repeat(rest)))));
            for hint in &finding.hints {
                for line in wrapped(&sanitize(hint), usize::from(width).saturating_sub(rest).max(20)) {
                    text.push_str(&format!("{}{}\n", " ".repeat(rest), palette.dim(&line)));
                }
            }
            // What one command mends stands above it together.
            let next = machine.findings.get(place + 1).and_then(|next| next.mend.as_ref());
            if let Some(mend) = finding.mend.as_ref().filter(|mend| next != Some(*mend)) {
                text.push_str(&format!("    {}\n", palette.good(&sanitize(mend))));
            }
        }
    }
    text
}

/// How many machines have what, and how to go on.
fn headline(document: &DoctorDocument) -> String {
    let worst = |machine: &ExaminedMachine| {
        let has = |severity: &str| machine.findings.iter().any(|finding| finding.severity == severity);
        ["error", "warning"].into_iter().position(has).unwrap_or(2)
    };
    let having = |wanted: usize| document.machines.iter().filter(|machine| worst(machine) == wanted).count();
    let counts = [(having(0), "with errors"), (having(1), "with warnings"), (having(2), "well")];
    let parts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let mut text = format!("{} machines: {}\n", document.machines.len(), parts.join(", "));
    if document.machines.iter().any(|machine| worst(machine) < 2) {
        text.push_str("mend from the top, then look again: fleetctl doctor\n");
    }
    text
}

fn count<'a>(severities: impl Iterator<Item = &'a str>) -> String {
    let severities: Vec<&str> = severities.collect();
    let of = |severity: &'static str| (severities.iter().filter(|other| **other == severity).count(), severity);
    let counted = tally(&[of("error"), of("warning"), of("note")]);
    if counted.is_empty() { "nothing found".to_owned() } else { counted }
}

#[cfg(test)]
mod tests {
    use super::super::json::FindingEntry;
    use super::*;

    fn document() -> DoctorDocument {
        let finding = |code, severity, message: &str, mend: Option<&str>| FindingEntry {
            code,
            severity,
            message: message.to_owned(),
            mend: mend.map(str::to_owned),
            hints: Vec::new(),
        };
        DoctorDocument {
            schema: "fleetctl.doctor/1",
            machines: vec![
                ExaminedMachine {
                    name: "mini".to_owned(),
                    findings: vec![
                        finding("port-taken", "error", "mini: port 8000 is held by pid 7: nc \u{1b}[2J", None),
                        finding("omlx-stopped", "error", "mini: oMLX does not run", Some("fleetctl apply --on mini")),
                        finding("drifted", "warning", "mini: 2 changes", Some("fleetctl apply --on mini")),
                        finding(
                            "machine-sleeps",
                            "warning",
                            "mini: it sleeps after 10 min without a user, and everything that it serves is gone meanwhile",
                            Some("ssh -t ops@mini 'sudo pmset -a sleep 0 disksleep 0 powernap 0'"),
                        ),
                    ],
                },
                ExaminedMachine { name: "studio".to_owned(), findings: Vec::new() },
            ],
        }
    }

    #[test]
    fn commands_stand_on_lines_of_their_own() {
        insta::assert_snapshot!(doctor_text(&document(), 80, Palette::new(false)), @r"
        2 machines: 1 with errors, 1 well
        mend from the top, then look again: fleetctl doctor

        mini  2 errors, 2 warnings
          error    port-taken      port 8000 is held by pid 7: nc \u{1b}[2J
          error    omlx-stopped    oMLX does not run
          warning  drifted         2 changes
            fleetctl apply --on mini
          warning  machine-sleeps  it sleeps after 10 min without a user, and everything
                                   that it serves is gone meanwhile
            ssh -t ops@mini 'sudo pmset -a sleep 0 disksleep 0 powernap 0'

        studio  nothing found
        ");
    }

    #[test]
    fn a_narrow_terminal_wraps_the_text_and_never_a_command() {
        insta::assert_snapshot!(doctor_text(&document(), 50, Palette::new(false)), @r"
        2 machines: 1 with errors, 1 well
        mend from the top, then look again: fleetctl doctor

        mini  2 errors, 2 warnings
          error    port-taken
                   port 8000 is held by pid 7: nc
                   \u{1b}[2J
          error    omlx-stopped
                   oMLX does not run
          warning  drifted
                   2 changes
            fleetctl apply --on mini
          warning  machine-sleeps
                   it sleeps after 10 min without a user,
                   and everything that it serves is gone
                   meanwhile
            ssh -t ops@mini 'sudo pmset -a sleep 0 disksleep 0 powernap 0'

        studio  nothing found
        ");
    }
}
