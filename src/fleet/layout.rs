//! Where things lie on a machine (machine.md, its table).

use super::Machine;

/// The scripts.
pub const LIB: &str = "/usr/local/libexec/fleetctl";
/// fleetctl's own state.
pub const STATE: &str = "/usr/local/var/fleetctl";
/// launchd's output of each daemon.
pub const LOGS: &str = "/Library/Logs/fleetctl";
/// Where launchd looks for daemons.
pub const DAEMONS: &str = "/Library/LaunchDaemons";
/// What every label of ours begins with.
pub const LABEL_PREFIX: &str = "dev.fleetctl.";

/// launchd's label of a unit by its short name: `dev.fleetctl.omlx`.
pub fn label(unit: &str) -> String {
    format!("{LABEL_PREFIX}{unit}")
}

/// The path of the runner.
pub fn runner_path() -> String {
    format!("{LIB}/runner")
}

/// The path of a unit's plist. File name and label agree (launchd.plist(5)).
pub fn plist_path(unit: &str) -> String {
    format!("{DAEMONS}/{}.plist", label(unit))
}

/// The path of a unit's log.
pub fn log_path(unit: &str) -> String {
    format!("{LOGS}/{unit}.log")
}

/// The path of a script.
pub fn script_path(name: &str) -> String {
    format!("{LIB}/{name}")
}

/// The path of a unit's environment with secrets.
pub fn environment_path(unit: &str) -> String {
    format!("{STATE}/env/{unit}")
}

/// What fleetctl owns on the machine, with hashes.
pub fn manifest_path() -> String {
    format!("{STATE}/manifest.json")
}

/// oMLX's settings.json.
pub fn settings_path(machine: &Machine) -> String {
    format!("{}/settings.json", machine.omlx.base)
}

/// oMLX's `model_settings.json`.
pub fn model_settings_path(machine: &Machine) -> String {
    format!("{}/model_settings.json", machine.omlx.base)
}

/// oMLX's `model_profiles.json`.
pub fn model_profiles_path(machine: &Machine) -> String {
    format!("{}/model_profiles.json", machine.omlx.base)
}

/// The directory that oMLX serves, and nothing else.
pub fn serve_directory(machine: &Machine) -> String {
    format!("{}/serve", machine.omlx.base)
}

/// Whether fleetctl ever puts anything there; `base` is oMLX's base path. What a machine says is ours must not become a list of what to delete there.
pub fn could_be_ours(path: &str, base: &str) -> bool {
    let plist = format!("{DAEMONS}/{LABEL_PREFIX}");
    let below = [LIB, STATE].map(|directory| format!("{directory}/"));
    let serve = format!("{base}/serve/");
    let is_ours =
        path.starts_with(&plist) || below.iter().any(|prefix| path.starts_with(prefix)) || path.starts_with(&serve);
    is_ours && !path.split('/').any(|part| part == ".." || part == ".") && !path.chars().any(char::is_control)
}
