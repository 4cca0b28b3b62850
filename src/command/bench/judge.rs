//! What a measurement means: against the fleet file's expectations, and against what the same machine did before.

use jiff::Timestamp;

use crate::capacity::drop_below;
use crate::fleet::{Expectation, Fleet};
use crate::schedule::bound_route;
use crate::ui::json::BenchEntry;

/// Writes the verdict. `earlier` are the speeds measured before under the same terms; `at` decides which routes are in force.
pub(super) fn judge(fleet: &Fleet, entry: &mut BenchEntry, earlier: &[f64], at: Timestamp) {
    if entry.verdict != "ok" {
        return;
    }
    let mut said: Vec<String> = Vec::new();
    let mut verdict = "ok";
    let speed = entry.decode_tps.or(entry.vectors_per_second).map(|speed| speed.median);
    if let Some((before, share)) = speed.and_then(|speed| drop_below(earlier, speed)) {
        verdict = "dropped";
        said.push(format!(
            "{:.0} % below the {:.1} of before (median of {})",
            share * 100.0,
            before.median,
            earlier.len()
        ));
    }
    let missed = missed(fleet, entry, at);
    if !missed.is_empty() {
        verdict = "below-expectation";
        said.extend(missed);
    }
    let declared = fleet.weights.get(&entry.model).and_then(|weights| weights.dimensions);
    if let (Some(declared), Some(found)) = (declared, entry.dimensions)
        && declared != found
    {
        verdict = "wrong-dimension";
        said.push(format!("its vectors have {found} numbers, declared are {declared}"));
    }
    let counted = entry.conditions.counted_requests;
    if counted.is_some_and(|counted| counted > entry.conditions.requests) {
        said.push("others asked the server meanwhile".to_owned());
    }
    verdict.clone_into(&mut entry.verdict);
    entry.detail = (!said.is_empty()).then(|| said.join("; "));
}

/// What the slot expects of one request and does not get. A name that was asked for by itself is held to the slots whose own route it heads; a slot that a
/// window binds elsewhere expects nothing meanwhile.
pub(super) fn missed(fleet: &Fleet, entry: &BenchEntry, at: Timestamp) -> Vec<String> {
    if entry.concurrent != 1 {
        return Vec::new();
    }
    let heads = |slot: &&crate::fleet::Slot| {
        let is_own = bound_route(fleet, slot, at).window.is_none();
        is_own
            && slot.route.first().is_some_and(|rank| {
                rank.served == *entry.served.as_str()
                    && rank.machines.iter().any(|machine| *machine == *entry.machine.as_str())
            })
    };
    let mut missed = Vec::new();
    for slot in fleet.slots.iter().filter(heads) {
        missed.extend(broken(&slot.expect, entry).into_iter().map(|what| format!("{} expects {what}", slot.name)));
    }
    missed
}

fn broken(expect: &Expectation, entry: &BenchEntry) -> Vec<String> {
    let mut broken = Vec::new();
    if let (Some(wanted), Some(found)) = (expect.decode_tps, entry.decode_tps)
        && found.median < wanted
    {
        broken.push(format!("{wanted} tok/s of decoding, measured {:.1}", found.median));
    }
    if let (Some(wanted), Some(found)) = (expect.prefill_tps, entry.prefill_tps)
        && found.median < wanted
    {
        broken.push(format!("{wanted} tok/s of prefill, measured {:.1}", found.median));
    }
    if let (Some(wanted), Some(found)) = (expect.ttft, entry.ttft)
        && found.median > wanted.as_secs_f64()
    {
        broken.push(format!("the first token within {:.2} s, measured {:.2} s", wanted.as_secs_f64(), found.median));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::ui::json::{Conditions, SpreadEntry};

    fn entry(served: &str, machine: &str, decode: f64) -> BenchEntry {
        BenchEntry {
            at: "2026-05-01T00:00:00Z".to_owned(),
            slot: None,
            served: served.to_owned(),
            machine: machine.to_owned(),
            model: "moe-35b".to_owned(),
            profile: "interactive".to_owned(),
            kind: "chat".to_owned(),
            concurrent: 1,
            runs: 5,
            ttft: None,
            prefill_tps: None,
            decode_tps: Some(SpreadEntry { median: decode, mad: 1.0 }),
            vectors_per_second: None,
            dimensions: None,
            bound: None,
            conditions: Conditions::default(),
            verdict: "ok".to_owned(),
            detail: None,
        }
    }

    #[test]
    fn expectations_and_drops() {
        let fleet = testing::example();
        let noon: Timestamp = "2026-05-04T16:00:00Z".parse().expect("a time");
        let judged = |mut entry: BenchEntry, earlier: &[f64]| {
            judge(&fleet, &mut entry, earlier, noon);
            format!("{} {}", entry.verdict, entry.detail.unwrap_or_default())
        };
        let earlier = [250.0, 252.0, 249.0, 251.0];
        assert_eq!(judged(entry("moe-dflash", "mac-studio1", 250.0), &earlier), "ok ");
        assert_eq!(
            judged(entry("moe-dflash", "mac-studio1", 200.0), &[]),
            "below-expectation chat-interactive expects 245 tok/s of decoding, measured 200.0"
        );
        assert_eq!(
            judged(entry("moe-batched", "mac-studio1", 200.0), &earlier),
            "dropped 20 % below the 250.5 of before (median of 4)"
        );
        let many = BenchEntry { concurrent: 4, ..entry("moe-dflash", "mac-studio1", 200.0) };
        assert_eq!(judged(many, &[]), "ok ", "an expectation is of one request");
        let vectors =
            BenchEntry { model: "arctic".to_owned(), dimensions: Some(768), ..entry("embed-arctic", "mac-mini1", 9.0) };
        let mut by_night = entry("moe-dflash", "mac-studio1", 200.0);
        judge(&fleet, &mut by_night, &[], "2026-05-04T07:00:00Z".parse().expect("a time"));
        assert_eq!(by_night.verdict, "ok", "the window binds chat elsewhere");
        assert_eq!(judged(vectors, &[]), "wrong-dimension its vectors have 768 numbers, declared are 1024");
    }
}
