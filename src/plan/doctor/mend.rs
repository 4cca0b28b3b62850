//! The command that mends a finding: of doctor's own rules, and of status's alerts by their code.

use super::Examined;
use crate::fleet::{Machine, Release, layout};
use crate::observe::ForeignEngine;
use crate::plan::obstacle;

/// A command to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// On the operator's computer.
    Here(String),
    /// On the machine, in its own shell; sudo may ask for a password there.
    There(String),
}

/// The command for one of status's alerts; `None` where there is none that only needs to be copied.
pub fn mend(code: &str, machine: &Machine, examined: Option<&Examined<'_>>) -> Option<Mend> {
    let name = &machine.name;
    let here = |text: String| Some(Mend::Here(text));
    let there = |text: String| Some(Mend::There(text));
    match code {
        "omlx-not-installed" | "omlx-other-release" => install(machine, examined?.quote),
        "omlx-foreign" => {
            let examined = examined?;
            let foreign = examined.observed.foreign.first()?;
            if foreign.target().is_some() {
                here(format!("fleetctl adopt {name}"))
            } else {
                stop(foreign, examined.quote)
            }
        }
        // oMLX looks for models and loads the pinned ones when it starts (omlx.md 5.1, 6).
        "name-not-listed" | "resident-not-loaded" if examined.is_some_and(|examined| !examined.drifts) => {
            here(format!("fleetctl restart {name}"))
        }
        "never-applied"
        | "omlx-stopped"
        | "drifted"
        | "state-unreadable"
        | "name-not-listed"
        | "resident-not-loaded" => here(format!("fleetctl apply --on {name}")),
        "omlx-held" => here(format!("fleetctl start {name}")),
        "omlx-crashing" | "omlx-starting" => here(format!("fleetctl logs {name}")),
        "omlx-unresponsive" | "omlx-key-refused" => here(format!("fleetctl restart {name}")),
        "weights-missing" | "weights-incomplete" => here(format!("fleetctl models sync --on {name}")),
        "no-headroom" => here(format!("fleetctl capacity --on {name}")),
        "gpu-limit-differs" => {
            let is_there = examined?.observed.jobs.contains_key(&layout::label("gpu-limit"));
            here(if is_there {
                format!("fleetctl restart {name} gpu-limit")
            } else {
                format!("fleetctl apply --on {name}")
            })
        }
        "apply-reverted" | "apply-revert-failed" => here(format!("fleetctl history {name}")),
        "path-blocked" => {
            let examined = examined?;
            let all = obstacle::obstacles(machine, examined.bundle, examined.observed, examined.quote);
            there(all.into_iter().map(|obstacle| obstacle.mend).collect::<Vec<_>>().join(" && "))
        }
        // Without a name it lists the weights that nothing needs, with their sizes.
        "disk-low" => here(format!("fleetctl models prune --on {name}")),
        "clock-zone" => {
            let examined = examined?;
            there(format!("sudo systemsetup -settimezone {}", (examined.quote)(machine.timezone.name())))
        }
        "clock-off" => there("sudo sntp -sS time.apple.com".to_owned()),
        _ => None,
    }
}

/// Ends an oMLX that is not ours and keeps it from coming back; its definition stays where it is.
pub(super) fn stop(foreign: &ForeignEngine, quote: &dyn Fn(&str) -> String) -> Option<Mend> {
    if foreign.command.contains("/oMLX.app/") {
        // Its own supervisor would start a killed server again (facts/omlx.md 9).
        return Some(Mend::There(
            "osascript -e 'quit app \"oMLX\"' -e 'tell application \"System Events\" to delete (every login item whose name is \"oMLX\")'"
                .to_owned(),
        ));
    }
    let (Some(domain), Some(label)) = (&foreign.domain, &foreign.label) else {
        return Some(Mend::There(format!("sudo kill {}", foreign.pid?)));
    };
    let sudo = if domain == "system" { "sudo " } else { "" };
    let target = quote(&format!("{domain}/{label}"));
    Some(Mend::There(format!("{sudo}launchctl bootout {target}; {sudo}launchctl disable {target}")))
}

/// Installs the rule for our one command under sudo: checked before it is in force (macos.md 4.2). `line`: transport's, for the login user.
pub fn sudo_rule(line: &str, quote: &dyn Fn(&str) -> String) -> Mend {
    Mend::There(format!(
        "f=$(mktemp) && echo {} >\"$f\" && sudo visudo -cf \"$f\" && sudo install -o root -g wheel -m 0440 \"$f\" /etc/sudoers.d/fleetctl",
        quote(line)
    ))
}

/// How the declared release gets onto a machine. Homebrew's tap holds one release at a time, and its tags may lag (oMLX #809), so the formula is taken at the
/// tag and the release is verified afterwards; the fork comes from PyPI into the environment that `program` lies in, or into one of its own where that is
/// Homebrew's prefix: [`install_beside`] says what the file must say then.
pub fn install(machine: &Machine, quote: &dyn Fn(&str) -> String) -> Option<Mend> {
    let program = &machine.omlx.program;
    let release = machine.omlx.release;
    match release {
        Release::Flyto0_7_0 => {
            let environment = quote(&environment(machine)?);
            Some(Mend::There(format!(
                "python3.11 -m venv {environment} && {environment}/bin/pip install flyto-mlx==0.7.0"
            )))
        }
        Release::V0_3_8 | Release::V0_5_0 => {
            let brew = quote(&format!("{}/brew", program.strip_suffix("/omlx")?));
            Some(Mend::There(format!(
                "{brew} tap jundot/omlx https://github.com/jundot/omlx && git -C \"$({brew} --repository jundot/omlx)\" checkout v{release} && HOMEBREW_NO_AUTO_UPDATE=1 {brew} install jundot/omlx/omlx",
            )))
        }
    }
}

/// The Python environment of the fork.
fn environment(machine: &Machine) -> Option<String> {
    environment_of(&machine.omlx.program, "omlx", "flyto-omlx", machine)
}

/// The Python environment that a program lies in; one of its own in the home, where the program is to lie in Homebrew's prefix.
pub(super) fn environment_of(program: &str, name: &str, own: &str, machine: &Machine) -> Option<String> {
    let prefix = program.strip_suffix(&format!("/bin/{name}"))?;
    let is_homebrew = matches!(prefix, "/opt/homebrew" | "/usr/local");
    Some(if is_homebrew { format!("{}/{own}", machine.home) } else { prefix.to_owned() })
}

/// What the fleet file must say once [`install`] is done; `None` where it says so already.
pub fn install_beside(machine: &Machine) -> Option<String> {
    let program = format!("{}/bin/omlx", environment(machine)?);
    (machine.omlx.release == Release::Flyto0_7_0 && program != machine.omlx.program)
        .then(|| said_beside(&program, "omlx"))
}

/// Where a program is that was to lie in Homebrew's prefix.
pub(super) fn said_beside(program: &str, table: &str) -> String {
    format!("and afterwards program = {program:?} in [{table}]: pip in Homebrew's own prefix would break Homebrew")
}

/// The log of a unit, made as the runner makes it.
pub(super) fn make_log(path: &str, owner: &crate::render::Owner, quote: &dyn Fn(&str) -> String) -> Mend {
    let (path, user, group) = (quote(path), quote(&owner.user), quote(&owner.group));
    Mend::There(format!(
        "sudo install -d -o root -g wheel -m 0755 {logs} && sudo touch {path} && sudo chown {user}:{group} {path}",
        logs = layout::LOGS
    ))
}
