//! The only door to the network and to processes: ssh, local, http; and the quoting of what goes to a shell.

mod quote;

pub use quote::{quote, quote_all};
