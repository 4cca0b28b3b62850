//! The tables of the file as written: typed as far as TOML's types go, every leaf with its place, nothing interpreted.

mod engine;
mod file;
mod models;
mod services;
mod shadow;
mod slots;

pub(crate) use engine::RawOmlx;
pub(crate) use file::{RawFile, RawFleet, RawMachine};
pub(crate) use models::{RawModel, RawProfile, RawServe, Residency};
pub(crate) use services::{RawGateway, RawHub, RawResolver};
pub(crate) use shadow::{RawPrice, RawReference, RawRequire, RawShadow};
pub(crate) use slots::{Days, RawExpect, RawJob, RawSchedule, RawSlot};
