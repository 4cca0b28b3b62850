//! Raw tables → domain, one file a rule family. Each says all that is wrong in its family and hands on what is sound.

mod candidates;
mod context;
mod dflash;
mod engine;
mod exposed;
mod fields;
mod findings;
mod jobs;
mod kinds;
mod machines;
mod memory;
mod misfit;
mod models;
mod names;
mod ports;
mod profiles;
mod schedules;
mod secrets;
mod selectors;
mod serve;
mod services;
mod settings;
mod shadow;
mod slots;
mod values;
mod view;
mod whole;
mod windows;

pub(crate) use whole::{codes, fleet, may_follow_from_a_gap};
