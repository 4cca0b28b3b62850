//! `fleetctl init [--probe]`

mod found;
mod names;
mod text;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use self::found::Found;
use self::text::{Laptop, first_fleet};
use self::words::string;
use super::Context;
use super::runtime::block_on;
use super::tailnet::tailnet;
use crate::cli::InitArgs;
use crate::config;
use crate::diagnostic::Severity;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Machine, MachineName};
use crate::fs;
use crate::observe::Node;
use crate::transport::{As, Remote, quote_all};
use crate::ui::json::InitDocument;
use crate::ui::{Waiting, sanitize};

/// The worked example, where no tailnet can be asked.
const EXAMPLE: &str = include_str!("../../fleet.toml");
const SURVEY: &str = include_str!("../../templates/survey.sh");
/// For listing directories of weights; a cold disk answers slowly.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(cx: &Context, args: &InitArgs) -> Result<Exit, CommandError> {
    let path = &cx.global.file;
    if fs::mode(path).is_ok() {
        return Err(CommandError::failed(format!("{} is there already, and nothing was written", path.display()))
            .hint("-f names another file; `fleetctl edit` changes this one"));
    }
    let text = block_on(async { Ok(text(cx, args).await) })?;
    fs::write_atomic(path, text.as_bytes(), 0o644)
        .map_err(|error| CommandError::failed(format!("cannot write {}", path.display())).because(error))?;
    let loaded = config::load(&path.display().to_string(), &text);
    let errors = loaded.problems.iter().filter(|problem| problem.severity() == Severity::Error).count();
    if cx.global.json {
        let machines = loaded.sound.iter().flat_map(|fleet| fleet.machines.keys()).map(str::to_owned).collect();
        cx.ui.answer_json(&InitDocument::new(path.display().to_string(), machines, errors))?;
    }
    cx.ui.status(&format!("wrote {}", path.display()));
    cx.ui.status(match errors {
        0 => "next: `fleetctl check`, then `fleetctl plan`",
        _ => "next: fill in what its comments ask for; `fleetctl check` says what is missing",
    });
    Ok(Exit::Done)
}

async fn text(cx: &Context, args: &InitArgs) -> String {
    let nodes = match tailnet().await {
        Ok(tailnet) => {
            let macs: Vec<Node> = tailnet.peers.into_iter().filter(|peer| peer.os == "macOS").collect();
            tailnet
                .suffix
                .filter(|_| !macs.is_empty())
                .map(|suffix| (suffix, macs))
                .ok_or("the tailnet has no other Mac".to_owned())
        }
        Err(error) => Err(error.to_string()),
    };
    let (suffix, macs) = match nodes {
        Ok(found) => found,
        Err(why) => {
            cx.ui.warn(&format!("{}: the worked example is written instead; it is not your fleet", sanitize(&why)));
            return EXAMPLE.to_owned();
        }
    };
    let own = cx.env.get("USER").or(cx.env.get("LOGNAME"));
    let user = args.user.as_deref().or(own).unwrap_or("ops").to_owned();
    let zone = jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let mut machines: Vec<Found> = macs.iter().map(of_node).collect();
    if args.probe {
        probe(cx, &suffix, &user, &mut machines).await;
    }
    let laptop = Laptop { tailnet: &suffix, user: &user, zone: &zone, has_probed: args.probe };
    first_fleet(&laptop, &machines)
}

fn of_node(node: &Node) -> Found {
    // A direct path over an address that no router of the internet carries is the local network.
    let local = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(_) => false,
    };
    let direct = node.direct.as_deref().and_then(|direct| direct.parse::<std::net::SocketAddr>().ok());
    Found {
        name: node.name.clone(),
        lan: direct.map(|direct| direct.ip()).filter(local),
        is_online: node.is_online,
        ..Found::default()
    }
}

/// Asks every machine that can have a name here, as a fleet of machines about which nothing is known.
async fn probe(cx: &Context, suffix: &str, user: &str, machines: &mut [Found]) {
    let mut text = format!(
        "schema = 1\n[fleet]\nname = \"init\"\ntimezone = \"UTC\"\ntailnet = {}\nuser = {}\n[omlx]\nversion = \"0.3.8\"\nprogram = \"/opt/homebrew/bin/omlx\"\nbind = \"loopback\"\nport = 8000\nbase = \"~/.omlx\"\nweights = \"~/models\"\n",
        string(suffix),
        string(user)
    );
    for machine in machines.iter().filter(|machine| MachineName::new(machine.name.as_str()).is_ok()) {
        text.push_str(&format!("[machines.{}]\nchip = \"M4\"\nmemory = \"16GB\"\n", machine.name));
    }
    let Some(fleet) = config::load("init", &text).sound else {
        cx.ui.warn("the machines cannot be asked: their names or this user's make no fleet file");
        return;
    };
    let fleet = Arc::new(fleet);
    let chosen: Vec<&Machine> = fleet.machines.iter().collect();
    let connector = match cx.connector(&fleet) {
        Ok(connector) => connector,
        Err(error) => {
            cx.ui.error(&error);
            return;
        }
    };
    let names = chosen.iter().map(|machine| machine.name.to_string()).collect();
    let mut waiting = Waiting::new(names, cx.ui.animates());
    let answers = cx
        .probe(&connector, &fleet, &chosen, |event, answer| {
            waiting.tell(&event, answer.map(Waiting::said));
        })
        .await;
    waiting.finish();
    for (machine, answer) in chosen.iter().zip(answers) {
        let Some(found) = machines.iter_mut().find(|found| machine.name == *found.name.as_str()) else { continue };
        match answer {
            Ok(answered) => {
                found.learn(&answered.observed, machine);
                found.survey(&survey(&answered.remote).await);
            }
            Err(silent) => {
                cx.ui.warn(&silent.to_string());
                for hint in silent.hints() {
                    cx.ui.status(&format!("  {hint}"));
                }
                let text = silent.to_string();
                found.silent = Some(text.strip_prefix(&format!("{}: ", machine.name)).unwrap_or(&text).to_owned());
            }
        }
    }
    connector.close().await;
    if machines.iter().all(|machine| machine.silent.is_some()) {
        cx.ui.status(&format!(
            "no machine answered {user}: if somebody else logs in there, remove the file and say `fleetctl init --probe --user NAME`; \
             --accept-new is for machines that you never connected to"
        ));
    }
}

/// What weights lie there. A machine that does not say has none here: the file says what is missing.
async fn survey(remote: &Remote) -> String {
    let script = format!("set -- {}\n{SURVEY}", quote_all(["/Volumes/models", "/opt/models"]));
    let said = remote.run(As::Login, &script, PATIENCE).await;
    said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
