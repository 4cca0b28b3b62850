//! How a machine is powered and how hot it is: the answer of templates/power.sh, and the rows of `pmset -g`.

use std::collections::BTreeMap;

/// The key of notify(3) that thermald keeps; `powermetrics` prints the same level.
const PRESSURE: &str = "com.apple.system.thermalpressurelevel";

/// The levels of that key (`OSThermalNotification.h` of the macOS SDK).
const LEVELS: [&str; 5] = ["nominal", "moderate", "heavy", "trapping", "sleeping"];

/// What a machine says of its power and heat; `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerState {
    /// `low`, `normal` or `high`: `lowpowermode` 0 or 1, or `powermode` 0, 1 or 2 of newer chips (facts/macos.md 7.3).
    pub mode: Option<&'static str>,
    /// `nominal`, `moderate`, `heavy`, `trapping`, `sleeping`: thermal pressure; `limited`: a speed limit is in force. Above nominal the chip runs slower.
    pub thermal: Option<&'static str>,
}

impl PowerState {
    /// Reads the script's answer.
    pub fn parse(text: &str) -> Self {
        let (settings, heat) = text.split_once("@therm\n").unwrap_or((text, ""));
        Self { mode: mode(&rows(settings)), thermal: thermal(heat) }
    }
}

fn mode(rows: &BTreeMap<String, String>) -> Option<&'static str> {
    let value = rows.get("powermode").or_else(|| rows.get("lowpowermode"))?;
    ["normal", "low", "high"].get(value.parse::<usize>().ok()?).copied()
}

/// The pressure level, and on older machines `CPU_Speed_Limit = N` (percent). That `pmset` has nothing recorded says nothing: on Apple silicon it never has.
fn thermal(text: &str) -> Option<&'static str> {
    let limit = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "CPU_Speed_Limit").then(|| value.trim().parse::<u32>().ok())?
    });
    if limit.is_some_and(|percent| percent < 100) {
        return Some("limited");
    }
    let level = text.lines().find_map(|line| line.strip_prefix(PRESSURE)?.trim().parse::<usize>().ok());
    level.and_then(|level| LEVELS.get(level).copied()).or_else(|| limit.map(|_| "nominal"))
}

/// Rows ` key padded value (note)` of `pmset -g`; keys may hold blanks.
pub(super) fn rows(text: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let line = line.split(" (").next().unwrap_or(line).trim();
        let (key, value) = line.rsplit_once(char::is_whitespace)?;
        // A heading ends with a colon.
        (!value.ends_with(':')).then(|| (key.trim().to_owned(), value.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_of_pmset() {
        let rows = rows(
            "System-wide power settings:\n SleepDisabled\t\t1\nCurrently in use:\n Sleep On Power Button 1\n autorestart          1\n sleep                0 (sleep prevented by powerd)\n",
        );
        let rows: Vec<String> = rows.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(rows, ["Sleep On Power Button=1", "SleepDisabled=1", "autorestart=1", "sleep=0"]);
    }

    #[test]
    fn power_and_heat() {
        const SILENT: &str = "Note: No thermal warning level has been recorded\nNote: No performance warning level has been recorded\nNote: No CPU power status has been recorded\n";
        let of = |settings: &str, heat: &str| {
            let state = PowerState::parse(&format!("Currently in use:\n{settings}\n@therm\n{heat}"));
            (state.mode, state.thermal)
        };
        let level = |level: u32| format!("{SILENT}{PRESSURE} {level}\n");
        assert_eq!(of(" lowpowermode         0", &level(0)), (Some("normal"), Some("nominal")));
        assert_eq!(of(" lowpowermode         1", &level(2)), (Some("low"), Some("heavy")));
        assert_eq!(of(" powermode            2", &level(4)), (Some("high"), Some("sleeping")));
        assert_eq!(of(" womp 1", SILENT), (None, None), "nothing recorded says nothing");
        assert_eq!(of(" powermode 9", &level(5)), (None, None));
        let limit = |percent: u32| {
            format!("CPU Power notify\n\tCPU_Scheduler_Limit \t= 100\n\tCPU_Speed_Limit \t= {percent}\n")
        };
        assert_eq!(of("", &limit(62)).1, Some("limited"));
        assert_eq!(of("", &limit(100)).1, Some("nominal"));
        assert_eq!(PowerState::parse(""), PowerState::default());
    }

    proptest! {
        #[test]
        fn never_panics(text in "((pmset|@therm|CPU_Speed_Limit|powermode| )[\t =0-9a-z]{0,12}\n){0,6}|\\PC{0,80}") {
            PowerState::parse(&text);
        }
    }
}
