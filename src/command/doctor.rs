//! `fleetctl doctor [SELECTOR]`

use std::sync::Arc;

use super::machines::{Answered, Silent};
use super::runtime::block_on;
use super::tailnet::tailnet;
use super::{Context, select, status};
use crate::cli::DoctorArgs;
use crate::diagnostic::Severity;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Address, Fleet, Machine, layout};
use crate::observe::{AskFile, Contents, Node, Path};
use crate::plan::doctor::{self, Examined, Mend};
use crate::render::{self, Values};
use crate::transport::{Connector, Trouble, quote, sudo};
use crate::ui::json::{DoctorDocument, ExaminedMachine, FindingEntry};
use crate::ui::{Palette, Waiting, doctor_text};

pub(crate) fn run(cx: &Context, args: &DoctorArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    cx.show_warnings(&file);
    let selectors: Vec<String> = args.selector.iter().chain(&cx.global.on).cloned().collect();
    let machines: Vec<Machine> = select::select(&selectors, &file.fleet)?.into_iter().cloned().collect();
    let fleet = Arc::new(file.fleet);
    block_on(async {
        let connector = cx.connector(&fleet)?;
        let exit = look(cx, &connector, &fleet, &machines).await;
        connector.close().await;
        exit
    })
}

async fn look(
    cx: &Context,
    connector: &Connector,
    fleet: &Arc<Fleet>,
    machines: &[Machine],
) -> Result<Exit, CommandError> {
    let chosen: Vec<&Machine> = machines.iter().collect();
    let names = chosen.iter().map(|machine| machine.name.to_string()).collect();
    let mut waiting = Waiting::new(names, cx.ui.animates());
    let answers = cx
        .probe_asking(
            connector,
            fleet,
            &chosen,
            |ask, bundle| {
                ask.checkup = true;
                let logs = bundle.units.iter().map(|unit| unit.log.0.clone());
                ask.files.extend(logs.chain([layout::LOGS.to_owned()]).map(|path| AskFile {
                    path,
                    contents: Contents::Never,
                    private: false,
                }));
            },
            |event, answer| {
                waiting.tell(&event, answer.map(Waiting::said));
            },
        )
        .await;
    waiting.finish();
    // Behind the probes: then the paths that they took are the active ones.
    let tailnet = tailnet().await.ok();
    let values = cx.values_at_hand(fleet).await;
    let mut shown = Vec::new();
    for (machine, answer) in chosen.iter().zip(&answers) {
        let peer = tailnet.as_ref().and_then(|tailnet| tailnet.peers.iter().find(|peer| is_peer(machine, peer)));
        let mut findings = findings(cx, fleet, machine, answer, peer, &values);
        if let Err(error) = cx.values(fleet, &[machine]).await {
            findings.push(missing_secret(machine, &error));
        }
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        findings.retain(|finding| !doctor::is_said_by(finding.code, &codes));
        findings.sort_by_key(|finding| doctor::order(finding.code, severity(finding)));
        shown.push(ExaminedMachine { name: machine.name.to_string(), findings });
    }
    let document = DoctorDocument { schema: "fleetctl.doctor/1", machines: shown };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        let text = doctor_text(&document, cx.ui.width(), Palette::new(cx.ui.colors_answer()));
        cx.ui.answer(&cx.with_file(&text))?;
    }
    let outcomes = document.machines.iter().zip(&answers).map(|(machine, answer)| {
        let has_error = machine.findings.iter().any(|finding| finding.severity == Severity::Error.as_str());
        match answer {
            Ok(_) if has_error => MachineOutcome::Differs,
            Ok(_) => MachineOutcome::Succeeded,
            // A finding, and not examined further: cli.md counts it as failed, for every verb.
            Err(silent) => silent.outcome(cx.global.unreachable),
        }
    });
    Ok(over_machines(outcomes))
}

fn severity(finding: &FindingEntry) -> Severity {
    let all = [Severity::Error, Severity::Warning];
    all.into_iter().find(|severity| severity.as_str() == finding.severity).unwrap_or(Severity::Note)
}

fn is_peer(machine: &Machine, peer: &Node) -> bool {
    let host = match &machine.address {
        Address::Tailnet(host) | Address::Explicit(host) => host.as_str(),
        Address::Local => return false,
    };
    host.split('.').next() == Some(peer.name.as_str())
        || peer.address.is_some_and(|address| host == address.to_string())
}

fn findings(
    cx: &Context,
    fleet: &Fleet,
    machine: &Machine,
    answer: &Result<Answered, Silent>,
    peer: Option<&Node>,
    values: &Values,
) -> Vec<FindingEntry> {
    let bundle = render::bundle(fleet, machine);
    let observed = answer.as_ref().ok().map(|answered| &answered.observed);
    let alerts = status::alerts_of(fleet, machine, answer, cx.clock.now(), values);
    let examined = observed.map(|observed| Examined {
        fleet,
        machine,
        bundle: &bundle,
        observed,
        drifts: alerts.iter().any(|alert| alert.code == "drifted"),
        peer,
        now: cx.clock.now(),
        quote: &quote,
    });
    let through = Through { machine, lan: observed.is_some_and(|observed| observed.path == Path::Lan), cx };
    let mut all: Vec<FindingEntry> = alerts
        .into_iter()
        .map(|alert| {
            let mut hints = alert.hints;
            let service = alert.unit.zip(examined.as_ref());
            let mend = match (alert.code, answer) {
                ("service-stopped", Ok(_)) => service.map(|(unit, examined)| {
                    let (mend, hint) = doctor::mend_service(unit, examined);
                    hints.extend(hint);
                    mend
                }),
                ("sudo-refused", _) => Some(doctor::sudo_rule(&sudo::line(&machine.user), &quote)),
                (_, Err(silent)) => reach(machine, silent).map(Mend::Here),
                (code, Ok(_)) => doctor::mend(code, machine, examined.as_ref()),
            };
            if matches!(alert.code, "omlx-not-installed" | "omlx-other-release") {
                hints.extend(doctor::install_beside(machine));
            }
            // The command that mends it stands below.
            let message = alert.message.split(": fleetctl ").next().unwrap_or_default();
            entry(machine, alert.code, alert.severity, message, mend, &through, hints)
        })
        .collect();
    let own = examined.as_ref().map(doctor::examine).unwrap_or_default();
    all.extend(own.into_iter().map(|finding| {
        let (code, severity) = (finding.code.id, finding.code.severity.as_str());
        entry(machine, code, severity, &finding.message, finding.mend, &through, Vec::new())
    }));
    all
}

fn entry(
    machine: &Machine,
    code: &'static str,
    severity: &'static str,
    message: &str,
    mend: Option<Mend>,
    through: &Through<'_>,
    hints: Vec<String>,
) -> FindingEntry {
    let message = message.strip_prefix(&format!("{}: ", machine.name)).unwrap_or(message);
    let mend = mend.map(|mend| through.command(&mend));
    // A hint that only says the command again is left out.
    let hints =
        hints.into_iter().filter(|hint| mend.as_ref().is_none_or(|mend| !hint.contains(mend.as_str()))).collect();
    FindingEntry { code, severity, message: format!("{}: {message}", machine.name), mend, hints }
}

/// How the operator's shell gets onto the machine.
struct Through<'a> {
    machine: &'a Machine,
    lan: bool,
    cx: &'a Context,
}

impl Through<'_> {
    fn command(&self, mend: &Mend) -> String {
        let there = match mend {
            Mend::Here(command) => return self.cx.with_file(command),
            Mend::There(command) => command,
        };
        let host = match (&self.machine.address, &self.machine.lan) {
            (Address::Local, _) => return there.clone(),
            (_, Some(lan)) if self.lan => lan,
            (Address::Tailnet(host) | Address::Explicit(host), _) => host,
        };
        let port = self.machine.ssh_port.map_or(String::new(), |port| format!("-p {port} "));
        // -t: sudo may ask for a password.
        format!("ssh -t {port}{} {}", quote(&format!("{}@{host}", self.machine.user)), quote(there))
    }
}

/// The command for a machine that does not answer.
fn reach(machine: &Machine, silent: &Silent) -> Option<String> {
    let Silent::Unreachable(error) = silent else { return None };
    let attempt = error.attempts.iter().find(|attempt| attempt.trouble == error.trouble())?;
    let port = attempt.port.filter(|port| *port != 22).map_or(String::new(), |port| format!("-p {port} "));
    let login = quote(&format!("{}@{}", attempt.user, attempt.host));
    let name = &machine.name;
    Some(match error.trouble() {
        Trouble::Name => "tailscale status".to_owned(),
        Trouble::NoRoute | Trouble::TimedOut => format!("tailscale ping {}", quote(&attempt.host)),
        Trouble::Auth => format!("ssh-copy-id {port}{login}"),
        Trouble::HostKeyChanged => format!("ssh-keygen -R {name} && fleetctl doctor {name} --accept-new"),
        Trouble::HostKeyUnknown => format!("fleetctl doctor {name} --accept-new"),
        // Remote Login is switched on at the machine itself (macos.md 4.1).
        Trouble::Refused | Trouble::ControlPath => return None,
        Trouble::Ssh => "ssh -G localhost".to_owned(),
        Trouble::Stalled | Trouble::Closed | Trouble::Other => format!("ssh -v {port}{login} true"),
    })
}

fn missing_secret(machine: &Machine, error: &CommandError) -> FindingEntry {
    let code = &doctor::SECRET_MISSING;
    let text = error.to_string();
    // The variable's name is all that is known of an environment's secret.
    let variable = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).find(|word| word.contains("_KEY"));
    FindingEntry {
        code: code.id,
        severity: code.severity.as_str(),
        message: format!("{}: {text}", machine.name),
        mend: variable.map(|variable| format!("export {variable}=…")),
        hints: error.hints.clone(),
    }
}
