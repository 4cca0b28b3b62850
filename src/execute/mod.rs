//! Carries a Plan out: waves, gates, cancellation, receipts.
//!
//! A machine's part is a transaction that its own runner carries out (`templates/apply`); this room puts the payload together, sends it, watches, and says what
//! became of it. It decides nothing about what is changed: that is in the plan.

mod by_hand;
mod cancel;
mod carry_out;
mod gateway;
mod history;
#[cfg(any(test, fuzzing))]
mod hostile;
mod job_start;
mod payload;
mod payload_error;
mod plan_lines;
mod receipt;
mod removal;
mod report;
mod result;
mod run;
mod script;
mod terms;
mod wave;

pub use by_hand::{Deed, HandReport, HandResult, HandTerms, HandUnit, by_hand};
pub use cancel::Cancel;
pub use carry_out::{Event, Events, Job, attach, carry_out};
pub use history::{About, Generation, history};
#[cfg(any(test, fuzzing))]
pub(crate) use hostile::read_anything;
pub use job_start::{JobEnd, JobPlace, JobStart, follow_job, start_job};
pub use payload::{Payload, PayloadFile, Source, payload};
pub use payload_error::PayloadError;
pub use receipt::{Occasion, Receipt};
pub use removal::{Removal, removal};
pub use report::{MachineReport, MachineResult, Report};
pub use result::{ResultDocument, State};
pub use run::{Order, rollback, run};
pub use script::{attach as attach_script, upload};
pub use terms::{Purpose, Terms};
pub use wave::{Waves, WavesError};
