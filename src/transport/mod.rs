//! The only door to the network and to processes: ssh, local, http; and the quoting of what goes to a shell.
//!
//! Knows machines and how to reach them; does not know what is asked of them.

mod connector;
mod dialler;
mod directory;
mod envelope;
mod error;
mod fan_out;
mod foreground;
mod lines;
mod listen;
mod master_log;
mod output_of;
mod plain_http;
mod post;
mod process;
mod quote;
mod remote;
mod route;
mod ssh_config;
pub mod sudo;
mod talk;
#[cfg(test)]
mod testing;

pub use connector::Connector;
pub use dialler::ConnectOptions;
pub use directory::DirectoryError;
pub use envelope::nonce;
pub use error::{Attempt, ConnectError, RunError, Trouble};
pub use fan_out::{Event, Fanned, Width, fan_out};
pub use foreground::run_in_foreground;
pub use listen::{Stop, asked_to_stop, listen, own_tailnet_address};
pub use output_of::{long_output_of, output_of};
pub use plain_http::{Got, HttpError, PlainHttp};
pub use post::{JsonClient, KeyHeader, Post, Posted};
pub use quote::{quote, quote_all};
pub use remote::Remote;
pub use route::Route;
pub use ssh_config::HostKeys;
pub use talk::{As, Output};
