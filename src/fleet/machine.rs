//! A machine of the fleet.

use std::net::IpAddr;

use super::{Bytes, Engine, Keyed, MachineName, TierLabel, Zone};

/// How a machine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// By its MagicDNS name: `<machine>.<tailnet>`.
    Tailnet(String),
    /// By the host name or address that the file gives instead.
    Explicit(String),
    /// It is the computer that fleetctl runs on.
    Local,
}

/// A Mac.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Its key in [machines].
    pub name: MachineName,
    /// A free label, selected by `tier:LABEL`.
    pub tier: Option<TierLabel>,
    /// Apple's name of the chip, as declared ("M3 Ultra").
    pub chip: String,
    /// RAM in bytes.
    pub memory: Bytes,
    /// CPU cores, if declared.
    pub cores: Option<u32>,
    /// How it is reached.
    pub address: Address,
    /// An address on the local network, raced with `address` under one SSH host key.
    pub lan: Option<String>,
    /// The SSH port, if declared; else ssh's own configuration decides.
    pub ssh_port: Option<u16>,
    /// Its tailnet address, if declared; else it is asked of the machine.
    pub tailnet_ip: Option<IpAddr>,
    /// Logs in over SSH; oMLX runs as this user.
    pub user: String,
    /// The user's home, absolute.
    pub home: String,
    /// The zone of the machine's own clock.
    pub timezone: Zone,
    /// `iogpu.wired_limit_mb` to set at each boot, in bytes.
    pub gpu_limit: Option<Bytes>,
    /// A remark.
    pub note: Option<String>,
    /// oMLX on this machine.
    pub omlx: Engine,
}

impl Keyed for Machine {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
