//! The report as one self-contained page: charts drawn here as SVG, so that it opens without a network and without a script.

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::ShadowAnswer;
use super::clock_face::clock_face;
use super::shadow::{Unit, look_lines, looks_heading, methods, other_measures, remarks, sample};
use crate::fleet::{Fleet, Rung};
use crate::shadow::statistics::{TWO_SIDED, wilson};
use crate::shadow::{Pair, Verdict, thinned};

/// Autoescaping follows the name.
const NAME: &str = "shadow-report.html";
const TEMPLATE: &str = include_str!("../../templates/shadow-report.html");
/// Dots of the scatter at most: more would be one blot, and a page of megabytes.
const DOTS: usize = 1_500;
/// Points of the curve of agreement.
const STEPS: usize = 120;
/// Bars of the distribution of latencies.
const BARS: usize = 24;
/// A chart's inner size; the template leaves room around it for the labels.
const WIDE: f64 = 420.0;
const HIGH: f64 = 260.0;

#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

/// A scale from values to a length of the chart.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    length: f64,
    flipped: bool,
}

impl Scale {
    fn new(low: f64, high: f64, length: f64, flipped: bool) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, length, flipped }
    }

    fn at(self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let place = if self.flipped { 1.0 - share } else { share } * self.length;
        (place * 10.0).round() / 10.0
    }

    /// Five round numbers or fewer, and where they stand.
    fn ticks(self, show: impl Fn(f64) -> String) -> Vec<Value> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil() * step;
        (0..8)
            .map(|i| first + f64::from(i) * step)
            .take_while(|value| *value <= self.high + step * 1e-6)
            .map(|value| context! { at => self.at(value), label => show(value) })
            .collect()
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

fn whole_percent(value: f64) -> String {
    format!("{} %", short(value * 100.0))
}

/// The page. All text is escaped by the template engine.
pub fn render_shadow_page(answer: &ShadowAnswer<'_>, pairs: &[Pair], fleet: &Fleet, at: Timestamp) -> String {
    let shadow = answer.shadow;
    let valid: Vec<&Pair> = pairs.iter().filter(|pair| pair.is_valid()).collect();
    let requirements: Vec<Value> = answer.assessment.requirements.iter().map(|one| {
        let show = |value: Option<f64>| match (one.name, value) {
            ("latency", value) => Unit::Seconds.show(value),
            ("pearson", value) => Unit::Plain.show(value),
            (_, value) => Unit::Percent.show(value),
        };
        let title = match one.name {
            "pearson" => "Pearson’s r",
            "tier_agreement" => "Tier agreement",
            "latency" => "Latency, p95",
            _ => "Failure rate",
        };
        let interval = if one.name == "latency" && one.estimate.n < 59 { "n < 59".to_owned() } else { format!("{} to {}", show(one.estimate.low), show(one.estimate.high)) };
        context! {
            title, value => show(one.estimate.value), interval, needed => format!("{} {}", if one.at_most { "≤" } else { "≥" }, show(Some(one.threshold))),
            n => one.estimate.n, bound => one.bound.as_str(), point => one.point.as_str(), more => one.more,
        }
    }).collect();
    let others: Vec<Value> = other_measures(answer)
        .into_iter()
        .map(|row| context! { name => row.name, seen => row.seen, interval => row.interval, n => row.n })
        .collect();
    let headline = match answer.assessment.bound {
        Verdict::Pass => "The bounds satisfy every requirement.",
        Verdict::Fail => "Of at least one requirement the whole interval misses what is needed.",
        Verdict::Inconclusive => "The bounds do not decide yet.",
    };
    let decisions: Vec<Value> = answer.decisions.iter().rev().take(20).map(|one| context! {
        at => one.at.strftime("%Y-%m-%d %H:%M UTC").to_string(), kind => one.kind.as_str(), from => one.from.as_str(), to => one.to.as_str(),
        by => one.by.as_str(), pairs => one.pairs,
        why => one.evidence.get("missing").or_else(|| one.evidence.get("alarms")).and_then(serde_json::Value::as_array)
            .map(|all| all.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join("; ")).unwrap_or_default(),
    }).collect();
    let rungs: Vec<Value> = Rung::ALL
        .into_iter()
        .map(|rung| {
            context! {
                name => rung.as_str(), state => match rung.cmp(&shadow.rung) {
                    std::cmp::Ordering::Equal => "here",
                    std::cmp::Ordering::Less => "past",
                    std::cmp::Ordering::Greater => "ahead",
                },
            }
        })
        .collect();
    let values = context! {
        name => shadow.name.as_str(), slot => shadow.slot.as_str(), reference => shadow.reference.model.as_str(), fleet => fleet.name.as_str(), at => clock_face(at, fleet),
        fingerprint => answer.fingerprint.unwrap_or("none yet"), sample => sample(answer), rung => shadow.rung.as_str(),
        verdict => answer.assessment.bound.as_str(), point => answer.assessment.point.as_str(), headline, more => answer.assessment.more_pairs,
        requirements, others, methods => methods().into_iter().map(|(of, method)| context! { of, method }).collect::<Vec<Value>>(),
        remarks => remarks(answer), looks_heading => looks_heading(answer), looks => look_lines(answer),
        scatter => scatter(&valid), confusion => confusion(answer), time => over_time(&valid, shadow.require.tier_agreement),
        latency => latency(&valid, shadow.require.latency.map(|limit| limit.as_secs_f64())), coverage => coverage(answer),
        rungs, next => answer.next.map(|next| context! { name => next.rung.as_str(), missing => next.missing.clone() }), decisions,
        wide => WIDE, high => HIGH,
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let page = environment
        .add_template(NAME, TEMPLATE)
        .and_then(|()| environment.get_template(NAME))
        .and_then(|page| page.render(values));
    page.unwrap_or_else(|error| format!("the page cannot be drawn: {error:#}"))
}

/// Local against reference scores.
fn scatter(pairs: &[&Pair]) -> Value {
    let scores: Vec<(f64, f64, bool)> = pairs
        .iter()
        .filter_map(|pair| pair.both())
        .map(|(one, other)| (one.score, other.score, one.tier == other.tier))
        .collect();
    let all = || scores.iter().flat_map(|(x, y, _)| [*x, *y]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if scores.is_empty() {
        return Value::from(());
    }
    let margin = (high - low).max(1.0) * 0.03;
    let (x, y) =
        (Scale::new(low - margin, high + margin, HIGH, false), Scale::new(low - margin, high + margin, HIGH, true));
    let dots: Vec<Value> = thinned(scores.len(), DOTS)
        .into_iter()
        .filter_map(|place| scores.get(place))
        .map(|(one, other, agrees)| context! { x => x.at(*one), y => y.at(*other), kind => if *agrees { "yes" } else { "no" } })
        .collect();
    context! { dots, shown => scores.len().min(DOTS), all => scores.len(), x => x.ticks(short), y => y.ticks(short) }
}

/// Tier against tier, shaded by the share of its row.
fn confusion(answer: &ShadowAnswer<'_>) -> Value {
    let (tiers, measures) = (&answer.shadow.tiers, answer.measures);
    let rows: Vec<Value> = tiers
        .iter()
        .enumerate()
        .map(|(place, tier)| {
            let all = measures.of_tier(place);
            let share = |count: usize| if all == 0 { 0.0 } else { (float(count) / float(all) * 100.0).round() / 100.0 };
            let cells: Vec<Value> = (0..tiers.len())
                .map(|local| {
                    let count = measures.confusion.count(place, local);
                    context! { count, share => share(count), kind => if local == place { "yes" } else { "no" } }
                })
                .collect();
            let failed = measures.failed_by_tier.get(place).copied().unwrap_or_default();
            let recall = measures.tiers.get(place).map(|tier| tier.recall);
            let shown = |value: Option<f64>| value.map_or("–".to_owned(), whole_percent_rounded);
            context! {
                tier, cells, failed, failed_share => share(failed),
                recall => shown(recall.and_then(|recall| recall.value)),
                interval => recall.map_or(String::new(), |recall| format!("{} to {}", shown(recall.low), shown(recall.high))),
            }
        })
        .collect();
    context! { tiers, rows }
}

fn whole_percent_rounded(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

/// The running agreement with its interval.
fn over_time(pairs: &[&Pair], threshold: Option<f64>) -> Value {
    if pairs.len() < 10 {
        return Value::from(());
    }
    let mut agreeing = 0;
    let every = (pairs.len() / STEPS).max(1);
    let mut found: Vec<(usize, f64, f64, f64)> = Vec::new();
    for (place, pair) in pairs.iter().enumerate() {
        agreeing += usize::from(pair.agrees());
        let n = place + 1;
        if n >= 10
            && (n % every == 0 || n == pairs.len())
            && let Some(interval) = wilson(agreeing, n, TWO_SIDED)
        {
            found.push((n, float(agreeing) / float(n), interval.low, interval.high));
        }
    }
    let lowest = found.iter().map(|point| point.2).fold(threshold.unwrap_or(1.0), f64::min);
    let x = Scale::new(0.0, float(pairs.len()), WIDE, false);
    let y = Scale::new(((lowest * 20.0).floor() / 20.0 - 0.05).max(0.0), 1.0, HIGH, true);
    let line: Vec<String> = found.iter().map(|point| format!("{},{}", x.at(float(point.0)), y.at(point.1))).collect();
    let upper = found.iter().map(|point| format!("{},{}", x.at(float(point.0)), y.at(point.3)));
    let lower = found.iter().rev().map(|point| format!("{},{}", x.at(float(point.0)), y.at(point.2)));
    let band: Vec<String> = upper.chain(lower).collect();
    context! {
        line => line.join(" "), band => band.join(" "), x => x.ticks(short), y => y.ticks(whole_percent),
        threshold => threshold.map(|threshold| context! { at => y.at(threshold), label => whole_percent(threshold) }),
    }
}

/// Both sides' seconds as bars.
fn latency(pairs: &[&Pair], limit: Option<f64>) -> Value {
    let local: Vec<f64> = pairs.iter().filter_map(|pair| pair.local.latency()).collect();
    let reference: Vec<f64> = pairs.iter().filter_map(|pair| pair.reference.seconds).collect();
    if local.is_empty() {
        return Value::from(());
    }
    let most = local.iter().chain(&reference).copied().fold(0.0, f64::max);
    // The limit belongs into the picture, unless everything is far below it.
    let end = limit.filter(|limit| *limit <= most * 4.0).map_or(most, |limit| most.max(limit)) * 1.02;
    let x = Scale::new(0.0, end, WIDE, false);
    let count = |seconds: &[f64]| {
        let mut bars = vec![0_usize; BARS];
        for value in seconds {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the bars")]
            let place = ((value / end) * float(BARS)) as usize;
            bars[place.min(BARS - 1)] += 1;
        }
        bars
    };
    let (local_bars, reference_bars) = (count(&local), count(&reference));
    let tallest = local_bars.iter().chain(&reference_bars).copied().max().unwrap_or(1);
    let y = Scale::new(0.0, float(tallest), HIGH, true);
    let width = WIDE / float(BARS);
    let draw = |bars: &[usize], shift: f64| -> Vec<Value> {
        bars.iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(place, count)| {
                let top = y.at(float(*count));
                context! { x => ((float(place) * width + shift) * 10.0).round() / 10.0, y => top, width => ((width / 2.0 - 1.0) * 10.0).round() / 10.0, height => HIGH - top, count => *count }
            })
            .collect()
    };
    context! {
        local => draw(&local_bars, 1.0), reference => draw(&reference_bars, width / 2.0 + 0.5), x => x.ticks(|value| format!("{} s", short(value))), y => y.ticks(short),
        limit => limit.filter(|limit| *limit <= end).map(|limit| context! { at => x.at(limit), label => format!("limit {} s", short(limit)) }),
    }
}

/// How much is easy against how often it is wrong.
fn coverage(answer: &ShadowAnswer<'_>) -> Value {
    let curve = &answer.easy.curve;
    if curve.is_empty() {
        return Value::from(());
    }
    let (widest, worst) =
        curve.iter().fold((0.0_f64, 0.05_f64), |(c, r), point| (c.max(point.coverage), r.max(point.risk)));
    let x = Scale::new(0.0, widest, WIDE, false);
    let y = Scale::new(0.0, worst * 1.1, HIGH, true);
    let points: Vec<Value> = curve
        .iter()
        .map(|point| {
            context! { x => x.at(point.coverage), y => y.at(point.risk), label => format!("distance {}: {} of the items, {} wrong of {}", short(point.distance), whole_percent_rounded(point.coverage), whole_percent(point.risk), point.n) }
        })
        .collect();
    let line: Vec<String> =
        curve.iter().map(|point| format!("{},{}", x.at(point.coverage), y.at(point.risk))).collect();
    context! { points, line => line.join(" "), x => x.ticks(whole_percent), y => y.ticks(whole_percent), limit => context! { at => y.at(0.05), label => "5 %" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let scale = Scale::new(0.0, 97.0, 100.0, false);
        let labels: Vec<String> = scale
            .ticks(short)
            .iter()
            .map(|tick| tick.get_attr("label").map(|l| l.to_string()).unwrap_or_default())
            .collect();
        assert_eq!(labels, ["0", "25", "50", "75"]);
        assert_eq!((scale.at(-5.0), scale.at(97.0)), (0.0, 100.0));
        assert_eq!((short(0.0), short(2.50), short(1e3)), ("0".into(), "2.5".into(), "1000".into()));
    }
}
