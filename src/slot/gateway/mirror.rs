//! Shadow calibration by way of the gateway: live requests copied to the other side.

use crate::fleet::{Fleet, Rung, Shadow, ShadowName, SlotName};

/// A copy that the gateway makes of each live request.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror<'a> {
    /// The calibration.
    pub shadow: &'a Shadow,
    /// The model name under which production asks.
    pub from: MirrorEnd<'a>,
    /// The model name that gets the copy, and answers to nobody.
    pub to: MirrorEnd<'a>,
}

/// A side of a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorEnd<'a> {
    /// The fleet, by the slot's name.
    Fleet(&'a SlotName),
    /// The reference, by the calibration's name.
    Reference(&'a ShadowName),
}

impl MirrorEnd<'_> {
    /// The model name at the gateway.
    pub fn model_name(self) -> String {
        match self {
            Self::Fleet(slot) => slot.to_string(),
            // No slot is called so: a slug holds no dot.
            Self::Reference(shadow) => format!("shadow.{shadow}"),
        }
    }
}

/// The mirrors of a fleet: [shadow.NAME] with `mirror = true`, on slots that allow their inputs to leave the fleet.
///
/// The reference gets a model name of its own, `shadow.NAME`, and a slot never answers with the reference: until rung "all" an application
/// that wants the cloud's answers in production asks for that name, and the slot gets the copies; from "all" on it asks for the slot,
/// and the reference gets them.
pub fn mirrors(fleet: &Fleet) -> Vec<Mirror<'_>> {
    let allowed = |shadow: &&Shadow| fleet.slots.get(&shadow.slot).is_some_and(|slot| slot.allow_cloud);
    fleet
        .shadows
        .iter()
        .filter(|shadow| shadow.mirror)
        .filter(allowed)
        .map(|shadow| {
            let (slot, reference) = (MirrorEnd::Fleet(&shadow.slot), MirrorEnd::Reference(&shadow.name));
            let (from, to) =
                if matches!(shadow.rung, Rung::All | Rung::Steady) { (slot, reference) } else { (reference, slot) };
            Mirror { shadow, from, to }
        })
        .collect()
}
