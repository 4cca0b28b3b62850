//! The ways to a machine.

use std::fmt;

use crate::fleet::{Address, Machine};

/// By which way a machine is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Its `lan` address.
    Lan,
    /// Its tailnet name.
    Tailnet,
    /// The `address` of the file.
    Address,
    /// It is this computer.
    Local,
}

impl Route {
    /// As json.md's `reach.path` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Tailnet => "tailnet",
            Self::Address => "address",
            Self::Local => "local",
        }
    }

    /// One letter, for file names that must stay short.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Lan => 'l',
            Self::Tailnet => 't',
            Self::Address => 'a',
            Self::Local => 'x',
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One way to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) route: Route,
    /// Host name or address.
    pub(super) host: String,
}

/// The ways to a machine, the preferred first; none when it is this computer.
pub(super) fn ways(machine: &Machine) -> Vec<Way> {
    let main = match &machine.address {
        Address::Local => return Vec::new(),
        Address::Tailnet(name) => Way { route: Route::Tailnet, host: name.clone() },
        Address::Explicit(host) => Way { route: Route::Address, host: host.clone() },
    };
    let lan = machine.lan.clone().filter(|lan| *lan != main.host).map(|host| Way { route: Route::Lan, host });
    lan.into_iter().chain([main]).collect()
}
