//! The gateway's configuration: the same routes as the resolver's, in the words of a router that carries the tokens.
//!
//! A router's file is static, so it holds one state of the windows; [`keys`] names the states that a fleet can be in, and each has its file. What a
//! router cannot express is no secret: every configuration comes with its [`LostSemantic`]s.

mod deployment;
mod files;
mod key;
mod litellm;
mod lost;
mod mirror;

pub use deployment::{Deployment, deployments};
pub use files::{GatewayFile, START_SCRIPT, SUPERVISOR, SUPERVISOR_FILE, files};
pub use key::{BASELINE, GatewayState, state_of, states};
pub use litellm::{GatewayConfig, LITELLM_ENVIRONMENT, Secret, litellm, secrets};
pub use lost::LostSemantic;
pub use mirror::{Mirror, MirrorEnd, mirrors};
