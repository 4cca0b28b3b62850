//! Pure parsers of what macOS and oMLX print: tolerant of unknown lines and of broken ones, never panicking, linear.
//!
//! They know formats, not what the formats are wanted for.

mod answers;
mod df;
mod launchctl;
mod lsof;
mod ps;
mod sections;
mod stat;
mod sysctl;
mod vm_stat;
mod weights;

pub use answers::engine_answers;
pub use df::{Volume, df};
pub use launchctl::{launchctl_print, print_disabled};
pub use lsof::{Lsof, lsof};
pub use ps::{Process, etime, ps};
pub use sections::{Section, sections};
pub use stat::{Stat, StatKind, shasum, stat};
pub use sysctl::{Sysctl, sysctl};
pub use vm_stat::{VmStat, vm_stat};
pub use weights::{WeightsFiles, weights_files};
