//! Every rule over every machine.

use super::survey::Survey;
use super::{assumed, dflash, draft, speed, turboquant, twins};
use crate::capacity::Measured;
use crate::capacity::finding::Finding;
use crate::fleet::{Fleet, Machine, MachineName};

/// Every finding about a fleet, by its declared and catalogued numbers.
pub fn findings(fleet: &Fleet) -> Vec<Finding> {
    findings_measured(fleet, |_| None)
}

/// Every finding about a fleet; `measured` knows what a machine itself says.
pub fn findings_measured<'m>(fleet: &Fleet, measured: impl Fn(&MachineName) -> Option<&'m Measured>) -> Vec<Finding> {
    let surveys: Vec<Survey<'_>> =
        fleet.machines.iter().map(|machine| Survey::of(fleet, machine, measured(&machine.name))).collect();
    merged(all(fleet, &surveys))
}

/// The findings about one machine, by what it says of itself where that is known.
pub fn findings_on(fleet: &Fleet, machine: &Machine, measured: Option<&Measured>) -> Vec<Finding> {
    merged(all(fleet, &[Survey::of(fleet, machine, measured)]))
}

fn all(fleet: &Fleet, surveys: &[Survey<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    twins::check(surveys, &mut found);
    turboquant::check(surveys, &mut found);
    dflash::check(surveys, &mut found);
    draft::check(surveys, &mut found);
    speed::check(fleet, surveys, &mut found);
    assumed::check(fleet, surveys, &mut found);
    found
}

/// Says the same thing about several machines once, in the order in which it was first said.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &&mut Finding| {
            other.rule == finding.rule && other.places == finding.places && other.text == finding.text
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                for machine in finding.machines {
                    if !known.machines.contains(&machine) {
                        known.machines.push(machine);
                    }
                }
            }
            None => all.push(finding),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{Gravity, RULES};
    use crate::testing;

    fn shown(findings: &[Finding], grave: impl Fn(Gravity) -> bool) -> String {
        let lines = findings.iter().filter(|finding| grave(finding.rule.gravity)).map(|finding| {
            let place = finding.places.first().map(ToString::to_string).unwrap_or_default();
            format!("{:?} {} at {place}\n    {}", finding.rule.gravity, finding.rule.id, finding.message())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_example_raises_no_error() {
        let found = findings(&testing::example());
        insta::assert_snapshot!(shown(&found, |_| true), @r#"
        Note turboquant-gain at profiles.librarian.turboquant_kv_enabled
            mac-mini3: TurboQuant at 4 bits makes room for 102912 tokens of dense-librarian instead of 84736: 21 % more; it is on at every length, no release has a threshold
        Note speculative-expectation at slots.chat-interactive.expect.decode_tps
            mac-studio1: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding does not reach: it takes 5.0 accepted tokens a step at 49 steps/s
        Note unpublished-model at models.edge-2b.directory
            mac-mini1, mac-mini2: no model of the name of Qwen3.6-2B-MLX-4bit is published; it is taken for Qwen3.5-2B
        "#);
    }

    #[test]
    fn the_article() {
        let found = findings(&testing::sound(include_str!("../../../tests/fixtures/fleets/article.toml")));
        insta::assert_snapshot!(shown(&found, |gravity| gravity > Gravity::Note), @r#"
        Warning resident-twin at serve.moe-plain.model
            mac-studio1: moe-dflash and moe-plain are two copies of moe-35b: both beside dense-thinking take 103.9 GiB of 77.8 GiB (macOS's own GPU limit, estimated), so they can only alternate, and each change loads 36.0 GiB (about 58 s); without dense-thinking both fit and leave 4.8 GiB for their contexts
        Warning resident-twin at serve.dense-direct.model
            mac-studio1: dense-thinking and dense-direct are two copies of dense-27b: both beside moe-dflash take 94.5 GiB of 77.8 GiB (macOS's own GPU limit, estimated), so they can only alternate, and each change loads 27.0 GiB (about 43 s); without moe-dflash both fit and leave 23.8 GiB for their contexts
        Error dflash-concurrency at serve.moe-dflash.concurrency
            mac-studio1: moe-dflash reserves for 4 requests at once, and the DFlash engine of oMLX 0.3.8 serves one at a time
        "#);
        insta::assert_snapshot!(shown(&found, |gravity| gravity == Gravity::Note), @r#"
        Note one-load-suffices at serve.dense-direct.profile
            mac-studio1: dense-thinking and dense-direct are the same weights and differ only in enable_thinking, which a request can say itself
        Note turboquant-gain at profiles.librarian.turboquant_kv_enabled
            mac-mini3: TurboQuant at 4 bits makes room for 102912 tokens of dense-librarian instead of 84736: 21 % more; it is on at every length, no release has a threshold
        Note speculative-expectation at slots.chat-interactive.expect.decode_tps
            mac-studio1: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding does not reach: it takes 5.0 accepted tokens a step at 49 steps/s
        Note unpublished-model at models.edge-2b.directory
            mac-mini1, mac-mini2: no model of the name of Qwen3.6-2B-MLX-4bit is published; it is taken for Qwen3.5-2B
        "#);
    }

    #[test]
    fn every_rule_explains_itself() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            assert!(!rule.title.ends_with('.') && rule.explanation.len() > 80, "{}", rule.id);
        }
    }
}
