//! `fleetctl capacity`: whole outputs, and the arithmetic against one that is written out once more, straight down.

mod lints;
mod oracle;
mod real_weights;
mod verb;
