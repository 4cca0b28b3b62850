//! The one integration binary. A module a feature.

#![expect(clippy::disallowed_methods, reason = "the doors are those of the product; tests stand outside")]

mod architecture;
mod bench;
mod capacity;
mod check;
mod command_line;
mod docs;
mod economy;
mod first_run;
mod json_sh;
mod lab_hosts;
mod models;
mod on_a_terminal;
mod pages;
mod render;
mod resolver;
mod schedule_input;
mod screens;
mod scripts;
mod shadow;
mod slots;
mod status;
mod support;
mod transaction;
mod transport;
