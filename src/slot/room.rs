//! Whether a name that is not resident can be loaded on a machine.

use crate::fleet::{Machine, Served};
use crate::schedule::Moment;

/// Whether the name fits beside the machine's residents of that time, after evicting whatever is not resident (json.md, `fits` of a loadable).
/// A resident name fits by its own window's rule, which `check` holds the file to.
pub(super) fn fits(_moment: &Moment<'_>, _machine: &Machine, _served: &Served) -> bool {
    true
}
