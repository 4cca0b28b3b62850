//! `fleetctl gateway render`

use super::Context;
use crate::cli::{GatewayArgs, GatewayCommand, GatewayEngineName, GatewayRenderArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, GatewayEngine, Machine};
use crate::schedule::Moment;
use crate::slot::gateway;
use crate::ui::json::GatewayDocument;
use crate::ui::sanitize;

pub(crate) fn run(cx: &Context, args: &GatewayArgs) -> Result<Exit, CommandError> {
    match &args.command {
        GatewayCommand::Render(args) => render(cx, args),
    }
}

fn render(cx: &Context, args: &GatewayRenderArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let (machine, declared) = gateway_machine(cx, fleet)?;
    let at = cx.time(args.at.as_deref(), &fleet.timezone)?;
    let engine = match args.engine {
        Some(GatewayEngineName::Litellm) => GatewayEngine::Litellm,
        None => declared,
    };
    let config = match engine {
        GatewayEngine::Litellm => {
            gateway::litellm(fleet, machine, &gateway::state_of(fleet, at), Some(&Moment::new(fleet, at)))
        }
    };
    if cx.global.json {
        cx.ui.answer_json(&GatewayDocument::new(machine, engine, &config))?;
        return Ok(Exit::Done);
    }
    cx.ui.answer(&config.text)?;
    for lost in &config.lost {
        let slot = lost.slot.as_ref().map_or("all slots", |slot| slot.as_str());
        cx.ui.warn(&format!("{}: {slot}: {}", lost.id, sanitize(&lost.message)));
    }
    Ok(Exit::Done)
}

/// The gateway's machine: the first of [gateway].on, of those that `--on` selects.
fn gateway_machine<'a>(cx: &Context, fleet: &'a Fleet) -> Result<(&'a Machine, GatewayEngine), CommandError> {
    let Some(gateway) = &fleet.gateway else {
        let error = CommandError::failed("the fleet file declares no [gateway]");
        return Err(error.hint("[gateway] names the router's engine, machines, program, bind and port"));
    };
    let selected = cx.select(fleet)?;
    let machine = gateway.on.iter().find_map(|name| selected.iter().find(|machine| machine.name == *name));
    let machine = machine.ok_or_else(|| {
        let on: Vec<&str> = gateway.on.iter().map(crate::fleet::MachineName::as_str).collect();
        CommandError::usage(format!("--on selects no machine of the gateway: it is on {}", on.join(", ")))
    })?;
    Ok((machine, gateway.engine))
}
