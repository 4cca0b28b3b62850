//! `shadow report` for people: a verdict first, then what it rests on.

use super::{Grid, Tone, sanitize};
use crate::fleet::Shadow;
use crate::shadow::statistics::{ALPHA, RESAMPLES};
use crate::shadow::{Assessment, Decision, Easy, Estimate, Looks, Measures, NextRung, PER_TIER, Verdict};

/// What the report is made of.
#[derive(Clone, Copy, Debug)]
pub struct ShadowAnswer<'a> {
    /// The calibration.
    pub shadow: &'a Shadow,
    /// The experiment's fingerprint; none before the first pair.
    pub fingerprint: Option<&'a str>,
    /// How many other experiments there are.
    pub others: usize,
    /// How many pairs the guard's last demotion left behind.
    pub earlier: usize,
    /// How many different inputs the pairs rest on.
    pub inputs: usize,
    /// What was measured.
    pub measures: &'a Measures,
    /// Held to the requirements.
    pub assessment: &'a Assessment,
    /// The easy items.
    pub easy: &'a Easy,
    /// The looks.
    pub looks: &'a Looks,
    /// The rung above.
    pub next: Option<&'a NextRung>,
    /// The decisions.
    pub decisions: &'a [Decision],
    /// What the reference took, where it is priced.
    pub money: Option<f64>,
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::Inconclusive => Tone::Warn,
    }
}

/// A share in percent; below a hundred pairs a decimal would be pretence, but thresholds have them.
pub(super) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "none".to_owned();
    }
    let tenths = part * 1_000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// How a measure is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Plain,
    Percent,
    Seconds,
}

impl Unit {
    pub(super) fn show(self, value: Option<f64>) -> String {
        match (self, value) {
            (_, None) => "–".to_owned(),
            (Self::Plain, Some(value)) => format!("{value:.3}"),
            (Self::Percent, Some(value)) => format!("{:.1} %", value * 100.0),
            // A small model's answers take milliseconds.
            (Self::Seconds, Some(value)) if value < 1.0 => format!("{value:.3} s"),
            (Self::Seconds, Some(value)) => format!("{value:.1} s"),
        }
    }

    fn interval(self, estimate: Estimate) -> String {
        match (estimate.low, estimate.high) {
            (None, None) => "–".to_owned(),
            (Some(low), None) => format!("≥ {}", self.show(Some(low))),
            (low, high) => format!("{} to {}", self.show(low), self.show(high)),
        }
    }
}

/// The whole report.
pub fn render_shadow(answer: &ShadowAnswer<'_>, width: u16, color: bool) -> String {
    let ShadowAnswer { shadow, measures, assessment, .. } = *answer;
    let paint = |tone: Tone, text: &str| {
        let style = match tone {
            Tone::Good => anstyle::AnsiColor::Green.on_default().bold(),
            Tone::Bad => anstyle::AnsiColor::Red.on_default().bold(),
            Tone::Warn => anstyle::AnsiColor::Yellow.on_default().bold(),
            _ => anstyle::Style::new().bold(),
        };
        if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut text = format!(
        "{}: {} → {}, rung {}\n",
        paint(Tone::Strong, shadow.name.as_str()),
        sanitize(&shadow.reference.model),
        shadow.slot,
        shadow.rung.as_str()
    );
    let Some(fingerprint) = answer.fingerprint else {
        text.push_str(&format!("no pairs yet: fleetctl shadow run {} --input FILE.jsonl\n", shadow.name));
        return text;
    };
    let others =
        if answer.others > 0 { format!(", {} earlier or parallel experiments", answer.others) } else { String::new() };
    text.push_str(&format!("experiment {fingerprint}{others}\n"));
    let earlier = if answer.earlier > 0 {
        format!(", {} more from before the guard demoted it, which count no longer", answer.earlier)
    } else {
        String::new()
    };
    text.push_str(&format!("{}{earlier}\n\n", sample(answer)));
    text.push_str(&format!(
        "by bounds  {}\nby points  {}\n",
        paint(tone(assessment.bound), assessment.bound.as_str()),
        paint(tone(assessment.point), assessment.point.as_str())
    ));
    match assessment.more_pairs {
        Some(more) => text.push_str(&format!("           {more} more pairs decide at this rate\n")),
        None if assessment.bound == Verdict::Inconclusive => {
            text.push_str("           at this rate no number of pairs decides it\n");
        }
        None => {}
    }
    text.push('\n');
    text.push_str(&requirements(assessment, width, color));
    text.push('\n');
    text.push_str(&others_table(answer, width, color));
    text.push('\n');
    text.push_str(&confusion(shadow, measures, width, color));
    text.push_str("\nintervals, at 95 %\n");
    for (of, method) in methods() {
        text.push_str(&format!("  {of:<22}  {method}\n"));
    }
    text.push_str(&notes(answer));
    text.push_str(&looks_text(answer));
    text.push_str(&ladder(answer));
    text
}

fn requirements(assessment: &Assessment, width: u16, color: bool) -> String {
    let mut grid =
        Grid::new(&["REQUIREMENT", ">SEEN", "INTERVAL", ">NEEDED", ">N", "BY BOUNDS", "BY POINTS"], width, color);
    for one in &assessment.requirements {
        let unit = match one.name {
            "pearson" => Unit::Plain,
            "latency" => Unit::Seconds,
            _ => Unit::Percent,
        };
        let sign = if one.at_most { "≤" } else { "≥" };
        let interval = match one.name {
            "latency" if one.estimate.n < 59 => "n<59".to_owned(),
            _ => unit.interval(one.estimate),
        };
        let bound = match one.more {
            Some(more) => format!("{}, {more} more", one.bound.as_str()),
            None => one.bound.as_str().to_owned(),
        };
        let name = if one.name == "latency" { "latency (p95)" } else { one.name };
        grid.row([
            (name.to_owned(), Tone::Strong),
            (unit.show(one.estimate.value), Tone::Plain),
            (interval, Tone::Plain),
            (format!("{sign} {}", unit.show(Some(one.threshold))), Tone::Plain),
            (one.estimate.n.to_string(), Tone::Dim),
            (bound, tone(one.bound)),
            (one.point.as_str().to_owned(), tone(one.point)),
        ]);
    }
    grid.render()
}

fn others_table(answer: &ShadowAnswer<'_>, width: u16, color: bool) -> String {
    let mut grid = Grid::new(&["MEASURE", ">SEEN", "INTERVAL", ">N"], width, color);
    for MeasureRow { name, seen, interval, n } in other_measures(answer) {
        grid.row([(name, Tone::Plain), (seen, Tone::Plain), (interval, Tone::Plain), (n.to_string(), Tone::Dim)]);
    }
    grid.render()
}

/// A measure without a requirement, as it is written.
pub(super) struct MeasureRow {
    pub(super) name: String,
    pub(super) seen: String,
    pub(super) interval: String,
    pub(super) n: usize,
}

/// What no requirement is made of, and a sceptic wants to see.
pub(super) fn other_measures(answer: &ShadowAnswer<'_>) -> Vec<MeasureRow> {
    let ShadowAnswer { shadow, measures, .. } = *answer;
    let mut rows = Vec::new();
    let mut row = |name: &str, unit: Unit, estimate: Estimate| {
        let (seen, interval) = (unit.show(estimate.value), unit.interval(estimate));
        rows.push(MeasureRow { name: name.to_owned(), seen, interval, n: estimate.n });
    };
    row("Spearman", Unit::Plain, measures.spearman);
    row("Lin's concordance", Unit::Plain, measures.concordance);
    row("bias (local − reference)", Unit::Plain, measures.bias);
    row("mean absolute error", Unit::Plain, measures.mean_absolute_error);
    row("weighted kappa", Unit::Plain, measures.weighted_kappa);
    if let (Some(last), better) = (shadow.tiers.last(), &shadow.tiers[..shadow.tiers.len() / 2]) {
        let better: Vec<_> = better.iter().map(|tier| sanitize(tier)).collect();
        row(&format!("{} called {}", better.join(", "), sanitize(last)), Unit::Percent, measures.false_last);
    }
    let alone = |value, n| Estimate { value, low: None, high: None, n };
    if let Some(found) = measures.latency {
        row("latency p50", Unit::Seconds, alone(Some(found.p50), found.n));
        row("latency p99", Unit::Seconds, alone(Some(found.p99), found.n));
    }
    if let Some(found) = measures.reference_latency {
        row("reference's p95", Unit::Seconds, alone(Some(found.p95), found.n));
    }
    if let Some(noise) = measures.noise {
        row("reference with itself", Unit::Percent, noise.agreement);
        row("reference with itself, r", Unit::Plain, alone(noise.pearson, noise.agreement.n));
        row("r without that noise", Unit::Plain, alone(noise.disattenuated, noise.agreement.n));
    }
    rows
}

/// What the numbers rest on.
pub(super) fn sample(answer: &ShadowAnswer<'_>) -> String {
    let Measures { pairs, void, .. } = answer.measures;
    format!("{pairs} pairs of {} different inputs, {void} void (the reference failed)", answer.inputs)
}

/// What each interval is of, and how it is made.
pub(super) fn methods() -> [(&'static str, String); 6] {
    let text = str::to_owned;
    [
        ("r", format!("two-sided; Fisher's z or a bootstrap ({RESAMPLES} resamples), each end the wider")),
        ("agreement, shares", text("two-sided; Wilson's score")),
        ("bias", text("two-sided; normal")),
        (
            "weighted kappa",
            text("two-sided; normal, by Fleiss, Cohen and Everitt; without width where no tier differs"),
        ),
        ("failure rate", text("each end one-sided; Clopper and Pearson")),
        ("p95", text("each end one-sided; order statistics, no distribution assumed")),
    ]
}

fn confusion(shadow: &Shadow, measures: &Measures, width: u16, color: bool) -> String {
    let mut headings = vec!["REFERENCE".to_owned()];
    headings.extend(shadow.tiers.iter().map(|tier| format!(">local {}", sanitize(tier))));
    headings.extend([">failed".to_owned(), ">recall".to_owned(), "INTERVAL".to_owned()]);
    let mut grid = Grid::new(&headings.iter().map(String::as_str).collect::<Vec<_>>(), width, color);
    for (place, tier) in shadow.tiers.iter().enumerate() {
        let recall = measures.tiers.get(place).map_or_else(Estimate::default, |tier| tier.recall);
        let mut cells = vec![(tier.clone(), Tone::Strong)];
        for local in 0..shadow.tiers.len() {
            let count = measures.confusion.count(place, local);
            let tone = if count == 0 {
                Tone::Dim
            } else if local == place {
                Tone::Good
            } else {
                Tone::Warn
            };
            cells.push((count.to_string(), tone));
        }
        let failed = measures.failed_by_tier.get(place).copied().unwrap_or_default();
        cells.push((failed.to_string(), if failed == 0 { Tone::Dim } else { Tone::Bad }));
        cells.push((Unit::Percent.show(recall.value), Tone::Plain));
        cells.push((Unit::Percent.interval(recall), Tone::Plain));
        grid.row(cells);
    }
    grid.render()
}

/// What a sceptic would ask.
pub(super) fn remarks(answer: &ShadowAnswer<'_>) -> Vec<String> {
    let ShadowAnswer { shadow, measures, .. } = *answer;
    let mut notes = Vec::new();
    let failures: Vec<String> =
        measures.failures.iter().map(|(why, count)| format!("{} {count}", why.as_str())).collect();
    if !failures.is_empty() {
        notes.push(format!("failed local answers count as disagreements: {}", failures.join(", ")));
        if measures.pairs < 300 {
            notes.push("with failures, 300 pairs are the floor of a normal verdict".to_owned());
        }
    }
    if let Some(chance) = measures.chance.filter(|chance| *chance > 0.75) {
        notes.push(format!("prevalence too skewed: chance alone agrees on {:.0} %; judge by kappa", chance * 100.0));
    }
    let rare: Vec<String> = shadow
        .tiers
        .iter()
        .enumerate()
        .map(|(place, tier)| (tier, measures.of_tier(place)))
        .filter(|(_, count)| *count < PER_TIER)
        .map(|(tier, count)| format!("{} {count}", sanitize(tier)))
        .collect();
    if !rare.is_empty() {
        notes.push(format!(
            "fewer than {PER_TIER} pairs of a tier: {}; choose inputs that hold more of it",
            rare.join(", ")
        ));
    }
    match measures.noise {
        Some(noise) => {
            let target = shadow.require.tier_agreement.unwrap_or(0.9);
            if noise.agreement.value.is_some_and(|own| own - 0.03 < target) {
                notes.push("the reference agrees with itself hardly more than is asked of the fleet".to_owned());
            }
        }
        None if measures.pairs > 0 => {
            notes.push("noise floor unknown: `shadow run --repeat 50` asks the reference twice".to_owned());
        }
        None => {}
    }
    if answer.inputs < measures.pairs {
        notes.push(format!(
            "{} pairs repeat the input of another: they are counted, and say less than as many new ones",
            measures.pairs - answer.inputs
        ));
    }
    let precision = answer.easy.precision;
    if precision.n > 0 {
        notes.push(format!(
            "easy items ({}): {} of them, the reference confirms {} ({})",
            shadow.easy.iter().map(|tier| sanitize(tier)).collect::<Vec<_>>().join(", "),
            precision.n,
            Unit::Percent.show(precision.value),
            Unit::Percent.interval(precision)
        ));
    }
    if let Some(money) = answer.money {
        notes.push(format!("the reference took {money:.4} by the declared price"));
    }
    notes
}

fn notes(answer: &ShadowAnswer<'_>) -> String {
    let notes = remarks(answer);
    if notes.is_empty() {
        String::new()
    } else {
        format!("\n{}\n", notes.iter().map(|note| format!("· {note}")).collect::<Vec<_>>().join("\n"))
    }
}

/// What is over the looks: they alone open the first rung, and share one error.
pub(super) fn looks_heading(answer: &ShadowAnswer<'_>) -> String {
    let spent: f64 = answer
        .looks
        .taken
        .iter()
        .filter(|taken| taken.admits)
        .map(|taken| taken.look.alpha)
        .fold(0.0, std::ops::Add::add);
    format!("planned looks, which alone open the first rung; {spent:.4} of their error of {ALPHA} is spent")
}

/// The looks in words.
pub(super) fn look_lines(answer: &ShadowAnswer<'_>) -> Vec<String> {
    let mut lines: Vec<String> = answer
        .looks
        .taken
        .iter()
        .map(|taken| {
            let said = if taken.passed { "passed".to_owned() } else { taken.missing.join("; ") };
            let kind = if taken.admits { format!("error {:.4}", taken.look.alpha) } else { "confirming".to_owned() };
            format!("look {} at {} pairs, {kind}: {said}", taken.look.number, taken.look.pairs)
        })
        .collect();
    if let Some(next) = answer.looks.next {
        lines.push(format!("next look at {} pairs, {} more", next.pairs, next.more));
    }
    lines
}

fn looks_text(answer: &ShadowAnswer<'_>) -> String {
    let lines: Vec<String> = look_lines(answer).iter().map(|line| format!("  {line}\n")).collect();
    format!("\n{}\n{}", looks_heading(answer), lines.concat())
}

fn ladder(answer: &ShadowAnswer<'_>) -> String {
    let mut text = String::from("\n");
    match answer.next {
        None => text.push_str("the highest rung\n"),
        Some(next) if next.missing.is_empty() => {
            text.push_str(&format!(
                "ready for {}: fleetctl shadow promote {}\n",
                next.rung.as_str(),
                answer.shadow.name
            ));
        }
        Some(next) => {
            text.push_str(&format!("missing for {}:\n", next.rung.as_str()));
            for one in &next.missing {
                text.push_str(&format!("  {}\n", sanitize(one)));
            }
        }
    }
    for one in answer.decisions.iter().rev().take(5) {
        text.push_str(&format!(
            "{}  {} {} → {} by {}, {} pairs\n",
            one.at.strftime("%Y-%m-%d %H:%M UTC"),
            one.kind.as_str(),
            one.from.as_str(),
            one.to.as_str(),
            sanitize(&one.by),
            one.pairs
        ));
    }
    text
}
