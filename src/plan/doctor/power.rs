//! Power, boot and updates (macos.md 2.9, 7.3).

use super::{Examined, Finding, Mend, codes};

pub(super) fn rules(examined: &Examined<'_>, all: &mut Vec<Finding>) {
    let Some(checkup) = &examined.observed.checkup else { return };
    let there = |text: &str| Mend::There(text.to_owned());
    if checkup.filevault == Some(true) {
        all.push(
            Finding::new(
                &codes::FILEVAULT_ON,
                "FileVault is on: after a power cut it waits for its password before it boots",
            )
            .mended(there("sudo fdesetup disable")),
        );
    }
    let is_blocked = checkup.power_number("SleepDisabled") == Some(1);
    if let Some(minutes) = checkup.power_number("sleep").filter(|minutes| *minutes > 0 && !is_blocked) {
        all.push(
            Finding::new(&codes::SLEEPS, format!("it sleeps after {minutes} min without a user"))
                .mended(there("sudo pmset -a sleep 0 disksleep 0 powernap 0")),
        );
    }
    if checkup.power_number("autorestart") == Some(0) {
        all.push(
            Finding::new(&codes::NO_AUTO_RESTART, "it stays off when power comes back (autorestart 0)")
                .mended(there("sudo pmset -a autorestart 1")),
        );
    }
    // powermode 1 is what newer chips call it; 2 is high power.
    let key = ["lowpowermode", "powermode"].into_iter().find(|key| checkup.power_number(key) == Some(1));
    if let Some(key) = key {
        all.push(
            Finding::new(&codes::LOW_POWER, "Low Power Mode is on")
                .mended(Mend::There(format!("sudo pmset -a {key} 0"))),
        );
    }
    if checkup.updates == Some(true) {
        all.push(
            Finding::new(&codes::AUTOMATIC_UPDATES, "macOS looks for updates by itself, and may restart at night")
                .mended(there("sudo softwareupdate --schedule off")),
        );
    }
    if !checkup.is_whole {
        all.push(Finding::new(&codes::CHECKUP_INCOMPLETE, "a tool hung and was given up: what it says is not known"));
    }
}
