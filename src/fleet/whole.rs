//! The fleet as a whole, and the questions that every room asks of it.

use std::time::Duration;

use super::{
    Declared, Gateway, Hub, Job, Machine, MachineName, Placement, Profile, Resolver, Schedule, Served, ServedName,
    Shadow, Slot, Weights, Zone,
};

/// A validated fleet file. References are sound: what `config` lets through, these accessors find.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// `[fleet].name`: what a machine's record is compared with.
    pub name: String,
    /// The zone in which every window and job is meant.
    pub timezone: Zone,
    /// The MagicDNS suffix.
    pub tailnet: Option<String>,
    /// How long a machine may take to become healthy after a change.
    pub gate: Duration,
    /// How long SSH connections stay open for the next command.
    pub keep_connection: Option<Duration>,
    /// [machines]
    pub machines: Declared<Machine>,
    /// [models]
    pub weights: Declared<Weights>,
    /// [profiles]
    pub profiles: Declared<Profile>,
    /// [serve]; whoever changes it changes a clone, because `placement` is found from it once.
    pub served: Declared<Served>,
    /// [slots]
    pub slots: Declared<Slot>,
    /// [schedules]
    pub schedules: Declared<Schedule>,
    /// [jobs]
    pub jobs: Declared<Job>,
    /// [gateway]
    pub gateway: Option<Gateway>,
    /// [resolver]
    pub resolver: Option<Resolver>,
    /// [hub]
    pub hub: Option<Hub>,
    /// [shadow]
    pub shadows: Declared<Shadow>,
    /// The file itself as JSON without comments: keys sorted, but the entries of [machines], [serve] and the other keyed tables as declared,
    /// since their order means something; secrets are sources, as in the file.
    pub canonical: serde_json::Value,
    /// Which names each machine serves: an index over `served`.
    pub placement: Placement,
}

impl Fleet {
    /// The names that a machine serves, in the order of declaration.
    pub fn served_on<'a>(&'a self, machine: &'a MachineName) -> impl Iterator<Item = &'a Served> {
        self.placement.served(&self.served, machine).iter().filter_map(|place| self.served.at(*place))
    }

    /// The names of a machine that have an engine of their own: what is linked, loaded and counted, in the order of declaration. The others
    /// (`NAME:PROFILE`) answer with the engine of one of these.
    pub fn engines_on<'a>(&'a self, machine: &'a MachineName) -> impl Iterator<Item = &'a Served> {
        self.served_on(machine).filter(|served| served.name.exposed_profile().is_none())
    }

    /// The machines of the gateway, in the order of [gateway].on.
    pub fn gateway_machines(&self) -> impl Iterator<Item = &Machine> {
        let on = self.gateway.iter().flat_map(|gateway| &gateway.on);
        on.filter_map(|name| self.machines.get(name))
    }

    /// The names that are resident on a machine outside every window, in the order of declaration.
    pub fn baseline_residents<'a>(&'a self, machine: &'a MachineName) -> impl Iterator<Item = &'a Served> {
        self.placement.resident(&self.served, machine).iter().filter_map(|place| self.served.at(*place))
    }

    /// The windows that decide a machine's resident set, in the order of declaration.
    pub fn schedules_on<'a>(&'a self, machine: &'a MachineName) -> impl Iterator<Item = &'a Schedule> {
        self.schedules.iter().filter(move |schedule| schedule.on.contains(machine))
    }

    /// Whether some window decides the machine's resident set: then only the reconciler sets and clears `is_pinned` there.
    pub fn has_windows(&self, machine: &MachineName) -> bool {
        self.schedules_on(machine).any(|schedule| schedule.resident.is_some())
    }

    /// The weights of a served name; `None` only for a name of another fleet.
    pub fn weights_of(&self, served: &ServedName) -> Option<&Weights> {
        self.served.get(served).and_then(|served| self.weights.get(&served.model))
    }

    /// The profile of a served name; `None` only for a name of another fleet.
    pub fn profile_of(&self, served: &ServedName) -> Option<&Profile> {
        self.served.get(served).and_then(|served| self.profiles.get(&served.profile))
    }

    /// The weights that a machine needs: those of every name that it serves, and the drafts of their profiles; each once, in the order of declaration of the names.
    pub fn weights_needed_on(&self, machine: &MachineName) -> Vec<&Weights> {
        let mut needed: Vec<&Weights> = Vec::new();
        for served in self.served_on(machine) {
            let drafts = self.profiles.get(&served.profile).into_iter().flat_map(|profile| profile.drafts.values());
            for weights in [&served.model].into_iter().chain(drafts).filter_map(|name| self.weights.get(name)) {
                if !needed.iter().any(|known| known.name == weights.name) {
                    needed.push(weights);
                }
            }
        }
        needed
    }

    /// The absolute path of weights on a machine.
    pub fn weights_path(machine: &Machine, weights: &Weights) -> String {
        format!("{}/{}", machine.omlx.weights, weights.directory)
    }

    /// The absolute path of a served name's link on a machine: `BASE/serve/WEIGHTS/NAME` (machine.md).
    pub fn link_path(machine: &Machine, weights: &Weights, served: &Served) -> String {
        format!("{}/serve/{}/{}", machine.omlx.base, weights.basename(), served.name)
    }
}
