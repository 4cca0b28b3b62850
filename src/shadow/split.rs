//! Who answers an item: by rung, by the local verdict, and by a hash that never changes its mind.

use sha2::{Digest as _, Sha256};

use crate::fleet::{Fleet, Rung, Shadow, SlotName};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// The fleet, by the slot.
    Fleet,
    /// The reference.
    Reference,
}

impl Answerer {
    /// As JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Reference => "reference",
        }
    }
}

/// Who answers an item, and whether the other side should be asked as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whose answer counts.
    pub answerer: Answerer,
    /// Whether the item is an audit: both sides answer, and the pair is recorded.
    pub audit: bool,
    /// Why, in a few words.
    pub reason: String,
}

/// The share of a rung's items whose reference is asked as well, percent (facts/shadow.md 4.6).
const fn audit_share(rung: Rung) -> u64 {
    match rung {
        Rung::Shadow | Rung::Easy5 => 100,
        Rung::Easy25 => 50,
        Rung::Easy | Rung::Medium => 20,
        Rung::All => 10,
        Rung::Steady => 5,
    }
}

/// The share of the items that a rung routes to the fleet, percent, of those whose tier it admits.
const fn local_share(rung: Rung) -> u64 {
    match rung {
        Rung::Shadow => 0,
        Rung::Easy5 => 5,
        Rung::Easy25 => 25,
        Rung::Easy | Rung::Medium | Rung::All | Rung::Steady => 100,
    }
}

/// Whether a rung answers items of this local tier; `None` is a tier that nobody declared.
pub fn admits(shadow: &Shadow, rung: Rung, tier: &str) -> bool {
    let is = |known: &String| known.eq_ignore_ascii_case(tier.trim());
    let easy = || shadow.easy.iter().any(is);
    match rung {
        Rung::Shadow => false,
        Rung::Easy5 | Rung::Easy25 | Rung::Easy => easy(),
        Rung::Medium => easy() || shadow.tiers.get(1).is_some_and(is),
        Rung::All | Rung::Steady => shadow.tiers.iter().any(is),
    }
}

/// A place from 0 to 99 that this item keeps: the same in every run, on every machine, so that repeats stay on one side and each rung's items are
/// still local on the next.
pub fn place(shadow: &str, purpose: &str, item: &str) -> u64 {
    let mut hasher = Sha256::new();
    for text in [shadow, purpose, item] {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let digest = hasher.finalize();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % 100
}

/// Who answers this item. `verdict` is the tier that the local side gave it, where it was asked.
pub fn route(shadow: &Shadow, item: &str, verdict: Option<&str>) -> Route {
    let rung = shadow.rung;
    let name = shadow.name.as_str();
    let audit = place(name, "audit", item) < audit_share(rung);
    let reference = |reason: String| Route { answerer: Answerer::Reference, audit: true, reason };
    let said = rung.as_str();
    if matches!(rung, Rung::All | Rung::Steady) && verdict.is_none() {
        return Route {
            answerer: Answerer::Fleet,
            audit,
            reason: format!("on rung {said} the fleet answers everything"),
        };
    }
    if rung == Rung::Shadow {
        return reference("on rung shadow the reference answers everything".to_owned());
    }
    let Some(verdict) = verdict else {
        return reference(format!("on rung {said} the local verdict decides; none was given (--verdict TIER)"));
    };
    if !admits(shadow, rung, verdict) {
        return reference(format!("on rung {said} the reference answers items of tier {verdict}"));
    }
    let place = place(name, "split", item);
    let share = local_share(rung);
    if place < share {
        let reason = format!(
            "on rung {said} the fleet answers items of tier {verdict} at places below {share}; this one is at {place}"
        );
        Route { answerer: Answerer::Fleet, audit, reason }
    } else {
        reference(format!(
            "on rung {said} the fleet answers items of tier {verdict} at places below {share}; this one is at {place}"
        ))
    }
}

/// Who answers an item of a slot, with the calibration that says so; a slot without one, or whose inputs may not leave the fleet,
/// is the fleet's. Of several the first declared with a rung of
/// its own decides.
pub fn route_of_slot<'a>(
    fleet: &'a Fleet,
    slot: &SlotName,
    item: &str,
    verdict: Option<&str>,
) -> (Option<&'a Shadow>, Route) {
    let fleet_answers = |why: &str| {
        (
            None,
            Route {
                answerer: Answerer::Fleet,
                audit: false,
                reason: format!("{slot} {why}: the fleet answers everything"),
            },
        )
    };
    let of_slot = || fleet.shadows.iter().filter(|shadow| shadow.slot == *slot);
    if !fleet.slots.get(slot).is_some_and(|slot| slot.allow_cloud) {
        return fleet_answers("has no allow_cloud");
    }
    if let Some(shadow) = of_slot().find(|shadow| shadow.rung > Rung::Shadow).or_else(|| of_slot().next()) {
        return (Some(shadow), route(shadow, item, verdict));
    }
    fleet_answers("has no calibration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn shares_are_stable_and_nested() {
        let fleet = testing::example();
        let mut shadow = fleet.shadows.get("job-score").expect("declared").clone();
        let mut local: Vec<Vec<bool>> = Vec::new();
        for rung in Rung::ALL {
            shadow.rung = rung;
            let of = |i: usize| route(&shadow, &format!("item-{i}"), Some("Strong")).answerer == Answerer::Fleet;
            local.push((0..10_000).map(of).collect());
        }
        let counts: Vec<usize> = local.iter().map(|side| side.iter().filter(|is| **is).count()).collect();
        assert_eq!((counts[0], counts[3], counts[6]), (0, 10_000, 10_000));
        assert!(counts[1].abs_diff(500) < 100 && counts[2].abs_diff(2_500) < 200, "{counts:?}");
        for (lower, higher) in local.iter().zip(&local[1..]) {
            assert!(lower.iter().zip(higher).all(|(before, after)| !before || *after), "who is local stays local");
        }
    }

    #[test]
    fn only_the_local_verdict_decides() {
        let fleet = testing::example();
        let mut shadow = fleet.shadows.get("job-score").expect("declared").clone();
        shadow.rung = Rung::Easy;
        let of = |shadow: &Shadow, verdict| route(shadow, "x", verdict).answerer;
        assert_eq!(of(&shadow, Some("no")), Answerer::Fleet);
        assert_eq!(of(&shadow, Some("Medium")), Answerer::Reference);
        assert_eq!(of(&shadow, None), Answerer::Reference);
        shadow.rung = Rung::Medium;
        assert_eq!((of(&shadow, Some("Medium")), of(&shadow, Some("Weak"))), (Answerer::Fleet, Answerer::Reference));
        shadow.rung = Rung::All;
        assert_eq!(
            (of(&shadow, None), of(&shadow, Some("Weak")), of(&shadow, Some("?"))),
            (Answerer::Fleet, Answerer::Fleet, Answerer::Reference)
        );
    }
}
