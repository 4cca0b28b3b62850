//! The runner's text: `LIB/runner`, and the copy of it that each payload carries and launchd runs.

/// The runner, one POSIX sh script put together from its parts.
pub const RUNNER: &str = concat!(
    "#!/bin/sh\n",
    include_str!("../../templates/json.sh"),
    "\n",
    include_str!("../../templates/apply/base.sh"),
    "\n",
    include_str!("../../templates/lock.sh"),
    "\n",
    include_str!("../../templates/apply/files.sh"),
    "\n",
    include_str!("../../templates/apply/launchd.sh"),
    "\n",
    include_str!("../../templates/omlx-api.sh"),
    "\n",
    include_str!("../../templates/apply/engine.sh"),
    "\n",
    include_str!("../../templates/apply/gate.sh"),
    "\n",
    include_str!("../../templates/apply/main.sh"),
);
