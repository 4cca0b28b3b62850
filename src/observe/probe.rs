//! The probe: one script, one round trip, everything that plan and status need of a machine.

use std::time::Duration;

use super::{Ask, Observed, Path, assemble, script};
use crate::clock::Clock;
use crate::transport::{As, Remote, Route, RunError, nonce, quote};

/// Asks a connected machine. A script that was cut by its deadline still gives what had come by then, with a note of what is missing.
///
/// Errors: nothing usable came back.
pub async fn probe(remote: &Remote, ask: &Ask, clock: Clock) -> Result<Observed, RunError> {
    let word = nonce();
    let text = script::text(ask, &word, &quote);
    let (stdout, complaint) = match remote.run(As::Login, &text, ask.within).await {
        Ok(output) => (output.stdout, (output.code != 0).then(|| output.stderr.clone())),
        Err(RunError::Deadline { partial, seconds, .. }) if is_usable(&partial, &word) => {
            (partial, Some(format!("the probe was given up after {seconds} s: what hangs there is missing below")))
        }
        Err(error) => return Err(error),
    };
    let path = match remote.route() {
        Route::Lan => Path::Lan,
        Route::Tailnet => Path::Tailnet,
        Route::Address => Path::Address,
        Route::Local => Path::Local,
    };
    let mut observed = assemble::observed(remote.machine(), path, clock.now(), ask, &stdout, &word);
    observed.notes.extend(complaint.filter(|text| !text.is_empty()));
    observed.notes.extend(remote.notes().iter().cloned());
    Ok(observed)
}

/// Whether so much came that the machine is known: its identity and its files.
fn is_usable(partial: &[u8], nonce: &str) -> bool {
    let sections = super::parse::sections(partial, nonce);
    sections.iter().any(|section| section.name == "sums" || section.name == "program")
}

/// The share of `--timeout` that is left for the probe once the connection stands; at least two seconds.
pub fn remaining(timeout: Duration, used: Duration) -> Duration {
    timeout.saturating_sub(used).max(Duration::from_secs(2))
}
