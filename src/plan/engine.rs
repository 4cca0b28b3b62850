//! The cheapest way to bring each changed key of oMLX's into effect.

use std::collections::BTreeSet;

use super::engine_view::{EngineView, silence};
use super::keys::{FileKeys, KeyChange, NewValue};
use super::live::{LinkChange, live_steps};
use super::{Action, Change, ChangeKind, Disturbs, Input, Live, diff, pointer};
use crate::fleet::ServedName;
use crate::omlx::{self, Effect, Reach};
use crate::render::OmlxFile;

/// What is done about oMLX's keys, links and residents.
pub(super) struct EngineWork {
    pub(super) changes: Vec<Change>,
    pub(super) live: Vec<Live>,
    pub(super) needs_restart: Option<String>,
    /// Names that something changed for.
    pub(super) touched: BTreeSet<ServedName>,
}

/// Decides how each key comes into effect (facts 7.4), and what has to be loaded besides.
pub(super) fn plan(input: &Input<'_>, view: &EngineView, files: &[FileKeys], links: &[LinkChange]) -> EngineWork {
    let mut work = EngineWork { changes: Vec::new(), live: Vec::new(), needs_restart: None, touched: BTreeSet::new() };
    let changes: Vec<&KeyChange> = files.iter().flat_map(|file| &file.changes).collect();
    work.needs_restart = view.takes_over().filter(|_| view.may_run());
    work.changes.extend(files.iter().filter_map(|file| whole_file(file, view)));
    let is_whole = |change: &KeyChange| files.iter().any(|file| file.is_fresh && file.changes.contains(change));
    for change in &changes {
        let way = way(input, view, change);
        if let (Way::Restart(why), true) = (&way, view.may_run()) {
            work.needs_restart.get_or_insert_with(|| why.clone());
        }
        work.touched
            .extend(change.name().and_then(|name| input.fleet.served.get(name)).map(|served| served.name.clone()));
        if !is_whole(change) {
            work.changes.push(describe(change, &way, view));
        }
    }
    for link in links {
        work.touched.extend(input.fleet.served.get(&link.name).map(|served| served.name.clone()));
    }
    if work.needs_restart.is_none() && view.may_run() && !view.is_live() && !(changes.is_empty() && links.is_empty()) {
        let why = match (view.answers, silence(input)) {
            (true, _) => "oMLX has no API key, so its admin API is closed".to_owned(),
            (false, Some(error)) => format!("oMLX does not answer ({error}), so its API cannot be used"),
            (false, None) => "oMLX does not answer, so its API cannot be used".to_owned(),
        };
        work.needs_restart = Some(why);
    }
    if view.is_live() && work.needs_restart.is_none() {
        work.live = live_steps(input, view, &changes, links, &work.touched);
    }
    work
}

/// The cheapest way for one key.
enum Way {
    /// Without a disturbance; the text says how.
    Live(&'static str),
    /// PUT, then that model is unloaded and loaded again.
    Reload,
    /// With the daemon's next start; the text says why.
    Restart(String),
    /// The daemon does not run: the file is enough.
    File,
}

fn way(input: &Input<'_>, view: &EngineView, change: &KeyChange) -> Way {
    if !view.may_run() {
        return Way::File;
    }
    if let Some(why) = view.takes_over() {
        return Way::Restart(why);
    }
    let release = input.machine.omlx.release;
    match change.file {
        OmlxFile::Settings => {
            let key = pointer::dotted(&change.key);
            let setting = match change.key.as_slice() {
                [section, key] => omlx::setting(release, section, key),
                _ => None,
            };
            match setting.map(|setting| setting.reach) {
                Some(Reach::Live(_)) if !change.is_secret || is_api_key(change) => {
                    Way::Live("POST /admin/api/global-settings")
                }
                Some(Reach::LiveMayEvict(_)) => Way::Restart(format!(
                    "{key} can be set live, but oMLX {release} then evicts at once or stops unloading idle models until its next start"
                )),
                Some(Reach::LiveUnloadsAll(_)) => {
                    Way::Restart(format!("setting {key} live unloads every model, pinned ones too"))
                }
                _ => Way::Restart(format!("oMLX reads {key} at start only")),
            }
        }
        OmlxFile::ModelProfiles => Way::Live("the profiles API"),
        OmlxFile::ModelSettings if change.new == NewValue::Absent && is_unknown(input, view, change) => {
            Way::Restart("oMLX no longer knows the model, so its API cannot clear the entry".to_owned())
        }
        OmlxFile::ModelSettings => {
            let Some([name, field]) = change.key.get(1..).and_then(|rest| <&[String; 2]>::try_from(rest).ok()) else {
                return Way::Restart("no API of this release removes a model's whole entry".to_owned());
            };
            match omlx::field(release, field).map(|field| field.effect) {
                Some(Effect::Live) => Way::Live("PUT settings"),
                Some(Effect::Profile) => Way::Live("applying the stored profile"),
                Some(Effect::Reload) if view.loaded.contains(name) => Way::Reload,
                Some(Effect::Reload) => Way::Live("PUT settings; the model is not loaded"),
                Some(Effect::FileOnly) => Way::Restart(format!("the API of oMLX {release} does not carry {field}")),
                None => Way::Restart(format!("oMLX {release} does not know {field}")),
            }
        }
    }
}

/// Whether the name is neither declared on the machine nor known to the running server.
fn is_unknown(input: &Input<'_>, view: &EngineView, change: &KeyChange) -> bool {
    change.name().is_some_and(|name| {
        let is_declared = input.fleet.served.get(name).is_some_and(|served| served.is_on(&input.machine.name));
        !is_declared && !view.listed.contains(name)
    })
}

fn is_api_key(change: &KeyChange) -> bool {
    change.key == ["auth", "api_key"]
}

/// A file that is not there, or is no JSON, is written whole: one change with one diff instead of one for each key.
fn whole_file(file: &FileKeys, view: &EngineView) -> Option<Change> {
    let merge = file.merge.as_ref().filter(|_| file.is_fresh)?;
    let (action, reason) = if merge.keep_aside {
        (Action::Update, "is not JSON; it is kept aside under a dated name")
    } else {
        (Action::Create, "declared, and not on the machine")
    };
    Some(Change {
        kind: ChangeKind::File,
        path: merge.path.clone(),
        key: None,
        action,
        disturbs: if view.may_run() { Disturbs::Restart } else { Disturbs::Nothing },
        names: Vec::new(),
        reason: reason.to_owned(),
        diff: diff::unified("", &format!("{}\n", merge.fresh.shown())),
    })
}

fn describe(change: &KeyChange, way: &Way, view: &EngineView) -> Change {
    let (disturbs, how) = match way {
        Way::Live(how) => (Disturbs::Nothing, format!("live, by {how}")),
        Way::Reload => {
            (Disturbs::Reload, "it decides how the engine is built, so the model is loaded again".to_owned())
        }
        Way::Restart(why) => (Disturbs::Restart, why.clone()),
        Way::File if view.is_held => (Disturbs::Nothing, "oMLX is held: the file only".to_owned()),
        Way::File => (Disturbs::Nothing, "oMLX does not run: the file only".to_owned()),
    };
    let shown = |value: String| if change.is_secret { diff::REDACTED.to_owned() } else { value };
    let old = change.old.as_ref().map(|old| shown(old.to_string()));
    let new = match &change.new {
        NewValue::Absent => None,
        value => Some(shown(value.text().shown())),
    };
    let name = (disturbs == Disturbs::Reload).then(|| change.name()).flatten();
    Change {
        kind: ChangeKind::Setting,
        path: change.path.clone(),
        key: Some(pointer::dotted(&change.key)),
        action: match (&change.old, &change.new) {
            (None, _) => Action::Create,
            (_, NewValue::Absent) => Action::Remove,
            _ => Action::Update,
        },
        disturbs,
        names: name.and_then(|name| ServedName::new(name).ok()).into_iter().collect(),
        reason: format!("{}; {how}", change.reason),
        diff: Some(diff::of_value(old.as_deref(), new.as_deref())),
    }
}
