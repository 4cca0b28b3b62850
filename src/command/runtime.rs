//! The runtime that a verb pays for only when it talks to machines.

use crate::error::CommandError;

/// Runs what talks to machines, and returns when it has ended.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed("cannot start the runtime").because(error))?;
    let result = runtime.block_on(work);
    // A request that still hangs must not hold up the exit.
    runtime.shutdown_background();
    result
}
