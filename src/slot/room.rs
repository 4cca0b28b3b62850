//! Whether a name that is not resident can be loaded on a machine.

use crate::capacity;
use crate::fleet::{Machine, Served};
use crate::schedule::Moment;

/// Whether the name fits beside the machine's residents of that time, after evicting whatever is not resident (json.md, `fits` of a loadable).
/// A resident name fits by its own window's rule, which `check` holds the file to.
pub(super) fn fits<'a>(moment: &Moment<'a>, machine: &'a Machine, served: &Served) -> bool {
    let resident = moment.state(machine).resident;
    capacity::fits(moment.fleet(), machine, None, resident.iter().map(|resident| &resident.name), &served.name)
}

#[cfg(test)]
mod tests {
    use super::super::{Cursor, Reason, Snapshot, resolve};
    use crate::fleet::{Rank, ServedName};
    use crate::testing;

    #[test]
    fn what_does_not_fit_beside_the_residents_has_no_room() {
        let mut fleet = testing::example();
        // By night the studio holds the batched MoE and the dense model: the DFlash copy would make 103.95 of 79.2 GiB.
        let mut slot = fleet.slots.get("score-deep").expect("declared").clone();
        let machines = slot.route[0].machines.clone();
        slot.route.insert(0, Rank { served: ServedName::new("moe-dflash").expect("a name"), machines });
        let name = slot.name.clone();
        fleet.slots.insert(slot);
        let at_night = "2026-11-23T07:00:00Z".parse().expect("a time");
        let slot = fleet.slots.get(&name).expect("declared");
        let resolution = resolve(&fleet, slot, &Snapshot::offline(&fleet, at_night), at_night, &Cursor::default());
        assert_eq!(resolution.rejected[0].reason, Reason::NoRoom);
        assert_eq!(resolution.choice.expect("a choice").served.name, "moe-batched");
    }
}
