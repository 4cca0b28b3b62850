//! The history as one self-contained page: charts drawn here as SVG, so that it opens without a network and without a script.

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::bench::series_of;
use super::json::{BenchEntry, Conditions};

/// Autoescaping follows the name.
const NAME: &str = "bench.html";
const TEMPLATE: &str = include_str!("../../templates/bench.html");
/// A chart's inner size.
const WIDE: f64 = 420.0;
const HIGH: f64 = 160.0;
/// Rows of the table, the latest first.
const ROWS: usize = 100;

/// The page. A template of ours that does not render is a bug; the page then says so.
pub fn bench_page(fleet: &str, known: &[BenchEntry], now: Timestamp) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let charts: Vec<Value> = series_of(known).iter().map(|(title, series)| chart(title, series)).collect();
    let rows: Vec<Value> = known.iter().rev().take(ROWS).map(row).collect();
    let rendered =
        environment.add_template(NAME, TEMPLATE).and_then(|()| environment.get_template(NAME)).and_then(|template| {
            template.render(context! { fleet, at => now.to_string(), charts, rows, wide => WIDE, high => HIGH })
        });
    rendered.unwrap_or_else(|error| format!("<!doctype html><p>a bug in fleetctl: {error}"))
}

fn speed(entry: &BenchEntry) -> f64 {
    entry.decode_tps.or(entry.vectors_per_second).map_or(0.0, |speed| speed.median)
}

/// A line from 0 to the largest value, a dot a result, and the bound where all of it fits.
fn chart(title: &str, series: &[&BenchEntry]) -> Value {
    let most = series.iter().map(|entry| speed(entry)).fold(0.0_f64, f64::max).max(1e-9);
    #[expect(clippy::cast_precision_loss, reason = "results are far below 2^53")]
    let step = if series.len() > 1 { WIDE / (series.len() - 1) as f64 } else { 0.0 };
    let mut x = 0.0;
    let mut points = Vec::new();
    for entry in series {
        let y = HIGH - speed(entry) / most * HIGH;
        let is_bad = entry.verdict != "ok";
        points.push(context! {
            x => round(x), y => round(y), bad => is_bad, said => format!("{}: {:.1}, {}", entry.at, speed(entry), entry.verdict),
        });
        x += step;
    }
    let line: Vec<String> = points
        .iter()
        .filter_map(|point| Some(format!("{},{}", point.get_attr("x").ok()?, point.get_attr("y").ok()?)))
        .collect();
    let last = series.last().map_or(0.0, |entry| speed(entry));
    context! {
        title, line => line.join(" "), points, most => format!("{most:.1}"), last => format!("{last:.1}"),
        first_at => series.first().map(|entry| entry.at.clone()), last_at => series.last().map(|entry| entry.at.clone()),
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The power mode, and how hot it was at the end.
fn power(conditions: &Conditions) -> String {
    let known = [&conditions.power_mode, &conditions.thermal_after].into_iter().flatten();
    let known: Vec<&str> = known.map(String::as_str).collect();
    if known.is_empty() { "–".to_owned() } else { known.join(", ") }
}

fn row(entry: &BenchEntry) -> Value {
    let number = |value: Option<super::json::SpreadEntry>, digits: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{:.digits$} ± {:.digits$}", value.median, value.mad))
    };
    let bound = entry.bound.as_ref();
    context! {
        at => &entry.at, served => &entry.served, machine => &entry.machine, profile => &entry.profile, concurrent => entry.concurrent,
        ttft => number(entry.ttft, 3), prefill => number(entry.prefill_tps, 0), speed => number(entry.decode_tps.or(entry.vectors_per_second), 1),
        share => bound.map_or_else(|| "–".to_owned(), |bound| format!("{:.1} % of {:.0}", bound.share * 100.0, bound.tps)),
        release => entry.conditions.release.clone().unwrap_or_else(|| "–".to_owned()),
        power => power(&entry.conditions),
        prompt => entry.conditions.prompt_tokens.map_or_else(|| "–".to_owned(), |tokens| tokens.to_string()),
        verdict => &entry.verdict, detail => entry.detail.clone().unwrap_or_default(),
    }
}
