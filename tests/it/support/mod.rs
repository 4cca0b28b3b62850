//! What several features' tests need.

pub(crate) mod sshd;
