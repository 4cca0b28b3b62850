//! `models` for people: a matrix of weights and machines, what is lacking, what lies there for nobody.

use super::json::{MachineModels, ModelsDocument, PruneDocument, SyncDocument, WeightsEntry};
use super::{Grid, Palette, Tone, sanitize};
use crate::fleet::Bytes;

/// Columns between two of the matrix.
const GAP: usize = 2;
/// No column of a machine is narrower: `incomplete`, `1023.9 GiB`.
const NARROWEST: usize = 10;
/// Missing files that are named one by one.
const NAMED: usize = 3;

/// One column of the matrix.
struct Column<'a> {
    heading: &'a str,
    weights: Option<&'a [WeightsEntry]>,
    free: Option<u64>,
}

/// The matrix, in as many blocks as the width takes, then what needs words.
pub fn models_text(document: &ModelsDocument, width: u16, color: bool) -> String {
    let of_machine = |machine: &'_ MachineModels| machine.detail.is_none();
    let mut columns: Vec<Column<'_>> = document
        .machines
        .iter()
        .map(|machine| Column {
            heading: &machine.name,
            weights: of_machine(machine).then_some(machine.weights.as_slice()),
            free: machine.free_bytes,
        })
        .collect();
    if let Some(hub) = &document.hub {
        let weights = hub.detail.is_none().then_some(hub.weights.as_slice());
        columns.push(Column { heading: "hub", weights, free: None });
    }
    let rows = rows(document);
    if rows.is_empty() {
        return "the fleet declares no weights, and the machines hold none\n".to_owned();
    }
    let first = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0).max("WEIGHTS".len());
    let fixed = first + GAP + "DECLARED".len() + GAP;
    let wide = |column: &Column<'_>| column.heading.chars().count().max(NARROWEST) + GAP;
    let mut text = String::new();
    let mut rest = columns.as_slice();
    while !rest.is_empty() {
        let mut used = fixed;
        let fitting = rest.iter().take_while(|column| {
            used += wide(column);
            used <= usize::from(width)
        });
        let (block, after) = rest.split_at(fitting.count().max(1));
        rest = after;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&matrix(&rows, block, width, color));
    }
    text.push_str(&words(document, Palette::new(color)));
    text
}

/// The label of each row, and what it is about: declared weights in their order, then what nobody declares.
fn rows(document: &ModelsDocument) -> Vec<(String, WeightsEntry)> {
    let mut rows: Vec<(String, WeightsEntry)> = Vec::new();
    let hub = document.hub.iter().flat_map(|hub| &hub.weights);
    let all = document.machines.iter().flat_map(|machine| &machine.weights).chain(hub);
    let mut undeclared: Vec<(String, WeightsEntry)> = Vec::new();
    for entry in all {
        let (list, label) = match &entry.name {
            Some(name) => (&mut rows, name),
            None => (&mut undeclared, &entry.directory),
        };
        if !list.iter().any(|(_, known)| known.directory == entry.directory) {
            list.push((sanitize(label), entry.clone()));
        }
    }
    undeclared.sort_by(|one, other| one.0.cmp(&other.0));
    rows.append(&mut undeclared);
    rows
}

fn matrix(rows: &[(String, WeightsEntry)], columns: &[Column<'_>], width: u16, color: bool) -> String {
    let right: Vec<String> = columns.iter().map(|column| format!(">{}", column.heading)).collect();
    let headings: Vec<&str> = ["WEIGHTS", ">DECLARED"].into_iter().chain(right.iter().map(String::as_str)).collect();
    let mut grid = Grid::new(&headings, width, color);
    for (label, row) in rows {
        let declared = row.declared_bytes.map_or("-".to_owned(), |bytes| Bytes(bytes).to_string());
        let mut cells = vec![(label.clone(), Tone::Strong), (declared, Tone::Dim)];
        cells.extend(columns.iter().map(|column| match column.weights {
            None => ("?".to_owned(), Tone::Warn),
            Some(weights) => cell(weights.iter().find(|entry| entry.directory == row.directory)),
        }));
        grid.row(cells);
    }
    let free = |column: &Column<'_>| (column.free.map_or(String::new(), |free| Bytes(free).to_string()), Tone::Dim);
    let mut last = vec![("free".to_owned(), Tone::Dim), (String::new(), Tone::Dim)];
    if columns.iter().any(|column| column.free.is_some()) {
        last.extend(columns.iter().map(free));
        grid.row(last);
    }
    grid.render()
}

fn cell(entry: Option<&WeightsEntry>) -> (String, Tone) {
    let Some(entry) = entry else { return ("-".to_owned(), Tone::Dim) };
    let size = entry.bytes.map_or("?".to_owned(), |bytes| Bytes(bytes).to_string());
    match entry.state {
        "complete" => (size, Tone::Good),
        "orphaned" => (format!("{size}\norphaned"), Tone::Warn),
        "absent" => ("absent".to_owned(), Tone::Bad),
        _ => (format!("{size}\nincomplete"), Tone::Bad),
    }
}

/// What the matrix cannot say: who did not answer, which files are missing, what to do.
fn words(document: &ModelsDocument, palette: Palette) -> String {
    let mut lines: Vec<String> = Vec::new();
    for machine in &document.machines {
        if let Some(detail) = &machine.detail {
            lines.push(format!("{}: {}", machine.name, palette.bad(&sanitize(detail))));
        }
        lines.extend(machine.weights.iter().filter_map(|entry| incomplete(&machine.name, entry)));
    }
    if let Some(hub) = &document.hub {
        if let Some(detail) = &hub.detail {
            lines.push(format!("hub ({}): {}", hub.machine, palette.bad(&sanitize(detail))));
        }
        lines.extend(hub.weights.iter().filter_map(|entry| incomplete("hub", entry)));
    }
    let with = |states: &[&str]| {
        document
            .machines
            .iter()
            .flat_map(|machine| &machine.weights)
            .filter(|entry| states.contains(&entry.state))
            .count()
    };
    let lacking = with(&["absent", "incomplete"]);
    if lacking > 0 && document.hub.is_some() {
        lines.push(format!("{lacking} lacking: fleetctl models sync copies them from the hub"));
    } else if lacking > 0 {
        lines.push(format!("{lacking} lacking: download them there, or declare a [hub] to copy them from"));
    }
    let orphaned = with(&["orphaned"]);
    if orphaned > 0 {
        lines.push(format!("{orphaned} orphaned: fleetctl models prune lists them, and removes those that are named"));
    }
    if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) }
}

fn incomplete(place: &str, entry: &WeightsEntry) -> Option<String> {
    if entry.state != "incomplete" {
        return None;
    }
    let mut files: Vec<String> = entry.missing.iter().take(NAMED).map(|file| sanitize(file)).collect();
    if entry.missing.len() > NAMED {
        files.push(format!("{} more", entry.missing.len() - NAMED));
    }
    let what = if files.is_empty() {
        "no readable config.json or no safetensors".to_owned()
    } else {
        format!("lacks {}", files.join(", "))
    };
    Some(format!("{place}: {}: {what}", sanitize(&entry.directory)))
}

/// What a sync did, a line each.
pub fn sync_text(document: &SyncDocument, width: u16, color: bool) -> String {
    if document.transfers.is_empty() {
        return "no weights are needed there\n".to_owned();
    }
    let mut grid = Grid::new(&["MACHINE", "WEIGHTS", "RESULT", ">SIZE", ">TOOK", "FROM"], width, color);
    for transfer in &document.transfers {
        let tone = match transfer.result {
            "copied" | "present" => Tone::Good,
            _ => Tone::Bad,
        };
        let took = transfer.seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1} s"));
        let size = transfer.bytes.map_or("-".to_owned(), |bytes| Bytes(bytes).to_string());
        grid.row([
            (transfer.machine.as_str(), Tone::Strong),
            (transfer.name.as_str(), Tone::Plain),
            (transfer.result, tone),
            (size.as_str(), Tone::Plain),
            (took.as_str(), Tone::Plain),
            (transfer.source.unwrap_or("-"), Tone::Dim),
        ]);
    }
    let mut text = grid.render();
    let details: Vec<String> = document
        .transfers
        .iter()
        .filter_map(|transfer| {
            let detail = transfer.detail.as_ref()?;
            Some(format!("{}: {}: {}\n", transfer.machine, transfer.name, sanitize(detail)))
        })
        .collect();
    if !details.is_empty() {
        text.push('\n');
        text.push_str(&details.concat());
    }
    text
}

/// What nothing needs, and what became of what was named.
pub fn prune_text(document: &PruneDocument, width: u16, color: bool) -> String {
    let mut grid = Grid::new(&["MACHINE", "DIRECTORY", ">SIZE", "STATE"], width, color);
    let mut rows = 0;
    let mut lines: Vec<String> = Vec::new();
    for machine in &document.machines {
        for entry in &machine.orphaned {
            let is_removed = machine.removed.contains(&entry.directory);
            let size = entry.bytes.map_or("?".to_owned(), |bytes| Bytes(bytes).to_string());
            let (state, tone) = if is_removed { ("removed", Tone::Good) } else { ("orphaned", Tone::Warn) };
            grid.row([
                (machine.name.as_str(), Tone::Strong),
                (entry.directory.as_str(), Tone::Plain),
                (size.as_str(), Tone::Plain),
                (state, tone),
            ]);
            rows += 1;
        }
        lines.extend(machine.kept.iter().map(|kept| format!("{}: {}", machine.name, sanitize(kept))));
        lines.extend(machine.detail.iter().map(|detail| format!("{}: {}", machine.name, sanitize(detail))));
    }
    let mut text = if rows > 0 { grid.render() } else { "nothing is orphaned\n".to_owned() };
    if !lines.is_empty() {
        text.push_str(&format!("\n{}\n", lines.join("\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::json::HubModels;
    use super::*;

    fn entry(name: Option<&str>, directory: &str, state: &'static str, gib: Option<u64>) -> WeightsEntry {
        WeightsEntry {
            name: name.map(str::to_owned),
            directory: directory.to_owned(),
            state,
            bytes: gib.map(|gib| gib << 30),
            declared_bytes: name.map(|_| 27 << 30),
            missing: if state == "incomplete" { vec!["m-2.safetensors".to_owned()] } else { Vec::new() },
            served: Vec::new(),
        }
    }

    fn document() -> ModelsDocument {
        let machine = |name: &str, weights: Vec<WeightsEntry>| MachineModels {
            name: name.to_owned(),
            detail: weights.is_empty().then(|| "no answer\u{1b}[2J".to_owned()),
            directory: "/Users/ops/models".to_owned(),
            free_bytes: (!weights.is_empty()).then_some(100 << 30),
            weights,
        };
        ModelsDocument {
            schema: "fleetctl.models/1",
            machines: vec![
                machine(
                    "mac-studio1",
                    vec![
                        entry(Some("dense"), "D", "complete", Some(27)),
                        entry(None, "old\u{1b}", "orphaned", Some(3)),
                    ],
                ),
                machine("mac-mini3", vec![entry(Some("dense"), "D", "incomplete", Some(12))]),
                machine("mac-mini1", vec![entry(Some("edge"), "E", "absent", None)]),
                machine("mac-mini2", Vec::new()),
            ],
            hub: Some(HubModels {
                machine: "mac-studio1".to_owned(),
                path: "/Volumes/OWC/models".to_owned(),
                detail: None,
                weights: vec![entry(Some("dense"), "D", "complete", Some(27))],
            }),
        }
    }

    #[test]
    fn the_matrix_at_80_and_at_160() {
        insta::assert_snapshot!(models_text(&document(), 80, false), @r"
        WEIGHTS    DECLARED  mac-studio1   mac-mini3  mac-mini1  mac-mini2
        dense      27.0 GiB     27.0 GiB    12.0 GiB          -          ?
                                          incomplete
        edge       27.0 GiB            -           -     absent          ?
        old\u{1b}         -      3.0 GiB           -          -          ?
                                orphaned
        free                   100.0 GiB   100.0 GiB  100.0 GiB

        WEIGHTS    DECLARED       hub
        dense      27.0 GiB  27.0 GiB
        edge       27.0 GiB         -
        old\u{1b}         -         -

        mac-mini3: D: lacks m-2.safetensors
        mac-mini2: no answer\u{1b}[2J
        2 lacking: fleetctl models sync copies them from the hub
        1 orphaned: fleetctl models prune lists them, and removes those that are named
        ");
        insta::assert_snapshot!(models_text(&document(), 160, false), @r"
        WEIGHTS    DECLARED  mac-studio1   mac-mini3  mac-mini1  mac-mini2       hub
        dense      27.0 GiB     27.0 GiB    12.0 GiB          -          ?  27.0 GiB
                                          incomplete
        edge       27.0 GiB            -           -     absent          ?         -
        old\u{1b}         -      3.0 GiB           -          -          ?         -
                                orphaned
        free                   100.0 GiB   100.0 GiB  100.0 GiB

        mac-mini3: D: lacks m-2.safetensors
        mac-mini2: no answer\u{1b}[2J
        2 lacking: fleetctl models sync copies them from the hub
        1 orphaned: fleetctl models prune lists them, and removes those that are named
        ");
    }
}
