//! Fleet → Bundle: what one machine should hold.

use std::collections::BTreeMap;

use super::{
    Bundle, Content, Entry, OwnedDocument, Owner, RUNNER, Text, Unit, gateway, jobs, models, resolver, schedule_table,
    script, settings, units,
};
use crate::fleet::{Fleet, Machine, layout};

/// What a machine should hold. Pure: the same fleet and machine give the same bundle.
pub fn bundle(fleet: &Fleet, machine: &Machine) -> Bundle {
    let mut parts = Parts::default();
    parts.unit(units::omlx(machine));
    omlx_files(&mut parts, fleet, machine);
    links(&mut parts, fleet, machine);
    parts.script("runner", RUNNER);
    parts.unit(units::rotate());
    parts.script("rotate", &script::ROTATE);
    if units::waits_for_address(machine) {
        parts.script("omlx-when-bindable", &script::OMLX_WHEN_BINDABLE);
    }
    if let Some(unit) = units::gpu_limit(machine) {
        parts.unit(unit);
    }
    if units::has_schedule(fleet, machine) {
        parts.unit(units::schedule(fleet, machine));
        parts.script("schedule", &script::SCHEDULE);
        let table = Text::literal(schedule_table::table(fleet, machine));
        parts.whole(format!("{}/schedule/table.json", layout::STATE), Owner::root(), 0o644, table);
    }
    if let Some(files) = resolver::resolver(fleet, machine) {
        parts.unit(files.unit);
        parts.whole(files.fleet.0, Owner::root(), 0o644, files.fleet.1);
        if let Some(text) = files.environment {
            parts.script("with-env", &script::WITH_ENV);
            parts.environment(resolver::UNIT, &machine.user, text);
        }
    }
    gateway_of(&mut parts, fleet, machine);
    jobs_of(&mut parts, fleet, machine);
    parts.finish(fleet, machine)
}

fn omlx_files(parts: &mut Parts, fleet: &Fleet, machine: &Machine) {
    parts.keys(machine, layout::settings_path(machine), settings::settings(fleet, machine));
    parts.keys(machine, layout::model_settings_path(machine), models::model_settings(fleet, machine));
    parts.keys(machine, layout::model_profiles_path(machine), models::model_profiles(fleet, machine));
}

fn links(parts: &mut Parts, fleet: &Fleet, machine: &Machine) {
    let owner = Owner::staff(&machine.user);
    for served in fleet.engines_on(&machine.name) {
        if let Some(weights) = fleet.weights_of(&served.name) {
            let path = Fleet::link_path(machine, weights, served);
            let target = Fleet::weights_path(machine, weights);
            parts.entry(Entry { path, owner: owner.clone(), mode: 0o755, content: Content::Link { target } });
        }
    }
}

fn gateway_of(parts: &mut Parts, fleet: &Fleet, machine: &Machine) {
    let Some(gateway) = gateway::gateway(fleet, machine) else { return };
    parts.unit(gateway.unit);
    parts.script(gateway::UNIT, gateway::start_script());
    for (path, text) in gateway.files {
        parts.whole(path, Owner::staff(&machine.user), 0o640, text);
    }
    if let Some(text) = gateway.environment {
        parts.script("with-env", &script::WITH_ENV);
        parts.environment(gateway::UNIT, &machine.user, text);
    }
}

fn jobs_of(parts: &mut Parts, fleet: &Fleet, machine: &Machine) {
    for job in fleet.jobs.iter().filter(|job| job.on.contains(&machine.name)) {
        parts.script("job", &script::JOB);
        let daemon = jobs::job(fleet, machine, job);
        parts.unit(daemon.unit);
        if let Some(text) = daemon.environment {
            parts.environment(&jobs::unit_name(job), daemon.user, text);
        }
    }
}

/// What has been gathered so far.
#[derive(Default)]
struct Parts {
    entries: BTreeMap<String, Entry>,
    units: Vec<Unit>,
}

impl Parts {
    fn entry(&mut self, entry: Entry) {
        self.entries.insert(entry.path.clone(), entry);
    }

    fn unit(&mut self, (plist, unit): (Entry, Unit)) {
        self.entry(plist);
        self.units.push(unit);
    }

    fn keys(&mut self, machine: &Machine, path: String, document: OwnedDocument) {
        let owner = Owner::staff(&machine.user);
        self.entry(Entry { path, owner, mode: 0o600, content: Content::Keys(document) });
    }

    fn script(&mut self, name: &str, text: &'static str) {
        self.whole(layout::script_path(name), Owner::root(), 0o755, Text::literal(text));
    }

    /// STATE/env/UNIT: it may hold secrets, so only the unit's user reads it.
    fn environment(&mut self, unit: &str, user: &str, text: Text) {
        self.whole(layout::environment_path(unit), Owner::staff(user), 0o600, text);
    }

    fn whole(&mut self, path: String, owner: Owner, mode: u32, text: Text) {
        self.entry(Entry { path, owner, mode, content: Content::Whole(text) });
    }

    fn finish(self, fleet: &Fleet, machine: &Machine) -> Bundle {
        let entries: Vec<Entry> = self.entries.into_values().collect();
        let mut directories = directories(machine, &entries);
        if let Some((owner, mode)) = jobs::record_directory(fleet, machine) {
            directories.push((format!("{}/jobs", layout::STATE), owner, mode));
            directories.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        }
        Bundle { machine: machine.name.clone(), entries, directories, units: self.units }
    }
}

/// The directories of ours, parents before children. Those of the system (/Library/LaunchDaemons, /usr/local) are not ours: the runner makes what is missing
/// and changes none.
fn directories(machine: &Machine, entries: &[Entry]) -> Vec<(String, Owner, u32)> {
    let (root, user) = (Owner::root, || Owner::staff(&machine.user));
    let mut all: BTreeMap<String, (Owner, u32)> = BTreeMap::new();
    for directory in [layout::LIB, layout::STATE, layout::LOGS] {
        all.insert(directory.to_owned(), (root(), 0o755));
    }
    for private in ["generations", "apply"] {
        all.insert(format!("{}/{private}", layout::STATE), (root(), 0o700));
    }
    // On the way to it, below the home, everything is the user's (machine.md, its table): what the runner makes there by itself would be root's.
    let home = format!("{}/", machine.home);
    let within = |path: &&str| path.starts_with(&home);
    let mut above = machine.omlx.base.as_str();
    while let Some(parent) = above.rsplit_once('/').map(|(parent, _)| parent).filter(within) {
        all.insert(parent.to_owned(), (user(), 0o755));
        above = parent;
    }
    all.insert(machine.omlx.base.clone(), (user(), 0o755));
    all.insert(layout::serve_directory(machine), (user(), 0o755));
    for entry in entries {
        let Some((parent, _)) = entry.path.rsplit_once('/') else { continue };
        if parent == gateway::directory() {
            all.insert(parent.to_owned(), (user(), 0o750));
        } else if parent.starts_with(&layout::serve_directory(machine)) {
            all.entry(parent.to_owned()).or_insert((user(), 0o755));
        } else if parent.starts_with(layout::STATE) {
            all.entry(parent.to_owned()).or_insert((root(), 0o755));
        }
    }
    // A parent is a prefix of its children, so it comes before them in the order of paths.
    all.into_iter().map(|(path, (owner, mode))| (path, owner, mode)).collect()
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
