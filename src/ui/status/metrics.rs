//! `status --prometheus`, and `/metrics` of the resolver service: one document of status as metrics, and what the service counted itself.

use jiff::Timestamp;

use super::exposition::Family;
use crate::ui::json::{JobRun, MachineStatus, ServiceState, StatusDocument};

/// What the resolver service knows of a slot besides where it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounters {
    /// Answers with a candidate.
    pub answered: u64,
    /// Answers without one.
    pub without_candidate: u64,
}

/// All metrics of a document. `counters` are by the name of the slot; only the resolver service has any.
pub fn render_metrics(document: &StatusDocument, counters: &[(String, SlotCounters)]) -> String {
    let mut families = vec![taken_at(document)];
    families.extend(machines(document));
    families.extend(names(document));
    families.extend(memory(document));
    families.extend(alerts(document));
    families.extend(slots(document, counters));
    families.push(services(document));
    families.extend(jobs(document));
    families.push(transitions(document));
    families.into_iter().map(Family::render).collect()
}

/// RFC 3339 to seconds since 1970, the base unit of time.
fn seconds(at: Option<&str>) -> Option<i64> {
    at?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

fn taken_at(document: &StatusDocument) -> Family {
    let mut at = Family::gauge("fleetctl_status_timestamp_seconds", "when this was seen");
    at.known(&[("fleet", &document.fleet)], seconds(Some(&document.taken_at)));
    at
}

/// A family with at most one sample a machine.
fn of_machines<V: std::fmt::Display>(
    document: &StatusDocument,
    mut family: Family,
    value: impl Fn(&MachineStatus) -> Option<V>,
) -> Family {
    for machine in &document.machines {
        family.known(&[("machine", &machine.name)], value(machine));
    }
    family
}

fn machines(document: &StatusDocument) -> Vec<Family> {
    const STATES: [&str; 9] =
        ["running", "starting", "stopped", "held", "crashing", "unresponsive", "foreign", "not-installed", "unknown"];
    let gauge =
        |name, help, value: fn(&MachineStatus) -> Option<u64>| of_machines(document, Family::gauge(name, help), value);
    let counter = |name, help, value: fn(&MachineStatus) -> Option<u64>| {
        of_machines(document, Family::counter(name, help), value)
    };
    let mut state = Family::gauge("fleetctl_omlx_state", "1 for the state that the machine's oMLX is in");
    let mut release = Family::gauge("fleetctl_omlx_info", "the release that answers; always 1");
    let mut requests =
        Family::gauge("fleetctl_machine_requests", "requests in work and in the queue, as oMLX counts them");
    let mut tokens = Family::counter("fleetctl_omlx_tokens_total", "tokens since oMLX's start, as it counts them");
    for machine in &document.machines {
        let name = ("machine", machine.name.as_str());
        state.states(&[name], &STATES, machine.omlx.state);
        if let Some(version) = &machine.omlx.version {
            release.sample(&[name, ("version", version)], 1);
        }
        requests.known(&[name, ("state", "running")], machine.work.running);
        requests.known(&[name, ("state", "waiting")], machine.work.waiting);
        tokens.known(&[name, ("kind", "prompt")], machine.work.prompt_tokens);
        tokens.known(&[name, ("kind", "completion")], machine.work.completion_tokens);
    }
    vec![
        gauge("fleetctl_machine_up", "1 where the machine answers, 0 where it does not", |machine| {
            Some(u64::from(machine.reach.state == "up"))
        }),
        state,
        release,
        gauge("fleetctl_omlx_uptime_seconds", "how long oMLX's process has run", |machine| machine.omlx.uptime_seconds),
        counter("fleetctl_omlx_restarts_total", "starts by launchd without the first", |machine| machine.omlx.restarts),
        requests,
        tokens,
        gauge("fleetctl_drift_changes", "what a plan would change", |machine| {
            machine.drift.changes.and_then(|changes| u64::try_from(changes).ok())
        }),
        gauge("fleetctl_generation", "the generation that the machine is in", |machine| {
            machine.transaction.generation.map(u64::from)
        }),
    ]
}

fn names(document: &StatusDocument) -> Vec<Family> {
    let mut listed = Family::gauge("fleetctl_name_listed", "1 where oMLX lists the declared name");
    let mut loaded = Family::gauge("fleetctl_name_loaded", "1 where the name is loaded");
    let mut size = Family::gauge("fleetctl_name_size_bytes", "what oMLX counts for the name");
    let mut used = Family::gauge("fleetctl_name_last_use_timestamp_seconds", "when its last request began");
    for machine in &document.machines {
        for served in &machine.served {
            let labels = [("machine", machine.name.as_str()), ("name", served.name.as_str())];
            listed.known(&labels, served.listed.map(u8::from));
            loaded.known(&labels, served.loaded.map(u8::from));
            size.known(&labels, served.size_bytes);
            used.known(&labels, served.last_use);
        }
    }
    vec![listed, loaded, size, used]
}

fn memory(document: &StatusDocument) -> Vec<Family> {
    let gauge =
        |name, help, value: fn(&MachineStatus) -> Option<u64>| of_machines(document, Family::gauge(name, help), value);
    let mut pressure =
        Family::gauge("fleetctl_memory_pressure", "1 for the level of memory pressure that macOS reports");
    let mut headroom = Family::gauge(
        "fleetctl_headroom_bytes",
        "what is left to load, for contexts, for the system; below 0 is too much",
    );
    for machine in &document.machines {
        let name = ("machine", machine.name.as_str());
        if let Some(level) = machine.memory.pressure {
            pressure.states(&[name], &["normal", "warn", "critical"], level);
        }
        let room = &machine.memory.headroom;
        for (kind, bytes) in [("load", room.load_bytes), ("context", room.context_bytes), ("system", room.system_bytes)]
        {
            headroom.known(&[name, ("kind", kind)], bytes);
        }
    }
    vec![
        gauge("fleetctl_memory_total_bytes", "memory of the machine", |machine| machine.memory.total_bytes),
        gauge("fleetctl_memory_available_bytes", "memory that can be had now", |machine| {
            machine.memory.available_bytes
        }),
        gauge("fleetctl_swap_used_bytes", "swap in use", |machine| machine.memory.swap_used_bytes),
        pressure,
        gauge("fleetctl_gpu_limit_bytes", "what the GPU may wire", |machine| machine.memory.gpu_limit_bytes),
        gauge("fleetctl_omlx_limit_bytes", "oMLX's limit for models", |machine| machine.memory.omlx_limit_bytes),
        gauge("fleetctl_omlx_used_bytes", "what oMLX counts for loaded models", |machine| {
            machine.memory.omlx_used_bytes
        }),
        headroom,
    ]
}

fn alerts(document: &StatusDocument) -> Vec<Family> {
    let mut counts = Family::gauge("fleetctl_alerts", "alerts of the machine, by severity");
    let mut each =
        Family::gauge("fleetctl_alert", "1 for each code that the machine raises; `fleetctl explain CODE` tells more");
    for machine in &document.machines {
        let name = ("machine", machine.name.as_str());
        for severity in ["error", "warning", "note"] {
            let count = machine.alerts.iter().filter(|alert| alert.severity == severity).count();
            counts.sample(&[name, ("severity", severity)], count);
        }
        let mut said: Vec<&str> = Vec::new();
        for alert in &machine.alerts {
            // A code may be raised for several names; a series is one.
            if !said.contains(&alert.code) {
                said.push(alert.code);
                each.sample(&[name, ("code", alert.code), ("severity", alert.severity)], 1);
            }
        }
    }
    vec![counts, each]
}

fn slots(document: &StatusDocument, counters: &[(String, SlotCounters)]) -> Vec<Family> {
    let mut state = Family::gauge("fleetctl_slot_state", "1 for the state that the slot is in");
    let mut rank = Family::gauge("fleetctl_slot_rank", "the rank that answers, from 0; absent without one");
    let mut target = Family::gauge("fleetctl_slot_target_info", "where the slot goes now; always 1");
    let mut answers = Family::counter("fleetctl_resolutions_total", "answers of the resolver service since its start");
    for slot in &document.slots {
        let name = ("slot", slot.name.as_str());
        state.states(&[name], &["ok", "degraded", "down"], slot.state);
        rank.known(&[name], slot.rank);
        if let Some(to) = &slot.target {
            target.sample(&[name, ("name", to.served()), ("machine", to.machine())], 1);
        }
    }
    for (slot, counted) in counters {
        for (result, count) in [("answered", counted.answered), ("no-candidate", counted.without_candidate)] {
            answers.sample(&[("slot", slot), ("result", result)], count);
        }
    }
    vec![state, rank, target, answers]
}

fn jobs(document: &StatusDocument) -> Vec<Family> {
    let mut exit = Family::gauge("fleetctl_job_last_exit_code", "how the job's last run ended; absent while it runs");
    let mut began = Family::gauge("fleetctl_job_last_start_timestamp_seconds", "when the job's last run began");
    let mut took = Family::gauge("fleetctl_job_last_duration_seconds", "how long the job's last run took");
    let mut next = Family::gauge("fleetctl_job_next_start_timestamp_seconds", "when the job runs next");
    for job in &document.jobs {
        let labels = [("job", job.name.as_str()), ("machine", job.machine.as_str())];
        let last: Option<&JobRun> = job.last.as_ref();
        exit.known(&labels, last.and_then(|run| run.exit));
        began.known(&labels, seconds(last.and_then(|run| run.started_at.as_deref())));
        took.known(&labels, last.and_then(|run| run.seconds));
        next.known(&labels, seconds(job.next_at.as_deref()));
    }
    vec![exit, began, took, next]
}

fn services(document: &StatusDocument) -> Family {
    let mut up = Family::gauge("fleetctl_service_up", "1 where the gateway or the resolver has a process, 0 where not");
    for machine in &document.machines {
        for service in &machine.services {
            let has_process = match service.state {
                ServiceState::Running => Some(1),
                ServiceState::Held | ServiceState::Stopped(_) => Some(0),
                ServiceState::Unknown => None,
            };
            up.known(&[("service", service.name), ("machine", machine.name.as_str())], has_process);
        }
    }
    up
}

fn transitions(document: &StatusDocument) -> Family {
    let next = Family::gauge(
        "fleetctl_next_transition_timestamp_seconds",
        "when the machine's residents change next, within a day",
    );
    of_machines(document, next, |machine| {
        let of_machine = document.transitions.iter().filter(|transition| transition.machine == machine.name);
        of_machine.filter_map(|transition| seconds(Some(&transition.at))).min()
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// With METRICS_OUT the text of the whole fixture goes there: `scripts/check-outside` has prometheus_client's parser read it.
    #[test]
    fn everything_that_is_known_and_nothing_else() {
        let counters = [("extract-fast".to_owned(), SlotCounters { answered: 21, without_candidate: 0 })];
        let mut document = fixture::document();
        if let Some(file) = crate::env::Env::of_process().get("METRICS_OUT") {
            let text = render_metrics(&document, &counters);
            crate::fs::write_atomic(std::path::Path::new(file), text.as_bytes(), 0o644).expect("written");
        }
        document.machines.drain(1..2);
        insta::assert_snapshot!(render_metrics(&document, &counters), @r#"
        # HELP fleetctl_status_timestamp_seconds when this was seen
        # TYPE fleetctl_status_timestamp_seconds gauge
        fleetctl_status_timestamp_seconds{fleet="home"} 1795453200
        # HELP fleetctl_machine_up 1 where the machine answers, 0 where it does not
        # TYPE fleetctl_machine_up gauge
        fleetctl_machine_up{machine="mac-studio1"} 1
        fleetctl_machine_up{machine="mac-mini1"} 1
        fleetctl_machine_up{machine="mac-mini2"} 0
        # HELP fleetctl_omlx_state 1 for the state that the machine's oMLX is in
        # TYPE fleetctl_omlx_state gauge
        fleetctl_omlx_state{machine="mac-studio1",state="running"} 1
        fleetctl_omlx_state{machine="mac-studio1",state="starting"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="stopped"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="held"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="crashing"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="unresponsive"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="foreign"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="not-installed"} 0
        fleetctl_omlx_state{machine="mac-studio1",state="unknown"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="running"} 1
        fleetctl_omlx_state{machine="mac-mini1",state="starting"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="stopped"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="held"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="crashing"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="unresponsive"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="foreign"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="not-installed"} 0
        fleetctl_omlx_state{machine="mac-mini1",state="unknown"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="running"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="starting"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="stopped"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="held"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="crashing"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="unresponsive"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="foreign"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="not-installed"} 0
        fleetctl_omlx_state{machine="mac-mini2",state="unknown"} 1
        # HELP fleetctl_omlx_info the release that answers; always 1
        # TYPE fleetctl_omlx_info gauge
        fleetctl_omlx_info{machine="mac-studio1",version="0.3.8"} 1
        fleetctl_omlx_info{machine="mac-mini1",version="0.3.8"} 1
        # HELP fleetctl_omlx_uptime_seconds how long oMLX's process has run
        # TYPE fleetctl_omlx_uptime_seconds gauge
        fleetctl_omlx_uptime_seconds{machine="mac-studio1"} 266400
        fleetctl_omlx_uptime_seconds{machine="mac-mini1"} 266400
        # HELP fleetctl_omlx_restarts_total starts by launchd without the first
        # TYPE fleetctl_omlx_restarts_total counter
        fleetctl_omlx_restarts_total{machine="mac-studio1"} 0
        fleetctl_omlx_restarts_total{machine="mac-mini1"} 0
        # HELP fleetctl_machine_requests requests in work and in the queue, as oMLX counts them
        # TYPE fleetctl_machine_requests gauge
        fleetctl_machine_requests{machine="mac-studio1",state="running"} 3
        fleetctl_machine_requests{machine="mac-studio1",state="waiting"} 1
        fleetctl_machine_requests{machine="mac-mini1",state="running"} 0
        fleetctl_machine_requests{machine="mac-mini1",state="waiting"} 0
        # HELP fleetctl_omlx_tokens_total tokens since oMLX's start, as it counts them
        # TYPE fleetctl_omlx_tokens_total counter
        fleetctl_omlx_tokens_total{machine="mac-studio1",kind="prompt"} 120000
        fleetctl_omlx_tokens_total{machine="mac-studio1",kind="completion"} 45000
        # HELP fleetctl_drift_changes what a plan would change
        # TYPE fleetctl_drift_changes gauge
        fleetctl_drift_changes{machine="mac-studio1"} 0
        fleetctl_drift_changes{machine="mac-mini1"} 0
        # HELP fleetctl_generation the generation that the machine is in
        # TYPE fleetctl_generation gauge
        fleetctl_generation{machine="mac-studio1"} 4
        fleetctl_generation{machine="mac-mini1"} 4
        # HELP fleetctl_name_listed 1 where oMLX lists the declared name
        # TYPE fleetctl_name_listed gauge
        fleetctl_name_listed{machine="mac-studio1",name="moe-batched"} 1
        fleetctl_name_listed{machine="mac-studio1",name="moe-dflash"} 1
        fleetctl_name_listed{machine="mac-studio1",name="dense-synth"} 1
        fleetctl_name_listed{machine="mac-mini1",name="extract-2b"} 1
        # HELP fleetctl_name_loaded 1 where the name is loaded
        # TYPE fleetctl_name_loaded gauge
        fleetctl_name_loaded{machine="mac-studio1",name="moe-batched"} 1
        fleetctl_name_loaded{machine="mac-studio1",name="moe-dflash"} 1
        fleetctl_name_loaded{machine="mac-studio1",name="dense-synth"} 0
        fleetctl_name_loaded{machine="mac-mini1",name="extract-2b"} 1
        # HELP fleetctl_name_size_bytes what oMLX counts for the name
        # TYPE fleetctl_name_size_bytes gauge
        fleetctl_name_size_bytes{machine="mac-studio1",name="moe-batched"} 20401094656
        fleetctl_name_size_bytes{machine="mac-studio1",name="moe-dflash"} 18253611008
        fleetctl_name_size_bytes{machine="mac-studio1",name="dense-synth"} 0
        fleetctl_name_size_bytes{machine="mac-mini1",name="extract-2b"} 2147483648
        # HELP fleetctl_name_last_use_timestamp_seconds when its last request began
        # TYPE fleetctl_name_last_use_timestamp_seconds gauge
        fleetctl_name_last_use_timestamp_seconds{machine="mac-studio1",name="moe-batched"} 1795453196
        fleetctl_name_last_use_timestamp_seconds{machine="mac-studio1",name="moe-dflash"} 1795452420
        fleetctl_name_last_use_timestamp_seconds{machine="mac-mini1",name="extract-2b"} 1795453139
        # HELP fleetctl_memory_total_bytes memory of the machine
        # TYPE fleetctl_memory_total_bytes gauge
        fleetctl_memory_total_bytes{machine="mac-studio1"} 103079215104
        fleetctl_memory_total_bytes{machine="mac-mini1"} 17179869184
        # HELP fleetctl_memory_available_bytes memory that can be had now
        # TYPE fleetctl_memory_available_bytes gauge
        fleetctl_memory_available_bytes{machine="mac-studio1"} 25769803776
        fleetctl_memory_available_bytes{machine="mac-mini1"} 4294967296
        # HELP fleetctl_swap_used_bytes swap in use
        # TYPE fleetctl_swap_used_bytes gauge
        fleetctl_swap_used_bytes{machine="mac-studio1"} 0
        fleetctl_swap_used_bytes{machine="mac-mini1"} 0
        # HELP fleetctl_memory_pressure 1 for the level of memory pressure that macOS reports
        # TYPE fleetctl_memory_pressure gauge
        fleetctl_memory_pressure{machine="mac-studio1",state="normal"} 1
        fleetctl_memory_pressure{machine="mac-studio1",state="warn"} 0
        fleetctl_memory_pressure{machine="mac-studio1",state="critical"} 0
        fleetctl_memory_pressure{machine="mac-mini1",state="normal"} 1
        fleetctl_memory_pressure{machine="mac-mini1",state="warn"} 0
        fleetctl_memory_pressure{machine="mac-mini1",state="critical"} 0
        # HELP fleetctl_gpu_limit_bytes what the GPU may wire
        # TYPE fleetctl_gpu_limit_bytes gauge
        fleetctl_gpu_limit_bytes{machine="mac-studio1"} 84825604096
        fleetctl_gpu_limit_bytes{machine="mac-mini1"} 11811160064
        # HELP fleetctl_omlx_limit_bytes oMLX's limit for models
        # TYPE fleetctl_omlx_limit_bytes gauge
        fleetctl_omlx_limit_bytes{machine="mac-studio1"} 84825604096
        fleetctl_omlx_limit_bytes{machine="mac-mini1"} 11811160064
        # HELP fleetctl_omlx_used_bytes what oMLX counts for loaded models
        # TYPE fleetctl_omlx_used_bytes gauge
        fleetctl_omlx_used_bytes{machine="mac-studio1"} 38654705664
        fleetctl_omlx_used_bytes{machine="mac-mini1"} 2147483648
        # HELP fleetctl_headroom_bytes what is left to load, for contexts, for the system; below 0 is too much
        # TYPE fleetctl_headroom_bytes gauge
        fleetctl_headroom_bytes{machine="mac-studio1",kind="load"} 45097156608
        fleetctl_headroom_bytes{machine="mac-studio1",kind="context"} 32212254720
        fleetctl_headroom_bytes{machine="mac-studio1",kind="system"} 12884901888
        fleetctl_headroom_bytes{machine="mac-mini1",kind="load"} 9663676416
        fleetctl_headroom_bytes{machine="mac-mini1",kind="context"} 8589934592
        fleetctl_headroom_bytes{machine="mac-mini1",kind="system"} 5368709120
        # HELP fleetctl_alerts alerts of the machine, by severity
        # TYPE fleetctl_alerts gauge
        fleetctl_alerts{machine="mac-studio1",severity="error"} 0
        fleetctl_alerts{machine="mac-studio1",severity="warning"} 0
        fleetctl_alerts{machine="mac-studio1",severity="note"} 0
        fleetctl_alerts{machine="mac-mini1",severity="error"} 0
        fleetctl_alerts{machine="mac-mini1",severity="warning"} 0
        fleetctl_alerts{machine="mac-mini1",severity="note"} 1
        fleetctl_alerts{machine="mac-mini2",severity="error"} 1
        fleetctl_alerts{machine="mac-mini2",severity="warning"} 0
        fleetctl_alerts{machine="mac-mini2",severity="note"} 0
        # HELP fleetctl_alert 1 for each code that the machine raises; `fleetctl explain CODE` tells more
        # TYPE fleetctl_alert gauge
        fleetctl_alert{machine="mac-mini1",code="undeclared-name",severity="note"} 1
        fleetctl_alert{machine="mac-mini2",code="unreachable",severity="error"} 1
        # HELP fleetctl_slot_state 1 for the state that the slot is in
        # TYPE fleetctl_slot_state gauge
        fleetctl_slot_state{slot="extract-fast",state="ok"} 0
        fleetctl_slot_state{slot="extract-fast",state="degraded"} 1
        fleetctl_slot_state{slot="extract-fast",state="down"} 0
        fleetctl_slot_state{slot="chat-interactive",state="ok"} 1
        fleetctl_slot_state{slot="chat-interactive",state="degraded"} 0
        fleetctl_slot_state{slot="chat-interactive",state="down"} 0
        fleetctl_slot_state{slot="embed-fast",state="ok"} 0
        fleetctl_slot_state{slot="embed-fast",state="degraded"} 0
        fleetctl_slot_state{slot="embed-fast",state="down"} 1
        # HELP fleetctl_slot_rank the rank that answers, from 0; absent without one
        # TYPE fleetctl_slot_rank gauge
        fleetctl_slot_rank{slot="extract-fast"} 1
        fleetctl_slot_rank{slot="chat-interactive"} 0
        # HELP fleetctl_resolutions_total answers of the resolver service since its start
        # TYPE fleetctl_resolutions_total counter
        fleetctl_resolutions_total{slot="extract-fast",result="answered"} 21
        fleetctl_resolutions_total{slot="extract-fast",result="no-candidate"} 0
        # HELP fleetctl_service_up 1 where the gateway or the resolver has a process, 0 where not
        # TYPE fleetctl_service_up gauge
        fleetctl_service_up{service="gateway",machine="mac-studio1"} 1
        # HELP fleetctl_job_last_exit_code how the job's last run ended; absent while it runs
        # TYPE fleetctl_job_last_exit_code gauge
        fleetctl_job_last_exit_code{job="nightly-extract",machine="mac-mini1"} 3
        # HELP fleetctl_job_last_start_timestamp_seconds when the job's last run began
        # TYPE fleetctl_job_last_start_timestamp_seconds gauge
        fleetctl_job_last_start_timestamp_seconds{job="nightly-extract",machine="mac-mini1"} 1795417200
        # HELP fleetctl_job_last_duration_seconds how long the job's last run took
        # TYPE fleetctl_job_last_duration_seconds gauge
        fleetctl_job_last_duration_seconds{job="nightly-extract",machine="mac-mini1"} 312.5
        # HELP fleetctl_job_next_start_timestamp_seconds when the job runs next
        # TYPE fleetctl_job_next_start_timestamp_seconds gauge
        fleetctl_job_next_start_timestamp_seconds{job="nightly-extract",machine="mac-mini1"} 1795503600
        fleetctl_job_next_start_timestamp_seconds{job="reindex",machine="mac-mini2"} 1795503600
        # HELP fleetctl_next_transition_timestamp_seconds when the machine's residents change next, within a day
        # TYPE fleetctl_next_transition_timestamp_seconds gauge
        fleetctl_next_transition_timestamp_seconds{machine="mac-studio1"} 1795489200
        "#);
    }
}
