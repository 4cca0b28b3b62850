//! Facts of a machine, the parsers of what macOS and oMLX print, and the probe that asks for all of it in one round trip.

mod facts;
mod tailnet;

pub use facts::{
    Answer, AnswerError, Connection, EngineAnswers, FileFact, ForeignEngine, Hardware, Identity, LaunchdJob, Lock,
    Memory, Observed, Path, PortOwner, Sudo, WeightsFact, WeightsState,
};
pub use tailnet::{Node, Tailnet, TailnetError, parse_tailnet};
