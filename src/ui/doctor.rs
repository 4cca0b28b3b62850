//! `doctor` for people: a machine, its findings, and under each the command that mends it, on a line of its own so that it can be copied whole.

use super::json::DoctorDocument;
use super::{Palette, sanitize};

/// The findings of all machines. `width`: columns of the terminal; commands are never wrapped.
pub fn doctor_text(document: &DoctorDocument, width: u16, palette: Palette) -> String {
    let mut text = String::new();
    let columns = document.machines.iter().flat_map(|machine| &machine.findings).map(|finding| finding.code.len());
    let column = columns.max().unwrap_or_default();
    let severity_width = "warning".len();
    let indent = 2 + severity_width + 2;
    for machine in &document.machines {
        if !text.is_empty() {
            text.push('\n');
        }
        let name = palette.heading(&sanitize(&machine.name));
        text.push_str(&format!("{name}  {}\n", count(machine.findings.iter().map(|finding| finding.severity))));
        for finding in &machine.findings {
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
            if let Some(mend) = &finding.mend {
                text.push_str(&format!("    {}\n", palette.good(&sanitize(mend))));
            }
        }
    }
    text
}

fn count<'a>(severities: impl Iterator<Item = &'a str>) -> String {
    let severities: Vec<&str> = severities.collect();
    let words: Vec<String> = ["error", "warning", "note"]
        .into_iter()
        .filter_map(|severity| match severities.iter().filter(|other| **other == severity).count() {
            0 => None,
            1 => Some(format!("1 {severity}")),
            many => Some(format!("{many} {severity}s")),
        })
        .collect();
    if words.is_empty() { "nothing found".to_owned() } else { words.join(", ") }
}

/// At blanks; a word that is longer than the line stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::json::{ExaminedMachine, FindingEntry};
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
        mini  1 error, 1 warning
          error    port-taken      port 8000 is held by pid 7: nc \u{1b}[2J
          warning  machine-sleeps  it sleeps after 10 min without a user, and everything
                                   that it serves is gone meanwhile
            ssh -t ops@mini 'sudo pmset -a sleep 0 disksleep 0 powernap 0'

        studio  nothing found
        ");
    }

    #[test]
    fn a_narrow_terminal_wraps_the_text_and_never_a_command() {
        insta::assert_snapshot!(doctor_text(&document(), 50, Palette::new(false)), @r"
        mini  1 error, 1 warning
          error    port-taken
                   port 8000 is held by pid 7: nc
                   \u{1b}[2J
          warning  machine-sleeps
                   it sleeps after 10 min without a user,
                   and everything that it serves is gone
                   meanwhile
            ssh -t ops@mini 'sudo pmset -a sleep 0 disksleep 0 powernap 0'

        studio  nothing found
        ");
    }
}
