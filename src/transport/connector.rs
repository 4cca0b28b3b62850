//! One SSH connection a machine: dialled by the best way, kept where the fleet file says so, given back at the end.

use std::sync::Arc;

use super::dialler::{ConnectOptions, Dialler};
use super::error::{ConnectError, RunError};
use super::remote::Remote;
use super::route::ways;
use crate::env::Env;
use crate::fleet::Machine;

/// Makes connections, and ends them.
#[derive(Clone)]
pub struct Connector(Arc<Dialler>);

impl Connector {
    /// Finds a place for the control sockets.
    ///
    /// The operator's own configuration is `~/.ssh/config` and then `/etc/ssh/ssh_config`, as ssh reads them; `FLEETCTL_SSH_CONFIG=FILE` stands for both, as
    /// `ssh -F FILE` does. Errors: no private directory.
    pub fn new(env: &Env, options: ConnectOptions) -> Result<Self, RunError> {
        Ok(Self(Arc::new(Dialler::new(env, options)?)))
    }

    /// The options that it was made with.
    pub fn options(&self) -> &ConnectOptions {
        self.0.options()
    }

    /// Connects to a machine within `--timeout`, or starts nothing where the machine is this computer. Errors: [`ConnectError`], naming what was tried.
    pub async fn connect(&self, machine: &Machine) -> Result<Remote, ConnectError> {
        let link = if ways(machine).is_empty() { None } else { Some(self.0.dial(machine).await?) };
        Ok(Remote::new(Arc::clone(&self.0), machine, link))
    }

    /// Ends the connections of this run, unless they are to be kept. Bounded; what does not listen any more ends by itself.
    pub async fn close(&self) {
        self.0.hang_up().await;
    }
}
