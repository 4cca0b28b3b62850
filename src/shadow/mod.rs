//! Shadow calibration: pairs, statistics, verdicts, the ladder; and the store of the pairs.
//!
//! Everything but [`store`] is pure: pairs in, verdicts out, with the time as an argument. Who is asked and how is `command`'s.

mod answer;
mod decision;
mod easy;
mod evidence;
mod fingerprint;
mod guard;
mod measures;
mod pair;
mod recording;
#[cfg(test)]
mod simulation;
mod split;
pub mod statistics;
pub mod store;
mod verdict;

pub use answer::{Failure, Judged, LIMIT as ANSWER_LIMIT, judge, of_parts, of_value};
pub use decision::{Decision, DecisionKind};
pub use easy::{Coverage, Easy};
pub use evidence::{
    Evidence, Looks, NextLook, NextRung, Standing, TakenLook, above, arrived, below, last_demotion, next_rung,
    pairs_since, take_looks,
};
pub use fingerprint::{Fingerprint, hash};
pub use guard::{Alarm, alarms, demoted};
pub use measures::{Estimate, Measures, NoiseFloor, PER_TIER, TierMeasures, thinned};
pub use pair::{Arm, Pair};
pub use recording::{Input, InputError, RecordedPair, RecordingError, Side, inputs, recorded};
pub use split::{Answerer, Route, admits, place, route, route_of_slot};
pub use verdict::{Assessment, Requirement, Verdict, assess};
