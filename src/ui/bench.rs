//! `bench` for people: a table of what was measured, and plots of what was measured before.

use super::json::{BenchDocument, BenchEntry, SpreadEntry};
use super::wrap::paragraph;
use super::{Grid, Palette, Tone, sanitize};

/// Rows of a plot.
const HIGH: usize = 6;
/// Columns that the labels beside a plot take.
const LABEL: usize = 9;
/// A longer series shows its latest.
const LONGEST: usize = 200;

const FOOTNOTE: &str =
    "Speeds are tokens per second, median ± MAD of the runs; BOUND is what the memory's bandwidth allows.";

/// What was measured, a row each; below it what is to be said.
pub fn bench_text(document: &BenchDocument, width: u16, color: bool) -> String {
    let headings =
        ["NAME", "MACHINE", ">AT ONCE", ">FIRST TOKEN", ">PREFILL", ">DECODE", ">BOUND", ">SHARE", "VERDICT"];
    let mut grid = Grid::new(&headings, width, color);
    for entry in &document.results {
        let (decode, unit) = speed(entry);
        let bound = entry.bound.as_ref();
        let tone = if entry.verdict == "ok" { Tone::Good } else { Tone::Bad };
        grid.row([
            (entry.served.clone(), Tone::Strong),
            (entry.machine.clone(), Tone::Plain),
            (entry.concurrent.to_string(), Tone::Plain),
            (entry.ttft.map_or("-".to_owned(), |ttft| format!("{} s", with_spread(ttft, 2))), Tone::Plain),
            (entry.prefill_tps.map_or("-".to_owned(), |prefill| with_spread(prefill, 0)), Tone::Plain),
            (decode.map_or("-".to_owned(), |decode| format!("{}{unit}", with_spread(decode, 1))), Tone::Plain),
            (bound.map_or("-".to_owned(), |bound| format!("{:.0}", bound.tps)), Tone::Dim),
            (bound.map_or("-".to_owned(), |bound| percent(bound.share)), Tone::Plain),
            (entry.verdict.clone(), tone),
        ]);
    }
    let mut text = grid.render();
    let palette = Palette::new(color);
    let remarks: Vec<String> = document.results.iter().flat_map(|entry| remarks(entry, width, palette)).collect();
    if !remarks.is_empty() {
        text.push_str(&format!("\n{}", remarks.concat()));
    }
    let has_speed = document.results.iter().any(|entry| entry.decode_tps.is_some());
    if has_speed {
        text.push_str(&format!("\n{}", paragraph("", FOOTNOTE, width)));
    }
    text
}

fn speed(entry: &BenchEntry) -> (Option<SpreadEntry>, &'static str) {
    match (entry.decode_tps, entry.vectors_per_second) {
        (Some(decode), _) => (Some(decode), ""),
        (None, vectors) => (vectors, " vectors/s"),
    }
}

fn with_spread(spread: SpreadEntry, digits: usize) -> String {
    format!("{:.digits$} ±{:.digits$}", spread.median, spread.mad)
}

fn percent(share: f64) -> String {
    if share < 0.001 { "<0.1 %".to_owned() } else { format!("{:.*} %", usize::from(share < 0.1), share * 100.0) }
}

fn remarks(entry: &BenchEntry, width: u16, palette: Palette) -> Vec<String> {
    let lead = format!("{} on {}: ", entry.served, entry.machine);
    let said = |text: &str| paragraph(&lead, text, width);
    let mut remarks = Vec::new();
    if let Some(detail) = &entry.detail {
        let detail = said(detail);
        remarks.push(if entry.verdict == "ok" { detail } else { format!("{}\n", palette.bad(detail.trim_end())) });
    }
    if let Some((bound, accepted)) = entry.bound.as_ref().and_then(|bound| Some((bound, bound.accepted?))) {
        remarks.push(said(&format!(
            "speculative, {accepted:.1} accepted tokens a step; the bound counts every token of a block ({:.0} tok/s)",
            bound.tps
        )));
    }
    if let Some((bound, (low, high))) = entry.bound.as_ref().and_then(|bound| Some((bound, bound.usual?)))
        && bound.share < low / 2.0
    {
        remarks.push(said(&format!("such a model usually reaches {} to {} of the bound", percent(low), percent(high))));
    }
    remarks.extend(conditions(entry).iter().map(|text| said(text)));
    remarks
}

/// What was not as it should be for a measurement.
fn conditions(entry: &BenchEntry) -> Vec<String> {
    let conditions = &entry.conditions;
    let mut said = Vec::new();
    if conditions.in_flight.is_some_and(|requests| requests > 0) {
        said.push("the server was busy with other requests when it began".to_owned());
    }
    if let Some(beside) = conditions.beside.as_ref().filter(|beside| !beside.is_empty() && entry.concurrent == 1) {
        said.push(format!("loaded beside it: {}", beside.join(", ")));
    }
    if conditions.power_mode.as_deref() == Some("low") {
        said.push(format!("measured in Low Power Mode; `fleetctl doctor {}` says how to end it", entry.machine));
    }
    let heat = [&conditions.thermal_before, &conditions.thermal_after];
    if heat.iter().any(|heat| heat.as_deref().is_some_and(|heat| heat != "nominal")) {
        let [before, after] = heat.map(|heat| heat.as_deref().unwrap_or("not known"));
        said.push(format!("a hot chip runs slower: thermal pressure was {before} before, {after} after"));
    }
    said
}

/// A plot a name, machine and number at once: the measured speed over the results, oldest first.
pub fn history_plot(known: &[BenchEntry], width: u16, color: bool) -> String {
    let palette = Palette::new(color);
    let mut text = String::new();
    for (title, series) in series_of(known) {
        if !text.is_empty() {
            text.push('\n');
        }
        let values: Vec<f64> = series.iter().filter_map(|entry| speed(entry).0.map(|speed| speed.median)).collect();
        text.push_str(&palette.heading(&sanitize(&title)));
        text.push('\n');
        text.push_str(&plot(&values, usize::from(width)));
        let ends = [series.first(), series.last()].into_iter().flatten().map(|entry| day(&entry.at));
        let ends: Vec<String> = ends.collect();
        text.push_str(&format!("{}{}\n", " ".repeat(LABEL + 1), palette.dim(&ends.join(" to "))));
    }
    if text.is_empty() { "nothing was measured yet: fleetctl bench\n".to_owned() } else { text }
}

fn day(at: &str) -> String {
    sanitize(at.get(..16).unwrap_or(at)).replace('T', " ")
}

/// Results by what they are of, each with a title, in the order of the first one.
pub(super) fn series_of(known: &[BenchEntry]) -> Vec<(String, Vec<&BenchEntry>)> {
    let mut all: Vec<(String, Vec<&BenchEntry>)> = Vec::new();
    for entry in known.iter().filter(|entry| speed(entry).0.is_some()) {
        let unit = if entry.decode_tps.is_some() { "tok/s" } else { "vectors/s" };
        let many = if entry.concurrent > 1 { format!(", {} at once", entry.concurrent) } else { String::new() };
        let title = format!("{} on {}, {}{many}, {unit}", entry.served, entry.machine, entry.profile);
        match all.iter_mut().find(|(known, _)| *known == title) {
            Some((_, series)) => series.push(entry),
            None => all.push((title, vec![entry])),
        }
    }
    all
}

/// A column a value, from 0 to the largest; eighths of a row at the top of a column.
fn plot(values: &[f64], width: usize) -> String {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let room = width.saturating_sub(LABEL + 2).clamp(1, LONGEST);
    let shown = values.get(values.len().saturating_sub(room)..).unwrap_or(values);
    let most = shown.iter().copied().fold(0.0_f64, f64::max);
    let mut text = String::new();
    for row in (0..HIGH).rev() {
        let label = match row {
            top if top == HIGH - 1 => format!("{most:.1}"),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        text.push_str(&format!("{label:>LABEL$} "));
        for value in shown {
            #[expect(clippy::cast_precision_loss, reason = "six rows of eight")]
            let filled = if most > 0.0 { value / most * (HIGH * 8) as f64 - (row * 8) as f64 } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
            let eighths = filled.round().clamp(0.0, 8.0) as usize;
            text.push(EIGHTHS.get(eighths).copied().unwrap_or(' '));
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::json::{BoundEntry, Conditions};
    use super::*;

    fn entry(served: &str, concurrent: u32, decode: f64) -> BenchEntry {
        BenchEntry {
            at: "2026-05-01T10:00:00Z".to_owned(),
            slot: None,
            served: served.to_owned(),
            machine: "mac-studio1".to_owned(),
            model: "moe-35b".to_owned(),
            profile: "interactive".to_owned(),
            kind: "chat".to_owned(),
            concurrent,
            runs: 5,
            ttft: Some(SpreadEntry { median: 0.418, mad: 0.004 }),
            prefill_tps: Some(SpreadEntry { median: 1220.4, mad: 12.0 }),
            decode_tps: Some(SpreadEntry { median: decode, mad: 1.25 }),
            vectors_per_second: None,
            dimensions: None,
            bound: Some(BoundEntry {
                kind: "speculative".to_owned(),
                tps: 787.0,
                share: decode / 787.0,
                accepted: Some(decode / 49.2),
                usual: None,
                shape_by: Some("measured".to_owned()),
            }),
            conditions: Conditions { beside: Some(vec!["dense\u{1b}".to_owned()]), ..Conditions::default() },
            verdict: "ok".to_owned(),
            detail: None,
        }
    }

    fn document() -> BenchDocument {
        let vectors = BenchEntry {
            decode_tps: None,
            ttft: None,
            prefill_tps: None,
            bound: None,
            vectors_per_second: Some(SpreadEntry { median: 812.0, mad: 4.0 }),
            conditions: Conditions::default(),
            ..entry("embed-arctic", 1, 0.0)
        };
        let broken = BenchEntry {
            verdict: "below-expectation".to_owned(),
            detail: Some("chat-interactive expects 245 tok/s of decoding, measured 200.0".to_owned()),
            conditions: Conditions {
                power_mode: Some("low".to_owned()),
                thermal_before: Some("nominal".to_owned()),
                thermal_after: Some("heavy".to_owned()),
                ..entry("", 1, 1.0).conditions
            },
            ..entry("moe-dflash", 1, 200.0)
        };
        BenchDocument { schema: "fleetctl.bench/1", taken_at: String::new(), results: vec![broken, vectors] }
    }

    #[test]
    fn the_table() {
        insta::assert_snapshot!(bench_text(&document(), 120, false), @r"
        NAME          MACHINE      AT ONCE   FIRST TOKEN   PREFILL                DECODE  BOUND  SHARE  VERDICT
        moe-dflash    mac-studio1        1  0.42 ±0.00 s  1220 ±12            200.0 ±1.2    787   25 %  below-expectation
        embed-arctic  mac-studio1        1             -         -  812.0 ±4.0 vectors/s      -      -  ok

        moe-dflash on mac-studio1: chat-interactive expects 245 tok/s of decoding, measured 200.0
        moe-dflash on mac-studio1: speculative, 4.1 accepted tokens a step; the bound counts every token of a block (787 tok/s)
        moe-dflash on mac-studio1: loaded beside it: dense\u{1b}
        moe-dflash on mac-studio1: measured in Low Power Mode; `fleetctl doctor mac-studio1` says how to end it
        moe-dflash on mac-studio1: a hot chip runs slower: thermal pressure was nominal before, heavy after

        Speeds are tokens per second, median ± MAD of the runs; BOUND is what the memory's bandwidth allows.
        ");
    }

    #[test]
    fn the_table_fits_a_narrow_terminal() {
        for width in [80, 100, 120] {
            let text = bench_text(&document(), width, false);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{text}");
        }
    }

    #[test]
    fn the_plot_fits_its_width() {
        let known: Vec<BenchEntry> = (0..300).map(|n| entry("moe", 1, 200.0 + f64::from(n % 40))).collect();
        let text = history_plot(&known, 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let few: Vec<BenchEntry> = [250.0, 252.0, 120.0].into_iter().map(|speed| entry("moe", 1, speed)).collect();
        insta::assert_snapshot!(history_plot(&few, 80, false), @r"
        moe on mac-studio1, interactive, tok/s
            252.0 ██
                  ██
                  ██
                  ██▇
                  ███
                0 ███
                  2026-05-01 10:00 to 2026-05-01 10:00
        ");
        assert_eq!(history_plot(&[], 80, false), "nothing was measured yet: fleetctl bench\n");
    }
}
