//! The probe's sections put together as facts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answered::Answered;
use super::file_facts::{files, json_at};
use super::foreign::foreign;
use super::parse::{
    Lsof, Process, Sysctl, VmStat, df, engine_answers, launchctl_print, lsof, print_disabled, ps, sections, sysctl,
    vm_stat, weights_files,
};
use super::{
    Answer, Ask, Checkup, Connection, EngineAnswers, FileFact, Hardware, Identity, LaunchdJob, Lock, Memory, Observed,
    Path, PortOwner, Sudo, WeightsFact,
};
use crate::fleet::{Bytes, MachineName, layout};

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
    let files = files(&answer, ask, &mut notes);
    let mut state = |name: &str| json_at(&files, &format!("{}/{name}.json", layout::STATE), &mut notes);
    let (manifest, record, result) = (state("manifest"), state("record"), state("result"));
    let (held, schedule) = (state("held"), state("schedule/state"));
    if !answer.has("slow-end") && answer.has("end") {
        notes.push(
            "something hangs there (a dead mount, lsof or tailscale): disk, weights or ports may be missing below"
                .to_owned(),
        );
    }
    let numbers = sysctl(&answer.text("sysctl"));
    let processes: Vec<Process> = answer.each("processes").flat_map(|section| ps(&section.text())).collect();
    let jobs: BTreeMap<String, LaunchdJob> = answer
        .each("job")
        .filter_map(|section| Some((section.argument.to_owned(), launchctl_print(&section.text())?)))
        .collect();
    let sockets = lsof(&answer.each("lsof").map(|section| section.text().into_owned()).collect::<String>());
    let program = answer.has("program").then(|| answer.text("program"));
    Observed {
        machine: machine.clone(),
        taken_at,
        path,
        identity: identity(&answer, &files, &numbers),
        hardware: hardware(&numbers),
        memory: memory(&numbers, &vm_stat(&answer.text("vm_stat"))),
        disk_free: disk_free(&answer, ask),
        serve_entries: serve_entries(&files, ask),
        foreign: foreign(&answer, &jobs, &processes),
        disabled: print_disabled(&answer.text("disabled")),
        listeners: listeners(&sockets.listeners, &processes),
        connections: answer.has("lsof").then(|| connections(&sockets, ask)),
        program_present: program.as_ref().map(|text| text.lines().any(|line| line == "present")),
        programs: program
            .as_ref()
            .map(|text| text.lines().filter_map(|line| line.strip_prefix("executable ")).map(str::to_owned).collect()),
        installed_release: installed_release(program.as_deref().unwrap_or_default(), &files, &ask.program),
        engine: engine_answers(&all).unwrap_or(EngineAnswers {
            health: Answer::NotAsked,
            status: Answer::NotAsked,
            models: Answer::NotAsked,
        }),
        weights: weights(&answer, ask),
        manifest,
        record,
        result,
        held,
        schedule,
        job_runs: job_runs(&files),
        lock: lock(&files, &processes),
        generations: generations(&answer),
        sudo: sudo(&answer),
        checkup: ask.checkup.then(|| Checkup::of(&all)),
        engine_uptime: engine_uptime(&jobs, &processes),
        jobs,
        files,
        notes,
    }
}

fn identity(answer: &Answered<'_>, files: &BTreeMap<String, FileFact>, numbers: &Sysctl) -> Identity {
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

fn hardware(numbers: &Sysctl) -> Hardware {
    let limit = numbers.gpu_limit_mebibytes.filter(|mebibytes| *mebibytes > 0);
    Hardware {
        memory: numbers.memory.map(Bytes),
        chip: numbers.chip.clone(),
        cores: numbers.cores,
        gpu_limit: limit.and_then(|mebibytes| mebibytes.checked_mul(1 << 20)).map(Bytes),
    }
}

fn memory(numbers: &Sysctl, pages: &VmStat) -> Memory {
    Memory {
        available: pages.available().map(Bytes),
        wired: pages.bytes(pages.wired).map(Bytes),
        compressed: pages.bytes(pages.compressor).map(Bytes),
        swap_used: numbers.swap_used.map(Bytes),
        pressure: numbers.pressure,
    }
}

/// df prints its volumes in the order of its arguments (templates/probe.sh).
fn disk_free(answer: &Answered<'_>, ask: &Ask) -> BTreeMap<String, u64> {
    let paths = [&ask.weights_directory, layout::STATE, &ask.base];
    let volumes = df(&answer.text("df"));
    paths.into_iter().zip(volumes).map(|(path, volume)| (path.to_owned(), volume.available)).collect()
}

fn serve_entries(files: &BTreeMap<String, FileFact>, ask: &Ask) -> BTreeSet<String> {
    let directory = format!("{}/serve/", ask.base);
    let entries = files.iter().filter(|(path, fact)| path.starts_with(&directory) && **fact != FileFact::Missing);
    entries.map(|(path, _)| path.clone()).collect()
}

fn connections(sockets: &Lsof, ask: &Ask) -> Vec<Connection> {
    let port = ask.ports.first().copied().unwrap_or_default();
    let at_port = sockets.established.iter().filter(|(here, _)| *here == port);
    at_port.map(|(_, peer)| Connection { peer: peer.clone() }).collect()
}

/// A look that was given up half-way says of no path that nothing is there.
fn weights(answer: &Answered<'_>, ask: &Ask) -> BTreeMap<String, WeightsFact> {
    if !answer.has("slow-end") {
        return BTreeMap::new();
    }
    let found = weights_files(answer.all);
    ask.weights.iter().map(|path| (path.clone(), found.fact(path))).collect()
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

/// From the Homebrew keg that the program's link leads to, or from the dist-info beside it.
fn installed_release(said: &str, files: &BTreeMap<String, FileFact>, program: &str) -> Option<String> {
    if let Some(FileFact::Link { target }) = files.get(program) {
        let mut parts = target.split('/').skip_while(|part| *part != "Cellar").skip(2);
        if let Some(version) = parts.next().filter(|version| !version.is_empty()) {
            // A keg's revision: 0.3.8_1
            return Some(version.split('_').next().unwrap_or(version).to_owned());
        }
    }
    let names: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("release ")?.rsplit('/').next()).collect();
    let version = |prefix: &str| {
        names.iter().find_map(|name| name.strip_prefix(prefix)?.strip_suffix(".dist-info")).map(str::to_owned)
    };
    version("flyto_mlx-").map(|version| format!("flyto-{version}")).or_else(|| version("omlx-"))
}
