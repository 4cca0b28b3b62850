//! Windows → resident sets, bound routes and transitions at a time, in the fleet's zone. Pure.
//!
//! A schedule is a statement about time, not an event: what is resident and where slots go is a function of the fleet file and the clock
//! (fleet.md, Time). Everything here is asked with a timestamp; nothing here knows what time it is, what a machine really holds (`observe`)
//! or which machine answers (`slot`).

mod calendar;
mod cost;
mod edge;
mod job;
mod moment;
mod opening;
mod state;
mod tie;
mod transition;

pub use calendar::{CalendarTime, calendar_times};
pub use cost::{LoadCost, load_bytes, load_seconds};
pub use edge::edge;
pub use job::{next_run, previous_run};
pub use moment::Moment;
pub use opening::{Opening, next_boundary, open_windows, openings_between};
pub use state::{BoundRoute, MachineState, bound_route, state_at};
pub use tie::{Shared, Tie, ties};
pub use transition::{Transition, period_end, transitions};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod oracle_tests;
