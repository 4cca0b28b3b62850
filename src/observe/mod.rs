//! Facts of a machine, the parsers of what macOS and oMLX print, and the probe that asks for all of it in one round trip.

mod answered;
mod ask;
mod assemble;
mod checkup;
mod engine_state;
mod facts;
mod file_facts;
mod foreign;
mod inventory;
mod job_run;
pub mod parse;
mod power;
mod probe;
mod script;
mod tailnet;

pub use ask::{Ask, AskFile, Contents};
pub use assemble::{ZONE_LINKS, observed};
pub use checkup::Checkup;
pub use engine_state::{EngineState, engine_state, held_names, is_held, is_name_held};
pub use facts::{
    Answer, AnswerError, Connection, EngineAnswers, FileFact, ForeignEngine, Hardware, Identity, LaunchdJob, Lock,
    Memory, Observed, Path, PortOwner, Sudo, WeightsFact, WeightsState,
};
pub use inventory::{FileStamp, Inventory, WeightsListing};
pub use job_run::{JobRun, job_runs};
pub use power::PowerState;
pub use probe::{probe, remaining};
pub use tailnet::{Node, Tailnet, TailnetError, parse_tailnet};
