//! The probe's sections put together as facts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::parse::{
    Process, Section, Stat, StatKind, df, engine_answers, launchctl_print, lsof, print_disabled, ps, sections, shasum,
    stat, sysctl, vm_stat, weights_files,
};
use super::{
    Answer, Ask, Checkup, Connection, EngineAnswers, FileFact, ForeignEngine, Hardware, Identity, LaunchdJob, Lock,
    Memory, Observed, Path, PortOwner, Sudo,
};
use crate::fleet::{self, Bytes, MachineName, layout};

/// Texts above this are not brought by the probe, bytes.
const LONGEST_TEXT: u64 = 1 << 20;

/// Where a Mac says its zone: a link into zoneinfo, on some releases by way of a second link.
pub const ZONE_LINKS: [&str; 2] = ["/etc/localtime", "/var/db/timezone/localtime"];

/// Everything that the answer says; pure.
pub fn observed(
    machine: &MachineName,
    path: Path,
    taken_at: jiff::Timestamp,
    ask: &Ask,
    output: &[u8],
    nonce: &str,
) -> Observed {
    let all = sections(output, nonce);
    let answer = Answered { all: &all };
    let mut notes: Vec<String> = answer.each("note").map(|section| section.text().trim().to_owned()).collect();
    let numbers = sysctl(&answer.text("sysctl"));
    let pages = vm_stat(&answer.text("vm_stat"));
    let files = files(&answer, ask, &mut notes);
    let json = |path: &str| json_at(&files, path, &mut Vec::new());
    let mut malformed = Vec::new();
    for name in ["manifest", "record", "result", "held", "schedule/state"] {
        drop(json_at(&files, &format!("{}/{name}.json", layout::STATE), &mut malformed));
    }
    notes.extend(malformed);
    let processes: Vec<Process> = answer.each("processes").flat_map(|section| ps(&section.text())).collect();
    let jobs: BTreeMap<String, LaunchdJob> = answer
        .each("job")
        .filter_map(|section| Some((section.argument.to_owned(), launchctl_print(&section.text())?)))
        .collect();
    let sockets = lsof(&answer.each("lsof").map(|section| section.text().into_owned()).collect::<String>());
    let is_observed = answer.has("lsof");
    let port = ask.ports.first().copied().unwrap_or_default();
    let weights = weights_files(&all);
    let volumes = df(&answer.text("df"));
    let disk_free = [&ask.weights_directory, layout::STATE, &ask.base]
        .into_iter()
        .zip(volumes)
        .map(|(path, volume)| (path.to_owned(), volume.available))
        .collect();
    if !answer.has("slow-end") && answer.has("end") {
        notes.push(
            "something hangs there (a dead mount, lsof or tailscale): disk, weights or ports may be missing below"
                .to_owned(),
        );
    }
    let identity = identity(&answer, &files, &numbers);
    Observed {
        machine: machine.clone(),
        taken_at,
        path,
        hardware: Hardware {
            memory: numbers.memory.map(Bytes),
            chip: numbers.chip.clone(),
            cores: numbers.cores,
            gpu_limit: numbers
                .gpu_limit_mebibytes
                .filter(|mebibytes| *mebibytes > 0)
                .and_then(|mebibytes| mebibytes.checked_mul(1 << 20))
                .map(Bytes),
        },
        memory: Memory {
            available: pages.available().map(Bytes),
            wired: pages.bytes(pages.wired).map(Bytes),
            compressed: pages.bytes(pages.compressor).map(Bytes),
            swap_used: numbers.swap_used.map(Bytes),
            pressure: numbers.pressure,
        },
        disk_free,
        serve_entries: files
            .keys()
            .filter(|path| path.starts_with(&format!("{}/serve/", ask.base)))
            .filter(|path| files.get(*path) != Some(&FileFact::Missing))
            .cloned()
            .collect(),
        foreign: foreign(&answer, &jobs, &processes),
        disabled: print_disabled(&answer.text("disabled")),
        listeners: listeners(&sockets.listeners, &processes),
        connections: is_observed.then(|| {
            sockets
                .established
                .iter()
                .filter(|(here, _)| *here == port)
                .map(|(_, peer)| Connection { peer: peer.clone() })
                .collect()
        }),
        program_present: answer.has("program").then(|| answer.text("program").lines().any(|line| line == "present")),
        programs: answer.has("program").then(|| {
            answer
                .text("program")
                .lines()
                .filter_map(|line| line.strip_prefix("executable "))
                .map(str::to_owned)
                .collect()
        }),
        installed_release: installed_release(&answer, &files, &ask.program),
        engine: engine_answers(&all).unwrap_or(EngineAnswers {
            health: Answer::NotAsked,
            status: Answer::NotAsked,
            models: Answer::NotAsked,
        }),
        weights: ask
            .weights
            .iter()
            // A look that was given up half-way says of no path that nothing is there.
            .filter(|_| answer.has("slow-end"))
            .map(|path| (path.clone(), weights.fact(path)))
            .collect(),
        manifest: json(&format!("{}/manifest.json", layout::STATE)),
        record: json(&format!("{}/record.json", layout::STATE)),
        result: json(&format!("{}/result.json", layout::STATE)),
        held: json(&format!("{}/held.json", layout::STATE)),
        schedule: json(&format!("{}/schedule/state.json", layout::STATE)),
        job_runs: job_runs(&files),
        lock: lock(&files, &processes),
        generations: generations(&answer),
        sudo: sudo(&answer),
        checkup: ask.checkup.then(|| Checkup::of(&all)),
        engine_uptime: engine_uptime(&jobs, &processes),
        identity,
        jobs,
        files,
        notes,
    }
}

struct Answered<'a> {
    all: &'a [Section<'a>],
}

impl<'a> Answered<'a> {
    fn each(&self, name: &'static str) -> impl Iterator<Item = &'a Section<'a>> {
        self.all.iter().filter(move |section| section.name == name)
    }

    fn has(&self, name: &'static str) -> bool {
        self.each(name).next().is_some()
    }

    /// The text of the first section of a name; empty when there is none.
    fn text(&self, name: &'static str) -> String {
        self.each(name).next().map(|section| section.text().into_owned()).unwrap_or_default()
    }
}

fn identity(answer: &Answered<'_>, files: &BTreeMap<String, FileFact>, numbers: &super::parse::Sysctl) -> Identity {
    let text = answer.text("identity");
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    // uid=501(ops) gid=20(staff) …
    let user = text.lines().find_map(|line| line.strip_prefix("uid=")?.split_once('(')?.1.split_once(')'));
    let zone = ZONE_LINKS.iter().find_map(|path| match files.get(*path) {
        Some(FileFact::Link { target }) => target.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned()),
        _ => None,
    });
    let tailnet = answer.text("tailscale");
    Identity {
        user: user.map(|(user, _)| user.to_owned()).unwrap_or_default(),
        home: value("home=").unwrap_or_default(),
        macos: numbers.macos.clone(),
        boot_time: numbers.boot_time,
        now: value("now=").and_then(|now| now.trim().parse().ok()).unwrap_or_default(),
        zone,
        tailnet_ip: tailnet.lines().find_map(|line| line.trim().parse().ok()),
    }
}

/// Facts by path. root's half comes last and overrides what the login user could not read.
fn files(answer: &Answered<'_>, ask: &Ask, notes: &mut Vec<String>) -> BTreeMap<String, FileFact> {
    let mut stats: BTreeMap<String, Stat> = BTreeMap::new();
    let mut sums = BTreeMap::new();
    let mut texts: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for section in answer.all {
        match section.name {
            "stat" => stats.extend(stat(&section.text())),
            "sums" => sums.extend(shasum(&section.text())),
            "text" => drop(texts.insert(section.argument, section.body)),
            _ => {}
        }
    }
    if !answer.has("stat") {
        return BTreeMap::new();
    }
    // root was here: what the login user may not enter was looked at, and what is still not listed is not there.
    let rooted = answer.has("root-end");
    let private: BTreeSet<&str> = ask.files.iter().filter(|file| file.private).map(|file| file.path.as_str()).collect();
    let mut facts: BTreeMap<String, FileFact> =
        ask.files.iter().map(|file| (file.path.clone(), FileFact::Missing)).collect();
    for (path, found) in stats {
        let owner = || (found.user.clone(), found.group.clone());
        let fact = match &found.kind {
            StatKind::Denied if rooted && private.contains(path.as_str()) => FileFact::Missing,
            StatKind::Denied => FileFact::Unreadable,
            StatKind::Other => FileFact::Other,
            StatKind::Link(target) => FileFact::Link { target: target.clone() },
            StatKind::Directory => {
                let (user, group) = owner();
                FileFact::Directory { user, group, mode: found.mode }
            }
            StatKind::File => {
                let (user, group) = owner();
                let sha256 = sums.get(&path).cloned();
                let bytes = texts.get(path.as_str()).and_then(|body| text_of(body, found.size, sha256.as_deref()));
                if texts.contains_key(path.as_str()) && bytes.is_none() && found.size <= LONGEST_TEXT {
                    notes.push(format!("{path} changed while it was read, or is no text"));
                }
                // An empty file gives awk nothing to print.
                let bytes = bytes.or_else(|| (found.size == 0 && sha256.is_some()).then(Vec::new));
                FileFact::File { user, group, mode: found.mode, sha256, bytes }
            }
        };
        facts.insert(path, fact);
    }
    facts
}

/// awk ends every text with a newline; the file may not have one. Only bytes with the hash that shasum saw are the file's.
fn text_of(body: &[u8], size: u64, sha256: Option<&str>) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok()?;
    let bytes = body.get(..size)?;
    (Some(fleet::sha256(bytes).as_str()) == sha256).then(|| bytes.to_vec())
}

fn json_at(files: &BTreeMap<String, FileFact>, path: &str, malformed: &mut Vec<String>) -> Option<Value> {
    let Some(FileFact::File { bytes: Some(bytes), .. }) = files.get(path) else { return None };
    let value = serde_json::from_slice(bytes).ok();
    if value.is_none() {
        malformed.push(format!("{path} is not JSON"));
    }
    value
}

fn job_runs(files: &BTreeMap<String, FileFact>) -> BTreeMap<String, Value> {
    let directory = format!("{}/jobs/", layout::STATE);
    let job = |path: &str| path.strip_prefix(&directory)?.strip_suffix(".json").map(str::to_owned);
    files.keys().filter_map(|path| Some((job(path)?, json_at(files, path, &mut Vec::new())?))).collect()
}

/// STATE/lock: `who`, `since`, `pid` (templates/apply).
fn lock(files: &BTreeMap<String, FileFact>, processes: &[Process]) -> Option<Lock> {
    let path = |name: &str| format!("{}/lock{name}", layout::STATE);
    let text = |name: &str| match files.get(&path(name)) {
        Some(FileFact::File { bytes: Some(bytes), .. }) => Some(String::from_utf8_lossy(bytes).trim().to_owned()),
        _ => None,
    };
    let pid = text("/pid");
    let who = text("/who");
    if who.is_none() && pid.is_none() {
        return None;
    }
    // As the runner itself decides: no process of ours with that number.
    let pid = pid.and_then(|pid| pid.parse::<u32>().ok());
    let alive = processes.iter().any(|process| Some(process.pid) == pid && process.command.contains("fleetctl"));
    Some(Lock {
        holder: who.unwrap_or_default(),
        since: text("/since").and_then(|since| since.parse().ok()),
        dead: !alive,
    })
}

fn generations(answer: &Answered<'_>) -> Vec<u32> {
    let mut all: Vec<u32> = answer.text("generations").lines().filter_map(|line| line.trim().parse().ok()).collect();
    all.sort_unstable();
    all
}

fn sudo(answer: &Answered<'_>) -> Option<Sudo> {
    if answer.has("root") {
        return Some(Sudo::Allowed);
    }
    answer.has("sudo").then(|| {
        let said = answer.text("sudo");
        Sudo::Refused(said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no answer").to_owned())
    })
}

fn listeners(found: &[(u32, Option<String>, u16)], processes: &[Process]) -> BTreeMap<u16, Vec<PortOwner>> {
    let mut by_port: BTreeMap<u16, Vec<PortOwner>> = BTreeMap::new();
    for (pid, user, port) in found {
        let process = processes.iter().find(|process| process.pid == *pid);
        by_port.entry(*port).or_default().push(PortOwner {
            pid: *pid,
            user: user.clone().or_else(|| process.map(|process| process.user.clone())),
            command: process.map(|process| process.command.clone()).unwrap_or_default(),
        });
    }
    by_port
}

fn engine_uptime(jobs: &BTreeMap<String, LaunchdJob>, processes: &[Process]) -> Option<u64> {
    let pid = jobs.get(&layout::label("omlx"))?.pid?;
    processes.iter().find(|process| process.pid == pid)?.elapsed
}

/// oMLX that is not ours: loaded jobs of other labels whose program is it, and processes that neither are ours nor descend from ours.
fn foreign(answer: &Answered<'_>, jobs: &BTreeMap<String, LaunchdJob>, processes: &[Process]) -> Vec<ForeignEngine> {
    let ours: BTreeSet<u32> = jobs.values().filter_map(|job| job.pid).collect();
    let mut found: Vec<ForeignEngine> = Vec::new();
    let mut known: BTreeSet<u32> = BTreeSet::new();
    for section in answer.each("foreign") {
        let Some(job) = launchctl_print(&section.text()) else { continue };
        let command =
            if job.arguments.is_empty() { job.program.clone().unwrap_or_default() } else { job.arguments.join(" ") };
        if !is_engine(&command) {
            continue;
        }
        let Some((target, plist)) = section.argument.split_once(' ') else { continue };
        let Some((domain, label)) = target.rsplit_once('/') else { continue };
        known.extend(job.pid);
        found.push(ForeignEngine {
            label: Some(label.to_owned()),
            domain: Some(domain.to_owned()),
            plist: Some(plist.to_owned()),
            pid: job.pid,
            command,
        });
    }
    let descends = |process: &Process, from: &BTreeSet<u32>| {
        let mut at = process;
        for _ in 0..16 {
            if from.contains(&at.pid) || from.contains(&at.ppid) {
                return true;
            }
            match processes.iter().find(|parent| parent.pid == at.ppid) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
    };
    for process in processes {
        let is_new = !found.iter().any(|other| other.pid == Some(process.pid));
        if is_engine(&process.command) && is_new && !descends(process, &ours) && !descends(process, &known) {
            found.push(ForeignEngine {
                label: None,
                domain: None,
                plist: None,
                pid: Some(process.pid),
                command: process.command.clone(),
            });
        }
    }
    found
}

/// Whether a command line is an oMLX server: `…/omlx serve`, also behind its interpreter or our waiting wrapper; `omlx-server`, the title of later releases
/// (facts/omlx.md 0); the app's own server.
fn is_engine(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let programs = ["omlx", "fmlx", "omlx-cli"];
    words.first().is_some_and(|first| name(first) == "omlx-server")
        || (0..words.len().min(4))
            .any(|at| programs.contains(&name(words[at]).as_str()) && words.get(at + 1) == Some(&"serve"))
}

/// From the Homebrew keg that the program's link leads to, or from the dist-info beside it.
fn installed_release(answer: &Answered<'_>, files: &BTreeMap<String, FileFact>, program: &str) -> Option<String> {
    if let Some(FileFact::Link { target }) = files.get(program) {
        let mut parts = target.split('/').skip_while(|part| *part != "Cellar").skip(2);
        if let Some(version) = parts.next().filter(|version| !version.is_empty()) {
            // A keg's revision: 0.3.8_1
            return Some(version.split('_').next().unwrap_or(version).to_owned());
        }
    }
    let text = answer.text("program");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("release ")?.rsplit('/').next()).collect();
    let version = |prefix: &str| {
        names.iter().find_map(|name| name.strip_prefix(prefix)?.strip_suffix(".dist-info")).map(str::to_owned)
    };
    version("flyto_mlx-").map(|version| format!("flyto-{version}")).or_else(|| version("omlx-"))
}
