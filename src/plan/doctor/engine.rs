//! oMLX and the daemons: left-over processes, the port and who may use it, launchd's back-off (omlx.md 9; macos.md 1.4, 1.5).

use serde_json::Value;

use super::{Examined, Finding, Mend, codes, mend};
use crate::fleet::{Bind, layout};
use crate::observe::{FileFact, LaunchdJob};
use crate::plan::standing::{Standing, standing};

/// launchd ends a job so when it cannot open what the definition names (macos.md 1.5).
const EX_CONFIG: i32 = 78;

pub(super) fn rules(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    others(examined, all);
    port(examined, all);
    pending_restart(examined, all);
    keyless(examined, all);
    for (label, job) in &examined.observed.jobs {
        held_back(examined, label, job, all);
    }
}

/// oMLX outside our job: processes that no job has, and other jobs beside ours. Without ours, status says `omlx-foreign` of the first.
fn others(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let ours = examined.observed.jobs.get(&layout::label("omlx")).and_then(|job| job.pid);
    let said = usize::from(ours.is_none());
    for foreign in examined.observed.foreign.iter().skip(said) {
        match (&foreign.label, foreign.pid) {
            (None, Some(pid)) => all.push(
                Finding::new(&codes::OMLX_STALE, format!("pid {pid} is an oMLX of no job: {}", foreign.command))
                    .mended(Mend::There(format!("sudo kill {pid}"))),
            ),
            (Some(label), _) if ours.is_some() => all.push(Finding {
                mend: mend::stop(foreign, examined.quote),
                ..Finding::new(&codes::OMLX_SECOND, format!("{label} is loaded beside our daemon"))
            }),
            _ => {}
        }
    }
}

fn port(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let observed = examined.observed;
    let port = examined.machine.omlx.port;
    let is_known = |command: &str| command.contains("omlx") || command.contains(&examined.machine.omlx.base);
    let ours = observed.jobs.get(&layout::label("omlx")).and_then(|job| job.pid);
    for owner in observed.listeners.get(&port).into_iter().flatten() {
        if Some(owner.pid) == ours || owner.command.is_empty() || is_known(&owner.command) {
            continue;
        }
        let user = owner.user.as_deref().map_or(String::new(), |user| format!(" of {user}"));
        all.push(
            Finding::new(
                &codes::PORT_TAKEN,
                format!(
                    "port {port} is held by pid {}{user}: {}; end it, or give oMLX another `port`",
                    owner.pid, owner.command
                ),
            )
            .mended(Mend::There(format!("sudo kill {}", owner.pid))),
        );
    }
}

/// What is installed and what runs are two releases. Another one than declared that runs is status's `omlx-other-release`.
fn pending_restart(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let (observed, declared) = (examined.observed, examined.machine.omlx.release);
    let running = observed.engine.status.got().and_then(|status| status.get("version")?.as_str());
    let finding = match standing(declared, running, observed.installed_release.as_deref(), true) {
        Standing::Pending { running } => Finding::new(
            &codes::OMLX_RESTART_PENDING,
            format!("oMLX {declared} is installed, as declared, and {running} still runs"),
        )
        .mended(Mend::Here(format!("fleetctl apply --on {}", examined.machine.name))),
        Standing::Replaced { installed } => Finding::new(
            &codes::OMLX_RESTART_PENDING,
            format!(
                "oMLX {installed} is installed and {declared} still runs, as declared: its next start is the other"
            ),
        ),
        Standing::Declared | Standing::Other { .. } => return,
    };
    all.push(finding);
}

/// Who may use the port (docs/lints.md L15): as it is on the machine, and as it is declared.
fn keyless(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let machine = examined.machine;
    if let Some(host) = open_host(examined) {
        let name = &machine.name;
        all.push(
            Finding::new(&codes::PORT_OPEN, format!("settings.json there has host {host} and asks for no key"))
                .mended(Mend::Here(format!("fleetctl apply --on {name}"))),
        );
    } else if machine.omlx.api_key.is_none() && machine.omlx.bind != Bind::Loopback {
        let port = machine.omlx.port;
        all.push(
            Finding::new(
                &codes::PORT_UNGUARDED,
                format!("the file binds port {port} to an address of the network, without api_key"),
            )
            .mended(Mend::Here("fleetctl edit".to_owned())),
        );
    }
}

/// The host that settings.json on the machine binds, when the network reaches it and no key is asked for.
fn open_host(examined: &Examined<'_>) -> Option<String> {
    let Some(FileFact::File { bytes: Some(bytes), .. }) =
        examined.observed.files.get(&layout::settings_path(examined.machine))
    else {
        return None;
    };
    let settings: Value = serde_json::from_slice(bytes).ok()?;
    let host = settings.pointer("/server/host").and_then(Value::as_str)?;
    let is_local = host.split(',').all(|host| matches!(host.trim(), "127.0.0.1" | "::1" | "localhost"));
    // A tailnet's own rules guard a tailnet address; the declared bind says so, below.
    let is_tailnet = host.starts_with("100.") || host.starts_with("fd7a:");
    let key = settings.pointer("/auth/api_key").and_then(Value::as_str).unwrap_or_default();
    let is_skipped = settings.pointer("/auth/skip_api_key_verification").and_then(Value::as_bool) == Some(true);
    (!is_local && !is_tailnet && (key.is_empty() || is_skipped)).then(|| host.to_owned())
}

fn held_back(examined: &Examined<'_>, label: &str, job: &LaunchdJob, all: &mut Vec<Finding>) {
    let name = &examined.machine.name;
    let unit = label.strip_prefix(layout::LABEL_PREFIX).unwrap_or(label);
    if job.pid.is_some() {
        return;
    }
    if job.last_exit == Some(EX_CONFIG) {
        all.push(
            Finding::new(
                &codes::DAEMON_CANNOT_OPEN,
                format!("{unit} ended with 78 before it ran: its log, working directory or program cannot be opened"),
            )
            .mended(Mend::Here(format!("fleetctl apply --on {name}"))),
        );
    }
    let crashes = job.successive_crashes.unwrap_or(0);
    if crashes >= 2 || job.state.contains("penalty") {
        let wait = job.minimum_runtime.map_or(String::new(), |seconds| format!(", {seconds} s between starts"));
        all.push(
            Finding::new(
                &codes::DAEMON_THROTTLED,
                format!("launchd holds {unit} back after {crashes} crashes in a row ({}{wait})", job.state),
            )
            .mended(Mend::Here(format!("fleetctl restart {name} {}", (examined.quote)(unit)))),
        );
    }
}
