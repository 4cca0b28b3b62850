//! The rules about memory and speed, one file a family.

mod assumed;
mod catalogue;
mod context;
mod dflash;
mod fit;
mod limits;
mod speed;
mod survey;
mod twins;

pub use catalogue::RULES;
pub(super) use survey::Survey;

use super::Finding;
use crate::fleet::Fleet;

/// Every finding of every rule.
pub(super) fn all(fleet: &Fleet, surveys: &[Survey<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    fit::check(surveys, &mut found);
    twins::check(surveys, &mut found);
    context::check(surveys, &mut found);
    dflash::check(fleet, surveys, &mut found);
    limits::check(surveys, &mut found);
    speed::check(fleet, surveys, &mut found);
    assumed::check(fleet, surveys, &mut found);
    found
}
