//! The report as a page: every chart is there, and nothing in it asks anybody. `scripts/look` opens it in a browser.

use serde_json::json;

use super::scripted::fleet;
use crate::support::Fleetctl;

/// So many recorded pairs, every `wrong`th of another tier.
fn recorded(count: usize, wrong: usize) -> String {
    let tiers = ["Strong", "Medium", "Weak", "No"];
    (0..count)
        .map(|i| {
            let (tier, score) = (i % 4, 90 - 25 * (i % 4) + i % 7);
            let local = if i % wrong == 1 { (tier + 1) % 4 } else { tier };
            let pair = json!({"id": i, "input": format!("<script>{i}</script>"), "reference": {"score": score, "tier": tiers[tier], "seconds": 2.0},
                "local": {"score": score + i % 3, "tier": tiers[local], "seconds": 5 + i % 9}});
            pair.to_string()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn page(fleetctl: &Fleetctl) -> String {
    let output = fleetctl.run(&["shadow", "report", "job", "--html", "page.html"]);
    assert_eq!(output.exit, Some(0), "{output}");
    assert_eq!(output.stderr, "page.html is written\n");
    std::fs::read_to_string(fleetctl.directory().join("page.html")).expect("the page")
}

#[test]
fn every_chart_is_there_and_nothing_is_fetched() {
    let fleetctl = Fleetctl::with_fleet(&fleet("http://127.0.0.1:1/v1", 1, true, 75));
    fleetctl.write("pairs.jsonl", recorded(320, 40).as_bytes());
    assert_eq!(fleetctl.run(&["shadow", "import", "job", "pairs.jsonl"]).exit, Some(0));
    assert_eq!(fleetctl.run(&["shadow", "promote", "job"]).exit, Some(0));
    let page = page(&fleetctl);
    for chart in [
        r#"aria-label="scatter of local against reference scores""#,
        r#"<line class="identity""#,
        r#"<table class="matrix">"#,
        r#"aria-label="running agreement with its interval""#,
        r#"<polygon class="band""#,
        "needed 90 %",
        r#"aria-label="distribution of latencies""#,
        r#"<rect class="bar-local""#,
        r#"<rect class="bar-reference""#,
        r#"aria-label="coverage against risk""#,
        r#"<ol class="ladder">"#,
        r#"<li class="here">easy-5</li>"#,
        "<td>promoted</td><td>shadow → easy-5</td>",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(chart), "{chart} is not in the page");
    }
    for fetched in ["http://", "https://", "<script", "<img", "<link", "url(", "@import"] {
        assert!(!page.contains(fetched), "{fetched} is in the page");
    }
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn a_page_of_nothing_is_a_page() {
    let fleetctl = Fleetctl::with_fleet(&fleet("http://127.0.0.1:1/v1", 1, true, 75));
    for said in
        ["No pair with two scores yet.", "Fewer than 10 pairs.", "No latency was recorded.", "No easy item yet."]
    {
        assert!(page(&fleetctl).contains(said), "{said}");
    }
}
