//! What init learnt of a machine, and what of it goes into a first fleet file.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::fleet::{Bytes, Machine, Release, WeightsKind, layout};
use crate::observe::{FileFact, Observed};

/// Weights that lie on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundWeights {
    /// The directory that holds them and others.
    pub(super) root: String,
    /// Below it; at most one slash.
    pub(super) directory: String,
    /// Sum of the safetensors.
    pub(super) bytes: u64,
    /// By config.json.
    pub(super) kind: WeightsKind,
}

/// A name that runs on a machine.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundName {
    /// As oMLX lists it.
    pub(super) id: String,
    /// Whether it is pinned.
    pub(super) is_pinned: bool,
    /// Its entry in model_settings.json.
    pub(super) settings: Map<String, Value>,
    /// Unloaded after so many idle seconds.
    pub(super) ttl: Option<u64>,
    /// A second name that oMLX answers to.
    pub(super) alias: Option<String>,
}

impl FoundName {
    fn new(id: &str, listed: &Value, settings: Map<String, Value>) -> Self {
        let pinned = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
        Self {
            id: id.to_owned(),
            is_pinned: pinned(listed.get("pinned")) || pinned(settings.get("is_pinned")),
            ttl: settings.get("ttl_seconds").and_then(Value::as_u64).filter(|ttl| *ttl > 0),
            alias: settings.get("model_alias").and_then(Value::as_str).map(str::to_owned),
            settings,
        }
    }
}

/// A machine of the tailnet that is a Mac.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// First label of its tailnet name.
    pub(super) name: String,
    /// Its address on the local network, where the laptop has a direct path to it.
    pub(super) lan: Option<IpAddr>,
    /// Whether it is connected to the tailnet.
    pub(super) is_online: bool,
    /// Why it gave no answer to the probe.
    pub(super) silent: Option<String>,
    /// `M4 Pro`
    pub(super) chip: Option<String>,
    /// RAM.
    pub(super) memory: Option<Bytes>,
    /// The zone of its clock.
    pub(super) zone: Option<String>,
    /// Home of the login user.
    pub(super) home: Option<String>,
    /// The release there, if fleetctl knows it.
    pub(super) release: Option<Release>,
    /// The release there in its own words.
    pub(super) says: Option<String>,
    /// The host, port and key of its settings.json.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) has_key: bool,
    /// launchd jobs and processes that run oMLX.
    pub(super) engines: Vec<String>,
    /// The program of oMLX there.
    pub(super) program: Option<String>,
    /// What it serves.
    pub(super) names: Vec<FoundName>,
    /// What lies there.
    pub(super) weights: Vec<FoundWeights>,
}

impl Found {
    /// What the probe saw.
    pub(super) fn learn(&mut self, observed: &Observed, machine: &Machine) {
        let chip = observed.hardware.chip.as_deref().map(|chip| chip.trim_start_matches("Apple").trim().to_owned());
        self.chip = chip.filter(|chip| !chip.is_empty());
        self.memory = observed.hardware.memory;
        self.zone.clone_from(&observed.identity.zone);
        self.home = Some(observed.identity.home.clone()).filter(|home| home.starts_with('/'));
        let running =
            observed.engine.status.got().and_then(|status| status.get("version")?.as_str().map(str::to_owned));
        let known = |text: &String| {
            Release::ALL
                .into_iter()
                .find(|release| release.as_str() == text || crate::omlx::reported_version(*release) == text)
        };
        // What is installed tells the fork from upstream; a running server may not.
        self.release = observed.installed_release.as_ref().and_then(known).or(running.as_ref().and_then(known));
        self.says = running.or_else(|| observed.installed_release.clone());
        let ours = observed.jobs.contains_key(&layout::label("omlx")).then(|| "fleetctl's own daemon".to_owned());
        let others = observed.foreign.iter().map(|engine| match (&engine.label, engine.pid) {
            (Some(label), _) => format!("the launchd job {label}"),
            (None, Some(pid)) => format!("pid {pid}, of no job"),
            (None, None) => engine.command.clone(),
        });
        self.engines = ours.into_iter().chain(others).collect();
        // Where it is declared by default, else as the job that runs it names it.
        let started = observed.foreign.iter().find_map(|engine| engine.command.split(' ').next());
        self.program = match observed.program_present {
            Some(true) => Some(machine.omlx.program.clone()),
            _ => started.filter(|program| program.starts_with('/') && program.ends_with("/omlx")).map(str::to_owned),
        };
        if let Some(settings) = json_file(observed, &layout::settings_path(machine)) {
            let text = |pointer: &str| settings.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            self.host = text("/server/host");
            self.port = settings.pointer("/server/port").and_then(Value::as_u64).and_then(|port| port.try_into().ok());
            self.has_key = text("/auth/api_key").is_some_and(|key| !key.is_empty());
        }
        let entries = json_file(observed, &layout::model_settings_path(machine)).unwrap_or_default();
        let entry = |id: &str| entries.pointer("/models")?.get(id)?.as_object().cloned();
        let models = observed.engine.models.got().and_then(|models| models.get("models")?.as_array().cloned());
        self.names = models
            .unwrap_or_default()
            .iter()
            .filter_map(|model| {
                let id = model.get("id")?.as_str()?;
                Some(FoundName::new(id, model, entry(id).unwrap_or_default()))
            })
            .collect();
    }

    /// What templates/survey.sh printed.
    pub(super) fn survey(&mut self, printed: &str) {
        for line in printed.lines() {
            let fields: Vec<&str> = line.splitn(5, '\t').collect();
            let ["weights", root, directory, bytes, config] = fields[..] else { continue };
            let Ok(bytes) = bytes.parse() else { continue };
            let config = serde_json::from_str(config).unwrap_or_default();
            let kind = kind(directory, &config);
            self.weights.push(FoundWeights { root: root.to_owned(), directory: directory.to_owned(), bytes, kind });
        }
    }

    /// Its weights of a name: oMLX names a model by the last component of its directory.
    pub(super) fn weights_of(&self, id: &str) -> Option<&FoundWeights> {
        self.weights.iter().find(|weights| weights.directory.rsplit('/').next() == Some(id))
    }

    /// The directory that holds most of what it serves, else most of what lies there.
    pub(super) fn root(&self) -> Option<&str> {
        let served = self.names.iter().filter_map(|name| self.weights_of(&name.id));
        let mut best: Option<(&str, usize)> = None;
        let all: Vec<&str> = served.map(|weights| weights.root.as_str()).collect();
        let all = if all.is_empty() { self.weights.iter().map(|weights| weights.root.as_str()).collect() } else { all };
        for root in &all {
            let count = all.iter().filter(|other| *other == root).count();
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((root, count));
            }
        }
        best.map(|(root, _)| root)
    }
}

fn json_file(observed: &Observed, path: &str) -> Option<Value> {
    let Some(FileFact::File { bytes: Some(bytes), .. }) = observed.files.get(path) else { return None };
    serde_json::from_slice(bytes).ok()
}

/// By config.json: a classifier of sequences reorders passages; a vision part reads images; what makes no causal text and is no draft gives vectors.
fn kind(directory: &str, config: &Value) -> WeightsKind {
    let architectures: Vec<&str> =
        config.get("architectures").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let any = |test: fn(&str) -> bool| architectures.iter().any(|name| test(name));
    if any(|name| name.contains("DFlash")) || directory.contains("DFlash") {
        WeightsKind::Draft
    } else if any(|name| name.ends_with("ForSequenceClassification")) {
        WeightsKind::Reranker
    } else if config.get("vision_config").is_some_and(Value::is_object) {
        WeightsKind::Vlm
    } else if any(|name| name.contains("CausalLM") || name.contains("ConditionalGeneration"))
        || architectures.is_empty()
    {
        WeightsKind::Llm
    } else {
        WeightsKind::Embedding
    }
}
