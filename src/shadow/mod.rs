//! Shadow calibration: pairs, statistics, verdicts, the ladder; and the store of the pairs.

pub mod statistics;
