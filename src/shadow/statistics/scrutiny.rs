//! For `scripts/check-estimators`, which holds the estimators to scipy and scikit-learn.

use serde_json::{Value, json};

use super::*;
use crate::env::Env;

#[test]
#[ignore = "scripts/check-estimators runs it"]
fn of_a_file() {
    let env = Env::of_process();
    let (from, to) = (env.get("ESTIMATORS_IN").expect("a file"), env.get("ESTIMATORS_OUT").expect("a file"));
    let text = crate::fs::read_text(std::path::Path::new(from), 1 << 30).expect("read");
    let sets: Vec<Value> = serde_json::from_str(&text).expect("data sets");
    let found: Vec<Value> = sets
        .iter()
        .map(|set| {
            let points: Vec<(f64, f64)> = serde_json::from_value(set["scores"].clone()).expect("scores");
            let tiers: Vec<(usize, usize)> = serde_json::from_value(set["tiers"].clone()).expect("tiers");
            let mut confusion = Confusion::new(4);
            for (one, other) in &tiers {
                confusion.add(*one, *other);
            }
            let (n, k) = (tiers.len(), confusion.agreeing());
            let interval = wilson(k, n, TWO_SIDED).expect("an interval");
            let r = pearson(&points).expect("defined");
            let z = fisher(r, points.len(), TWO_SIDED).expect("an interval");
            json!({"pearson": r, "fisher": [z.low, z.high], "spearman": spearman(&points), "concordance": concordance(&points),
                "mae": mean_absolute_error(&points), "bias": bias(&points, TWO_SIDED).map(|found| found.0),
                "kappa": confusion.kappa().map(|kappa| kappa.value), "weighted": confusion.weighted().map(|kappa| kappa.value),
                "wilson": [interval.low, interval.high], "upper": failure_upper(n - k, n, 0.05), "lower": failure_lower(n - k, n, 0.05)})
        })
        .collect();
    crate::fs::write_atomic(std::path::Path::new(to), Value::from(found).to_string().as_bytes(), 0o600)
        .expect("written");
}
