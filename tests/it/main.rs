//! The one integration binary. A module a feature.

mod architecture;
mod check;
mod json_sh;
mod lab_hosts;
mod render;
mod scripts;
mod slots;
mod support;
mod transaction;
mod transport;
