//! The file as written beside the fleet as understood: what rules over several tables look at.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::config::node::Table;
use crate::config::raw::{RawFile, RawProfile, RawSchedule, RawServe, RawSlot, Residency};
use crate::fleet::{Fleet, Machine, Profile, ProfileName, Release, Served, ServedName};

/// Both, for rules over several tables. `fleet` holds only what is sound.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) raw: &'a RawFile,
    /// The file as a tree.
    pub(crate) tree: &'a Table,
    pub(crate) fleet: &'a Fleet,
    /// The release of [omlx], for what no machine uses.
    pub(crate) release: Option<Release>,
}

impl<'a> View<'a> {
    pub(crate) fn raw_profile(self, name: &str) -> Option<&'a RawProfile> {
        self.raw.profiles.as_ref()?.get(name)
    }

    pub(crate) fn raw_serve(self, name: &str) -> Option<&'a RawServe> {
        self.raw.serve.as_ref()?.get(name)
    }

    pub(crate) fn raw_slot(self, name: &str) -> Option<&'a RawSlot> {
        self.raw.slots.as_ref()?.get(name)
    }

    pub(crate) fn raw_schedule(self, name: &str) -> Option<&'a RawSchedule> {
        self.raw.schedules.as_ref()?.get(name)
    }

    /// Where a profile declares a field's value.
    pub(crate) fn field(self, profile: &ProfileName, field: &str) -> Option<Range<usize>> {
        self.raw_profile(profile.as_str())?.get(field).map(|node| node.span.clone())
    }

    /// Where a served name's `resident` is written; else its own name.
    pub(crate) fn resident(self, name: &ServedName) -> Option<Range<usize>> {
        let serve = self.raw.serve.as_ref()?;
        let declared = serve.get(name.as_str()).and_then(|raw| raw.resident.as_ref()).map(Residency::span);
        declared.or_else(|| serve.key(name.as_str()).cloned())
    }

    /// The machines that serve a name, as far as they are sound.
    pub(crate) fn machines_of(self, served: &'a Served) -> impl Iterator<Item = &'a Machine> {
        served.on.iter().filter_map(move |machine| self.fleet.machines.get(machine))
    }

    /// The releases under which a profile is used; all of the fleet's when no machine uses it.
    pub(crate) fn releases_of(self, profile: &Profile) -> Vec<Release> {
        let users = self.fleet.served.iter().filter(|served| served.profile == profile.name);
        let used: BTreeSet<Release> =
            users.flat_map(|served| self.machines_of(served)).map(|machine| machine.omlx.release).collect();
        let all = || self.fleet.machines.iter().map(|machine| machine.omlx.release).chain(self.release);
        if used.is_empty() { all().collect::<BTreeSet<_>>().into_iter().collect() } else { used.into_iter().collect() }
    }
}
