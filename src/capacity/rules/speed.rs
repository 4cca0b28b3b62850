//! Expectations against the bandwidth bound.

use super::catalogue::{EXPECTATION_ABOVE_BOUND, SPECULATIVE_EXPECTATION};
use super::survey::Survey;
use crate::capacity::finding::{Finding, Place};
use crate::capacity::{DFLASH_BLOCK, Decode, Footprint, bandwidth, runs_dflash, usual_share};
use crate::fleet::{Fleet, Slot};

pub(super) fn check(fleet: &Fleet, surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for slot in fleet.slots.iter() {
        found.extend(decode(slot, surveys));
    }
}

/// The expected decode speed of one request against what the first choice of the slot can do at best, at an empty context.
fn decode(slot: &Slot, surveys: &[Survey<'_>]) -> Option<Finding> {
    let expected = slot.expect.decode_tps?;
    let rank = slot.route.first()?;
    let machine = rank.machines.first()?;
    let survey = surveys.iter().find(|survey| survey.machine.name == *machine)?;
    let footprint = survey.costs.get(&rank.served)?;
    let speed = bandwidth(&survey.machine.chip, survey.machine.cores)?;
    let decode = of(footprint)?;
    let bound = decode.bound(speed, 1);
    let place = Place::of(["slots", slot.name.as_str(), "expect", "decode_tps"]);
    let gigabytes = speed / 1e9;
    if !survey.profile(&rank.served).is_some_and(runs_dflash) {
        return (expected > bound).then(|| {
            let text = format!(
                "{} cannot decode {expected} tok/s on {}: {gigabytes} GB/s are at most {bound:.1} tok/s",
                rank.served, survey.machine.chip
            );
            Finding::new(&EXPECTATION_ABOVE_BOUND, place, text).on(machine).help("expect what bench measures")
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "a size to three digits")]
    let steps = decode.speculative_steps(speed, DFLASH_BLOCK, footprint.draft_bytes.get() as f64);
    let accepted = expected / steps;
    if accepted > f64::from(DFLASH_BLOCK) {
        let text = format!(
            "{} would have to accept {accepted:.1} tokens a step for {expected} tok/s, and a block holds {DFLASH_BLOCK}",
            rank.served
        );
        return Some(
            Finding::new(&EXPECTATION_ABOVE_BOUND, place, text).on(machine).help("expect what bench measures"),
        );
    }
    let (_, usual) = usual_share(decode.geometry);
    (expected > bound * usual).then(|| {
        let text = format!(
            "{expected} tok/s is {:.0} % of the plain bound of {bound:.0} tok/s, which plain decoding does not reach: it takes {accepted:.1} accepted \
             tokens a step at {steps:.0} steps/s",
            expected / bound * 100.0
        );
        Finding::new(&SPECULATIVE_EXPECTATION, place, text).on(machine)
    })
}

fn of(footprint: &Footprint) -> Option<Decode<'_>> {
    let geometry = footprint.geometry.as_ref()?;
    Some(Decode { geometry, bits_per_weight: footprint.bits_per_weight?, kv: footprint.kv_format, context: 0 })
}
