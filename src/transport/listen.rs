//! Listening, for the resolver service; and the signals that end it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Listens on an address. Errors: it is taken, or not an address of this computer.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Why a resident should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// launchd, or `kill`.
    Terminated,
}

/// Waits until somebody asks us to end. Where signals cannot be watched, for ever: then the signal's own effect ends us.
pub async fn asked_to_stop() -> Stop {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = terminated => Stop::Terminated,
        () = interrupted => Stop::Interrupted,
    }
}

/// This computer's own tailnet address: the source address of the route to Tailscale's resolver, 100.100.100.100. Nothing is sent.
///
/// Errors: there is no such route, or it leads out of another interface (Tailscale hands out 100.64.0.0/10 only).
pub fn own_tailnet_address() -> io::Result<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((Ipv4Addr::new(100, 100, 100, 100), 53))?;
    match socket.local_addr()?.ip() {
        IpAddr::V4(own) if own.octets()[0] == 100 && own.octets()[1] & 0b1100_0000 == 64 => Ok(IpAddr::V4(own)),
        _ => Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no route to 100.100.100.100 by way of a tailnet")),
    }
}
