//! Raw tables → domain, one file a rule family. Each says all that is wrong in its family and hands on what is sound.

mod engine;
mod jobs;
mod machines;
mod models;
mod names;
mod profiles;
mod schedules;
mod secrets;
mod selectors;
mod serve;
mod services;
mod shadow;
mod slots;
mod values;
mod whole;

pub(crate) use whole::{codes, fleet};
