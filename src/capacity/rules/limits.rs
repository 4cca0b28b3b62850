//! Limits that contradict one another or the machine.

use super::catalogue::{GPU_LIMIT_TOO_HIGH, PROCESS_ABOVE_GPU};
use super::survey::Survey;
use crate::capacity::finding::{Finding, Place};
use crate::capacity::highest_gpu_limit;
use crate::capacity::window::estimated_sum;
use crate::fleet::SettingPath;

pub(super) fn check(surveys: &[Survey<'_>], found: &mut Vec<Finding>) {
    for survey in surveys {
        found.extend(gpu_limit_too_high(survey));
        found.extend(process_above_gpu(survey));
    }
}

fn gpu_limit_too_high(survey: &Survey<'_>) -> Option<Finding> {
    let machine = survey.machine;
    let highest = highest_gpu_limit(machine.memory);
    let declared = machine.gpu_limit.filter(|limit| *limit > highest)?;
    let text = format!("gpu_limit {declared} of {} leaves macOS too little: at most {highest}", machine.memory);
    Some(
        Finding::new(&GPU_LIMIT_TOO_HIGH, Place::of(["machines", machine.name.as_str(), "gpu_limit"]), text)
            .on(&machine.name)
            .help(format!("declare at most \"{:.0}GB\"", highest.as_gib().floor())),
    )
}

/// A process limit above the GPU limit, where it is declared or where the machine's models could grow that far.
fn process_above_gpu(survey: &Survey<'_>) -> Option<Finding> {
    let budget = &survey.costs.budget;
    let process = budget.omlx.process;
    let path = ["memory", "max_process_memory"].map(str::to_owned).to_vec();
    let is_declared = survey.machine.omlx.settings.contains_key(&SettingPath(path));
    if process.is_some_and(|process| process <= budget.gpu.bytes) {
        return None;
    }
    let all = estimated_sum(&survey.costs.footprints);
    if !is_declared && all <= budget.gpu.bytes {
        return None;
    }
    let limit = process.map_or_else(|| "no limit".to_owned(), |process| process.to_string());
    let name = survey.machine.name.as_str();
    let text = format!(
        "oMLX may grow to {limit}, the GPU may wire {}: oMLX's own guard does not protect the machine",
        budget.gpu.bytes
    );
    Some(
        Finding::new(
            &PROCESS_ABOVE_GPU,
            Place::of(["machines", name, "omlx", "settings", "memory", "max_process_memory"]),
            text,
        )
        .or_at(Place::of(["omlx", "settings", "memory", "max_process_memory"]))
        .or_at(Place::of(["machines", name, "gpu_limit"]))
        .or_at(Place::of(["machines", name, "memory"]))
        .on(&survey.machine.name)
        .help("set memory.max_process_memory in [omlx.settings] to the GPU limit or below, or raise gpu_limit"),
    )
}
