//! The only door to the network and to processes: ssh, local, http; and the quoting of what goes to a shell.

mod foreground;
mod quote;

pub use foreground::run_in_foreground;
pub use quote::{quote, quote_all};
