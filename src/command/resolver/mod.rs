//! `fleetctl resolver`: a small resident that keeps the snapshot warm and answers where a slot is now. No prompt passes through it.

mod http;
mod prober;
mod routes;
mod service;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::runtime::block_on;
use super::slot_probe::Keys;
use crate::cli::ResolverArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Bind, Fleet, Machine, Resolver};
use crate::transport;
use service::Service;

/// Where it listens when the file has no [resolver]: this computer alone.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4100);

pub(crate) fn run(cx: &Context, args: &ResolverArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    block_on(serve(cx, args, file.fleet))
}

async fn serve(cx: &Context, args: &ResolverArgs, fleet: Fleet) -> Result<Exit, CommandError> {
    let address = match args.listen {
        Some(address) => address,
        None => address(fleet.resolver.as_ref())?,
    };
    let listener = transport::listen(address).await.map_err(|error| {
        CommandError::failed(format!("cannot listen on {address}"))
            .because(error)
            .hint("another program may hold the port; --listen ADDRESS:PORT takes another")
    })?;
    let address = listener.local_addr().unwrap_or(address);
    let machines: Vec<&Machine> = fleet.machines.iter().collect();
    let keys = Keys::fetch(cx, &machines).await;
    let service = Arc::new(Service::new(fleet, cx.clock));
    let (told, mut heard) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut tasks = prober::start(&service, &keys, &told, &stop)
        .map_err(|error| CommandError::failed("cannot ask the machines").because(error))?;
    drop(told);
    cx.ui.status(&format!("resolver of {} on http://{address}/", service.fleet().name));
    tasks.spawn(http::serve(listener, routes::router(Arc::clone(&service)), stop.clone()));
    let exit = loop {
        tokio::select! {
            Some(line) = heard.recv() => cx.ui.status(&line),
            signal = transport::asked_to_stop() => break match signal {
                transport::Stop::Interrupted => Exit::Interrupted,
                transport::Stop::Terminated => Exit::Done,
            },
        }
    };
    stop.cancel();
    // Answers in work are finished, but a client that never reads its own holds nobody up.
    let finished = tokio::time::timeout(std::time::Duration::from_secs(2), tasks.join_all()).await;
    drop(finished);
    Ok(exit)
}

/// Where [resolver] says to listen. Errors: the machine has no tailnet address.
fn address(declared: Option<&Resolver>) -> Result<SocketAddr, CommandError> {
    let Some(resolver) = declared else { return Ok(DEFAULT) };
    let ip = match resolver.bind {
        Bind::Loopback => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Bind::All => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Bind::Address(ip) => ip,
        Bind::Tailnet => transport::own_tailnet_address().map_err(|error| {
            CommandError::failed("this computer has no tailnet address to listen on")
                .because(error)
                .hint("start Tailscale, or take another [resolver].bind or --listen")
        })?,
    };
    Ok(SocketAddr::new(ip, resolver.port))
}
