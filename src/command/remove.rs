//! `fleetctl remove MACHINE`: also one that the fleet file does not name any more.

use super::runtime::block_on;
use super::{Context, FleetFile};
use crate::cli::RemoveArgs;
use crate::error::{CommandError, Kind};
use crate::execute::{self, Job, MachineReport, MachineResult, Order, Purpose, Removal, Report, Waves};
use crate::exit::Exit;
use crate::fleet::{Address, Bind, Bytes, Engine, Machine, MachineName, Release};
use crate::render::Values;
use crate::transport::Connector;
use crate::ui::sanitize;

pub(crate) fn run(cx: &Context, args: &RemoveArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let machine = machine(cx, &file, args)?;
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let result = remove(cx, args, &file, &machine, &connector).await;
        connector.close().await;
        result
    })
}

async fn remove(
    cx: &Context,
    args: &RemoveArgs,
    file: &FleetFile,
    machine: &Machine,
    connector: &Connector,
) -> Result<Exit, CommandError> {
    let name = &machine.name;
    let remote = match connector.connect(machine).await {
        Ok(remote) => remote,
        Err(error) => {
            let mut detail = error.to_string();
            for hint in error.hints() {
                detail.push_str("; ");
                detail.push_str(&hint);
            }
            let report = MachineReport::new(name, MachineResult::Unreachable).because(detail);
            return cx.answer_report("remove", Report { machines: vec![report], is_interrupted: false });
        }
    };
    let Removal { transaction, fleet, kept } = execute::removal(&remote, file.fleet.gate).await.map_err(|error| {
        let hints = error.hints();
        let message = format!("{name} does not tell what is fleetctl's there");
        hints.into_iter().fold(CommandError::failed(message).because(error), CommandError::hint)
    })?;
    let Some(transaction) = transaction else {
        let report =
            MachineReport::new(name, MachineResult::Unchanged).because("fleetctl owns nothing on this machine");
        return cx.answer_report("remove", Report { machines: vec![report], is_interrupted: false });
    };
    if !fleet.is_empty() && fleet != file.fleet.name {
        return Err(CommandError::new(
            Kind::Refused,
            format!("{name} belongs to fleet {fleet:?}, this file is fleet {:?}", file.fleet.name),
        )
        .hint("remove it with that fleet's file: -f FILE"));
    }
    for path in &transaction.removes {
        cx.ui.status(&format!("  - {}", sanitize(path)));
    }
    for merge in &transaction.merges {
        cx.ui.status(&format!("  ~ {}: {} keys", sanitize(&merge.path), merge.remove.len()));
    }
    for unit in &transaction.units {
        cx.ui.status(&format!("  - daemon {}", sanitize(&unit.label)));
    }
    for kept in &kept {
        cx.ui.status(&format!("  left alone: {}: {}", sanitize(&kept.path), kept.reason));
    }
    let question =
        format!("Take everything of fleetctl off {name}? Its daemons end, its history goes; models and oMLX stay.");
    cx.agree(&args.carry_out, &question)?;
    let run = cx.begin_run("remove", &file.fleet.name, None).await;
    let mut summary: Vec<String> = transaction.removes.iter().map(|path| format!("- {path}")).collect();
    summary.extend(transaction.units.iter().map(|unit| format!("- {}", unit.label)));
    let terms = cx.terms(&run, &args.carry_out, Purpose::Remove, name.as_str(), &summary)?;
    let gateways = file.fleet.gateway_machines().cloned().collect();
    let values = Values::default();
    let job = Job { machine: machine.clone(), remote: Some(remote), transaction, values, terms, gateways };
    let order = Order { waves: Waves::one(), parallel: 1, all_or_nothing: false };
    let mut report = cx.carry_out(connector, &run, vec![job], &order, Vec::new(), &[name.as_str()]).await;
    for machine in &mut report.machines {
        // The generations went with the rest.
        machine.generation = None;
        machine.notes.extend(kept.iter().map(|kept| format!("left alone: {}: {}", kept.path, kept.reason)));
    }
    cx.answer_report("remove", report)
}

/// The machine of the file, or one made of what was typed.
fn machine(cx: &Context, file: &FleetFile, args: &RemoveArgs) -> Result<Machine, CommandError> {
    if let Some(machine) = file.fleet.machines.get(args.machine.as_str()) {
        return Ok(machine.clone());
    }
    let name = MachineName::new(&args.machine)
        .map_err(|error| CommandError::usage(format!("{:?} is {error}", args.machine)))?;
    let Some(user) = args.user.clone().filter(|user| !user.is_empty() && !user.chars().any(char::is_control)) else {
        return Err(cx
            .one_machine(&file.fleet, &args.machine)
            .err()
            .unwrap_or_else(|| CommandError::usage("no such machine"))
            .hint("a machine that the file does not name any more needs --user, and --address where NAME.TAILNET does not lead to it"));
    };
    let address = match (&args.address, &file.fleet.tailnet) {
        (Some(address), _) if address == "local" => Address::Local,
        (Some(address), _) => Address::Explicit(address.clone()),
        (None, Some(tailnet)) => Address::Tailnet(format!("{name}.{tailnet}")),
        (None, None) => {
            return Err(CommandError::usage(format!("no address leads to {name}")).hint("--address HOST"));
        }
    };
    let home = format!("/Users/{user}");
    Ok(Machine {
        name,
        tier: None,
        chip: String::new(),
        memory: Bytes(0),
        cores: None,
        address,
        lan: None,
        ssh_port: None,
        tailnet_ip: None,
        user,
        home: home.clone(),
        timezone: file.fleet.timezone.clone(),
        gpu_limit: None,
        note: None,
        omlx: Engine {
            release: Release::V0_3_8,
            program: String::new(),
            bind: Bind::Loopback,
            port: 1,
            base: format!("{home}/.omlx"),
            weights: home,
            api_key: None,
            environment: std::collections::BTreeMap::new(),
            settings: std::collections::BTreeMap::new(),
        },
    })
}
