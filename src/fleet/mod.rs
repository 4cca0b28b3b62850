//! The validated domain: what a fleet is, once `config` has checked it.
//!
//! Values only. Nothing here reads a file, a clock, the environment or the network, and nothing here knows how a fleet is
//! written down (`config`), what oMLX makes of it (`omlx`) or what lies on a machine (`render`, `observe`).

mod bytes;
mod declared;
mod digest;
mod duration;
mod engine;
mod gateway;
mod job;
pub mod layout;
mod machine;
mod name;
mod placement;
mod profile;
mod schedule;
mod secret_source;
mod selector;
mod served;
mod shadow;
mod slot;
mod time;
mod weights;
mod whole;

pub use bytes::{Bytes, BytesError};
pub use declared::{Declared, Keyed};
pub use digest::{hex, sha256};
pub use duration::{DurationError, format_duration, parse_duration};
pub use engine::{Bind, Engine, Release, SettingPath};
pub use gateway::{Gateway, GatewayEngine, Hub, Resolver};
pub use job::Job;
pub use machine::{Address, Machine};
pub use name::{
    JobName, MachineName, NameError, ProfileName, ScheduleName, ServedName, ShadowName, SlotName, TierLabel,
    WeightsName,
};
pub use placement::Placement;
pub use profile::Profile;
pub use schedule::{Rebinding, Schedule, Window};
pub use secret_source::SecretSource;
pub use selector::{Selector, SelectorError};
pub use served::Served;
pub use shadow::{Price, Reference, ReferenceApi, Requirements, Rung, Shadow};
pub use slot::{Balance, Expectation, Rank, Slot, SlotKind, Spill};
pub use time::{TimeError, TimeOfDay, Weekday, Weekdays, Zone};
pub use weights::{Weights, WeightsKind};
pub use whole::Fleet;
