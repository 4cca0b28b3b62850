//! Rules about memory and speed that need this room's arithmetic beside the sums of `config`'s own memory rules, one file a family.

mod assumed;
mod catalogue;
mod dflash;
mod speed;
mod survey;
#[cfg(test)]
mod tests;
mod turboquant;
mod twins;

pub use catalogue::RULES;
pub(super) use survey::Survey;

use super::Finding;
use crate::fleet::Fleet;

/// Every finding of every rule.
pub(super) fn all(fleet: &Fleet, surveys: &[Survey<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    twins::check(surveys, &mut found);
    turboquant::check(surveys, &mut found);
    dflash::check(surveys, &mut found);
    speed::check(fleet, surveys, &mut found);
    assumed::check(fleet, surveys, &mut found);
    found
}
