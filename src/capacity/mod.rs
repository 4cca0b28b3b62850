//! Memory and speed arithmetic: what fits on a machine under which profiles and contexts, in every window; what alternates; how fast it can be at best.
//!
//! Pure: a [`Fleet`](crate::fleet::Fleet), and where it is known what a machine itself says ([`Measured`]). Knows no file, no network, no terminal. Where a
//! number is not known it is `None`, never a guess; where it is an estimate, its source says so.
//!
//! The formulas and their sources are in docs/lints.md and at each function; the fixture numbers of the facts are this room's tests.

mod assess;
mod budget;
mod cache;
pub mod catalogue;
mod chip;
mod context;
mod draft_config;
mod finding;
mod footprint;
mod geometry;
mod measured;
mod model_config;
mod roofline;
mod rules;
mod speed;
mod swap;
mod window;

pub use assess::{Headroom, Loadable, MachineCapacity, Resident, WindowCapacity, assess};
pub use budget::{
    Budget, GpuLimit, GpuLimitSource, LimitBy, budget, default_gpu_limit, gpu_limit, highest_gpu_limit, ram,
};
pub use cache::{
    KvFormat, PREFILL_CHUNK, kv_bytes, kv_bytes_per_token, recurrent_bytes, request_kv_bytes, scratch_bytes,
    scratch_bytes_per_token, state_bytes,
};
pub use chip::bandwidth;
pub use context::{RESERVE_PERCENT, largest_context, usable};
pub use finding::{Finding, Gravity, Place, Rule};
pub use footprint::{Footprint, Source, drafts_in_use, footprint, kv_format, runs_dflash};
pub use geometry::{Experts, Geometry, LinearAttention, Parameters, SlidingAttention};
pub use measured::{Measured, MeasuredWeights, WeightsState};
pub use model_config::{GeometryError, geometry_of_config};
pub use roofline::{DFLASH_BLOCK, Decode, usual_share};
pub(crate) use rules::ONE_LOAD_SUFFICES;
pub use rules::{RULES, findings, findings_measured, findings_on};
pub use speed::{Spread, Timing, drop_below, spread, together_tps};
pub use swap::{SwapSet, swap_sets};
pub use window::{Costs, ResidentSet, estimated_sum, fits, resident_sets};
