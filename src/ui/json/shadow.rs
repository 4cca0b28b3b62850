//! `fleetctl shadow report --json`: `fleetctl.shadow-report/1`.

use indexmap::IndexMap;
use serde::Serialize;

use crate::fleet::Shadow;
use crate::shadow::{Assessment, Estimate, Measures, NextRung, Verdict};

/// The document.
#[derive(Debug, Serialize)]
pub struct ShadowReportDocument {
    schema: &'static str,
    name: String,
    n: usize,
    measures: IndexMap<&'static str, MeasureEntry>,
    verdict: &'static str,
    more_pairs: Option<usize>,
    rung: &'static str,
    next_rung: Option<NextRungEntry>,
    fingerprint: Option<String>,
}

/// A measure. Bounds that are not defined and thresholds that are not declared are null; without a threshold there is no verdict.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MeasureEntry {
    /// The point estimate.
    pub value: Option<f64>,
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// What it rests on.
    pub n: usize,
    /// What is asked for.
    pub threshold: Option<f64>,
    /// Whether it is reached.
    pub verdict: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct NextRungEntry {
    name: &'static str,
    missing: Vec<String>,
}

/// By what the verdicts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictMode {
    /// Intervals.
    Bound,
    /// Point estimates.
    Point,
}

/// Every measure by its name, requirements first.
pub fn measure_entries(
    measures: &Measures,
    assessment: &Assessment,
    mode: VerdictMode,
) -> IndexMap<&'static str, MeasureEntry> {
    let mut entries = IndexMap::new();
    for one in &assessment.requirements {
        let verdict = if mode == VerdictMode::Point { one.point } else { one.bound };
        entries.insert(one.name, entry(one.estimate, Some(one.threshold), Some(verdict)));
    }
    let quantile = |value: Option<f64>, n: usize| Estimate { value, low: None, high: None, n };
    let latency = measures.latency;
    let n = latency.map_or(0, |found| found.n);
    for (name, estimate) in [
        ("pearson", measures.pearson),
        ("tier_agreement", measures.agreement),
        ("latency", measures.p95()),
        ("failure_rate", measures.failure_rate),
        ("spearman", measures.spearman),
        ("concordance", measures.concordance),
        ("bias", measures.bias),
        ("mae", measures.mean_absolute_error),
        ("weighted_kappa", measures.weighted_kappa),
        ("false_no", measures.false_last),
        ("latency_p50", quantile(latency.map(|found| found.p50), n)),
        ("latency_p95", measures.p95()),
        ("latency_p99", quantile(latency.map(|found| found.p99), n)),
        ("reference_agreement", measures.noise.map_or_else(Estimate::default, |noise| noise.agreement)),
        (
            "reference_pearson",
            measures.noise.map_or_else(Estimate::default, |noise| quantile(noise.pearson, noise.agreement.n)),
        ),
    ] {
        entries.entry(name).or_insert_with(|| entry(estimate, None, None));
    }
    entries
}

fn entry(estimate: Estimate, threshold: Option<f64>, verdict: Option<Verdict>) -> MeasureEntry {
    MeasureEntry {
        value: estimate.value,
        low: estimate.low,
        high: estimate.high,
        n: estimate.n,
        threshold,
        verdict: verdict.map(Verdict::as_str),
    }
}

impl ShadowReportDocument {
    /// The document of an experiment; without one there is no fingerprint.
    pub fn new(
        shadow: &Shadow,
        fingerprint: Option<&str>,
        (measures, assessment): (&Measures, &Assessment),
        next: Option<&NextRung>,
        mode: VerdictMode,
    ) -> Self {
        let verdict = if mode == VerdictMode::Point { assessment.point } else { assessment.bound };
        Self {
            schema: "fleetctl.shadow-report/1",
            name: shadow.name.to_string(),
            n: measures.pairs,
            measures: measure_entries(measures, assessment, mode),
            verdict: verdict.as_str(),
            more_pairs: assessment.more_pairs,
            rung: shadow.rung.as_str(),
            next_rung: next.map(|next| NextRungEntry { name: next.rung.as_str(), missing: next.missing.clone() }),
            fingerprint: fingerprint.map(str::to_owned),
        }
    }
}
