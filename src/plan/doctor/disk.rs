//! The weights' directory and the daemons' logs (macos.md 1.5, 2.9).

use super::{Examined, Finding, Mend, codes, mend};
use crate::fleet::layout;
use crate::observe::FileFact;

/// Opens the page of System Settings on the machine's own screen.
const FULL_DISK_ACCESS: &str = "open 'x-apple.systempreferences:com.apple.preference.security?Privacy_AllFiles'";

pub(super) fn rules(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    weights(examined, all);
    logs(examined, all);
}

fn weights(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let weights = &examined.machine.omlx.weights;
    let Some(said) = examined.observed.checkup.as_ref().and_then(|checkup| checkup.weights.as_deref()) else { return };
    if said.contains("Operation not permitted") {
        all.push(
            Finding::new(
                &codes::WEIGHTS_NOT_PERMITTED,
                format!("macOS does not let {weights} be read: Full Disk Access is lacking"),
            )
            .mended(Mend::There(FULL_DISK_ACCESS.to_owned())),
        );
    } else if !said.is_empty() {
        all.push(unreadable(examined, said.lines().next().unwrap_or_default()));
    } else if weights.starts_with("/Volumes/") {
        all.push(
            Finding::new(
                &codes::WEIGHTS_EXTERNAL,
                format!("{weights} is on an external disk: launchd's jobs need Full Disk Access of their own"),
            )
            .mended(Mend::There(FULL_DISK_ACCESS.to_owned())),
        );
    }
}

/// On an external disk it is the disk that is away: `diskutil mount` takes a volume's name (diskutil(8), DEVICES). Elsewhere the weights were never copied, or the
/// file names another directory than theirs.
fn unreadable(examined: &Examined<'_>, said: &str) -> Finding {
    let weights = &examined.machine.omlx.weights;
    match weights.strip_prefix("/Volumes/").and_then(|rest| rest.split('/').next()) {
        Some(volume) => Finding::new(&codes::WEIGHTS_UNREADABLE, format!("{said}: is the disk {volume} mounted?"))
            .mended(Mend::There(format!("diskutil mount {}", (examined.quote)(volume)))),
        None => Finding::new(
            &codes::WEIGHTS_UNREADABLE,
            format!("{said}: were they moved? Then `weights` in [omlx] must name the place; else copy them"),
        )
        .mended(Mend::Here(format!("fleetctl models sync --on {}", examined.machine.name))),
    }
}

/// Only where a daemon is loaded: before the first apply there is nothing to open.
fn logs(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    for unit in &examined.bundle.units {
        if !examined.observed.jobs.contains_key(&unit.label) {
            continue;
        }
        let (path, owner) = &unit.log;
        let what = match examined.observed.files.get(path) {
            Some(FileFact::Missing) => "is not there".to_owned(),
            Some(FileFact::File { user, .. }) if *user != owner.user => {
                format!("belongs to {user}, not to {}", owner.user)
            }
            Some(FileFact::Directory { .. } | FileFact::Other) => "is no file".to_owned(),
            _ => continue,
        };
        all.push(
            Finding::new(&codes::LOG_UNWRITABLE, format!("the log of {}, {path}, {what}", unit.name))
                .mended(mend::make_log(path, owner, examined.quote)),
        );
    }
    let is_loaded = !examined.observed.jobs.is_empty();
    if let Some(FileFact::Directory { user, mode, .. }) =
        examined.observed.files.get(layout::LOGS).filter(|_| is_loaded)
        && mode & 0o005 != 0o005
    {
        all.push(
            Finding::new(
                &codes::LOG_UNWRITABLE,
                format!("{} has mode {mode:04o} of {user}: daemons cannot enter it", layout::LOGS),
            )
            .mended(Mend::There(format!("sudo chmod 0755 {}", layout::LOGS))),
        );
    }
}
