//! The scripts that run on a Mac. No text of the fleet file enters them: what they must know is in their arguments, in tables and in environment files,
//! so there is nothing to quote and a script is the same on every machine.

use std::sync::LazyLock;

/// JSON for the scripts.
const JSON: &str = include_str!("../../templates/json.sh");

/// The fleet's wall clock for the scripts.
const CLOCK: &str = include_str!("../../templates/clock.sh");

/// The machine's lock for the scripts.
const LOCK: &str = include_str!("../../templates/lock.sh");

/// oMLX's own interfaces for the scripts.
const OMLX_API: &str = include_str!("../../templates/omlx-api.sh");

/// A template with the libraries in the place of the lines that stand for them.
fn assembled(template: &str) -> String {
    [("@json.sh@\n", JSON), ("@clock.sh@\n", CLOCK), ("@lock.sh@\n", LOCK), ("@omlx-api.sh@\n", OMLX_API)]
        .into_iter()
        .fold(template.to_owned(), |text, (line, library)| text.replace(line, library))
}

/// `job`: starts a command when it is its time.
pub(super) static JOB: LazyLock<String> = LazyLock::new(|| assembled(include_str!("../../templates/job.sh")));

/// `rotate`: keeps the logs small.
pub(super) static ROTATE: LazyLock<String> = LazyLock::new(|| assembled(include_str!("../../templates/rotate.sh")));

/// `omlx-when-bindable`: waits for the address, then becomes oMLX.
pub(super) static OMLX_WHEN_BINDABLE: LazyLock<String> =
    LazyLock::new(|| assembled(include_str!("../../templates/omlx-when-bindable.sh")));

/// `schedule`: the reconciler.
pub(super) static SCHEDULE: LazyLock<String> = LazyLock::new(|| assembled(include_str!("../../templates/schedule.sh")));

/// `with-env`: becomes a command with the variables of an environment file.
pub(super) static WITH_ENV: LazyLock<String> = LazyLock::new(|| assembled(include_str!("../../templates/with-env.sh")));
