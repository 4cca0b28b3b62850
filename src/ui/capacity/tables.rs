//! The two tables of a window: what is resident, and what is loaded on demand.

use super::sentences::list;
use crate::capacity::{Footprint, Loadable, MachineCapacity, WindowCapacity};
use crate::fleet::Bytes;
use crate::schedule::load_seconds;
use crate::ui::clock_face::seconds;
use crate::ui::{Grid, Palette, Tone};

/// From this width on every term has a column of its own.
const WIDE: u16 = 110;

/// What is resident, term by term.
pub(super) fn residents(capacity: &MachineCapacity, window: &WindowCapacity, width: u16, palette: Palette) -> String {
    let is_wide = width >= WIDE;
    let headings: &[&str] = if is_wide {
        &["RESIDENT", ">WEIGHTS", ">DRAFT", ">KV CACHE", ">STATE", ">SCRATCH", ">CONTEXT", ">LARGEST", "SHAPE BY"]
    } else {
        &["RESIDENT", ">WEIGHTS", ">DRAFT", ">KV+STATE", ">SCRATCH", ">CONTEXT", ">LARGEST"]
    };
    let mut grid = Grid::new(headings, width, palette.is_colored());
    for resident in &window.resident {
        let Some(footprint) = capacity.footprint(&resident.served) else { continue };
        let mut row = vec![
            (footprint.served.to_string(), Tone::Strong),
            (footprint.weights_bytes.to_string(), Tone::Plain),
            some_bytes(footprint.draft_bytes.get()),
        ];
        if is_wide {
            row.push(maybe_bytes(footprint.kv_bytes));
            row.push(maybe_bytes(footprint.state_bytes));
        } else {
            row.push(maybe_bytes(
                footprint.kv_bytes.zip(footprint.state_bytes).map(|(kv, state)| kv.saturating_add(state)),
            ));
        }
        row.push(maybe_bytes(footprint.scratch_bytes));
        row.push((declared_context(footprint), Tone::Plain));
        row.push(largest(resident.largest_context, footprint));
        if is_wide {
            row.push((footprint.source.as_str().to_owned(), Tone::Dim));
        }
        grid.row(row);
    }
    grid.render()
}

/// What a request may load, and what leaves for it.
pub(super) fn on_demand(capacity: &MachineCapacity, window: &WindowCapacity, width: u16, palette: Palette) -> String {
    let mut grid =
        Grid::new(&["ON DEMAND", ">TAKES", "LOADS", ">CONTEXT", ">LARGEST", "EVICTS"], width, palette.is_colored());
    for loadable in &window.loadable {
        let Some(footprint) = capacity.footprint(&loadable.served) else { continue };
        let evicts = list(&loadable.evicts);
        grid.row([
            (footprint.served.to_string(), Tone::Strong),
            (footprint.estimated.to_string(), Tone::Plain),
            loads(footprint, loadable),
            (declared_context(footprint), Tone::Plain),
            largest(loadable.largest_context, footprint),
            if evicts.is_empty() { ("-".to_owned(), Tone::Dim) } else { (evicts, Tone::Plain) },
        ]);
    }
    grid.render()
}

fn some_bytes(bytes: u64) -> (String, Tone) {
    if bytes == 0 { ("-".to_owned(), Tone::Dim) } else { (Bytes(bytes).to_string(), Tone::Plain) }
}

fn maybe_bytes(bytes: Option<u64>) -> (String, Tone) {
    bytes.map_or_else(|| ("unknown".to_owned(), Tone::Dim), some_bytes)
}

fn declared_context(footprint: &Footprint) -> String {
    match footprint.concurrency {
        1 => footprint.context.to_string(),
        many => format!("{many} × {}", footprint.context),
    }
}

/// The largest context of one request; less than the declared one deserves a look.
fn largest(tokens: Option<u64>, footprint: &Footprint) -> (String, Tone) {
    match tokens {
        None => ("-".to_owned(), Tone::Dim),
        Some(tokens) if tokens < footprint.context => (tokens.to_string(), Tone::Warn),
        Some(tokens) => (tokens.to_string(), Tone::Plain),
    }
}

fn loads(footprint: &Footprint, loadable: &Loadable) -> (String, Tone) {
    if !loadable.fits {
        return ("no room".to_owned(), Tone::Bad);
    }
    (format!("yes, {}", seconds(load_seconds(Bytes(footprint.loaded_bytes())))), Tone::Good)
}
