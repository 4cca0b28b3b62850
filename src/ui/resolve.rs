//! `resolve` for people: where the slot goes, and why.

use super::clock_face::clock_face;
use super::{Grid, Tone, sanitize};
use crate::fleet::Fleet;
use crate::slot::{Choice, Reason, Resolution};

type CandidateRow = [(String, Tone); 5];

/// The answer in a few lines; without a candidate the reason, and every candidate with its own.
pub fn render_resolution(resolution: &Resolution<'_>, fleet: &Fleet, color: bool) -> String {
    let paint =
        |style: anstyle::Style, text: &str| if color { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let bold = anstyle::Style::new().bold();
    let slot = &resolution.slot.name;
    let Some(choice) = &resolution.choice else {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        return format!("{slot} → {}\n  why       {}\n", paint(red, "nobody"), sanitize(&resolution.reason));
    };
    let mut lines = vec![
        format!("{slot} → {}", paint(bold, &format!("{} on {}", choice.served.name, choice.machine.name))),
        format!("  model     {}, profile {}", choice.served.model, choice.served.profile),
        format!("  base URL  {}", sanitize(&choice.base_url)),
        format!("  why       {}", sanitize(&resolution.reason)),
    ];
    if let Some(degraded) = &choice.degraded {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        lines.push(format!("  {}  {}", paint(yellow, "degraded"), sanitize(degraded)));
    }
    if !choice.overlay.is_empty() {
        let overlay = serde_json::Value::Object(choice.overlay.clone());
        lines.push(format!("  request   {}", sanitize(&overlay.to_string())));
    }
    let until = resolution.valid_until.map_or("the fleet file changes".to_owned(), |at| clock_face(at, fleet));
    lines.push(format!("  valid     until {until}"));
    lines.push(String::new());
    lines.join("\n")
}

/// Every candidate in the order in which they are asked.
pub fn render_candidates(resolution: &Resolution<'_>, width: u16, color: bool) -> String {
    let mut rows: Vec<(bool, usize, CandidateRow)> = Vec::new();
    if let Some(choice) = &resolution.choice {
        rows.push((false, choice.rank, chosen_row(resolution, choice)));
    }
    for other in &resolution.rejected {
        let tone = if other.reason.is_broken() { Tone::Bad } else { Tone::Dim };
        let told = other.detail.clone().unwrap_or_else(|| other.reason.sentence().to_owned());
        let by_window = other.reason == Reason::Window;
        let row = [
            (if by_window { "-".to_owned() } else { other.rank.to_string() }, Tone::Dim),
            (other.served.name.to_string(), Tone::Plain),
            (other.machine.name.to_string(), Tone::Plain),
            (other.reason.to_string(), tone),
            (told, Tone::Plain),
        ];
        rows.push((by_window, other.rank, row));
    }
    rows.sort_by_key(|(by_window, rank, _)| (*by_window, *rank));
    let mut grid = Grid::new(&["RANK", "NAME", "MACHINE", "VERDICT", "WHY"], width, color);
    for (_, _, row) in rows {
        grid.row(row);
    }
    grid.render()
}

fn chosen_row(resolution: &Resolution<'_>, choice: &Choice<'_>) -> CandidateRow {
    let (verdict, tone) = if choice.degraded.is_some() { ("degraded", Tone::Warn) } else { ("chosen", Tone::Good) };
    [
        (choice.rank.to_string(), Tone::Dim),
        (choice.served.name.to_string(), Tone::Strong),
        (choice.machine.name.to_string(), Tone::Strong),
        (verdict.to_owned(), tone),
        (resolution.reason.clone(), Tone::Plain),
    ]
}
