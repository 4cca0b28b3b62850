//! The fault matrix: every state of the runner crossed with every fault. After each, once the runner has ended, the machine is exactly what the old fleet file says or
//! exactly what the new one says; the result and `status` tell which; the next apply converges; nothing of anybody else's has changed.

use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::fault::{self, Fault, STATES};
use super::holds::Way;
use super::host::{self, Host};
use super::results::{self, Cell};

/// What became of a cell that holds: what the runner's result said; or in words what does not hold.
type Outcome = Result<String, String>;

impl Bench {
    /// Runs one cell.
    pub(crate) fn run(&mut self, cell: Cell) -> Outcome {
        let new = 1 - self.present;
        let before = self.told();
        let (child, second) = self.apply_with(cell)?;
        let (said, complaint) = heard(child)?;
        if !self.has_ended() {
            let state = self.host.state();
            fault::heal(&self.host, cell.fault);
            return Err(format!("the runner has not ended\n{state}\n{said}{complaint}"));
        }
        fault::heal(&self.host, cell.fault);
        second?;
        let told = self.told_since(&before);
        self.is_whole(cell, &told).map_err(|why| format!("{why}\n{said}{complaint}\n{}", self.host.state()))?;
        self.converge(new, told)
    }

    /// An apply that meets its fault at its state, and has been let go again.
    fn apply_with(&self, cell: Cell) -> Result<(Child, Result<(), String>), String> {
        let (old, new) = (self.present, 1 - self.present);
        let reverts = matches!(cell.state, "reverting" | "reverted");
        if reverts {
            // A start that fails is what makes it go back at all.
            fault::inject(&self.host, Fault::OmlxCrashes);
        }
        fault::hold_at(&self.host, if reverts { "reverting" } else { cell.state });
        let mut child = self.host.begin(&self.files[new], &["apply", "--yes", "--json"], &[]);
        let mut is_there = fault::is_held(&self.host);
        if reverts {
            // The old generation must be able to start.
            fault::heal(&self.host, Fault::OmlxCrashes);
        }
        if is_there && cell.state == "reverted" {
            fault::hold_next(&self.host, cell.state);
            is_there = fault::is_held(&self.host);
        }
        if !is_there {
            Host::kill_laptop(&mut child);
            fault::let_go(&self.host);
            return Err(format!("{} was never reached: {:?}\n{}", cell.state, heard(child), self.host.state()));
        }
        fault::inject(&self.host, cell.fault);
        if cell.fault == Fault::LaptopKilled {
            Host::kill_laptop(&mut child);
        }
        let mut second = Ok(());
        if cell.fault == Fault::SecondApply && cell.state != "staged" {
            second = self.second_apply(old);
        }
        fault::let_go(&self.host);
        if fault::must_heal_first(cell.fault) {
            std::thread::sleep(Duration::from_secs(3));
            fault::heal(&self.host, cell.fault);
        }
        Ok((child, second))
    }

    fn second_apply(&self, old: usize) -> Result<(), String> {
        let child = self.host.begin(&self.files[old], &["apply", "--yes", "--json"], &[("USER", "colleague")]);
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let code = output.status.code();
        // Refused, or nothing to do as seen from there; never carried out beside the first.
        if code == Some(6) || (code == Some(0) && said.contains("\"unchanged\"")) {
            Ok(())
        } else {
            Err(format!("the second apply ended with {code:?}: {said}{}", String::from_utf8_lossy(&output.stderr)))
        }
    }

    /// Old or new, and everybody says the same of it: new exactly where `told`, the word of this very transaction, is "committed". Sets which.
    pub(crate) fn is_whole(&mut self, cell: Cell, told: &str) -> Result<(), String> {
        let (old, new) = (self.present, 1 - self.present);
        let edited = (cell.fault == Fault::PersonEdits).then_some(fault::EDITED);
        let judgement = self.judge(edited);
        if told == "revert-failed" {
            // The fault kept the old oMLX from starting. It is said; everything else is back all the same: files, definitions, the other daemons.
            let wrong: Vec<_> = judgement.from[old].iter().filter(|line| !is_of_a_broken_omlx(line)).collect();
            return if wrong.is_empty() {
                Ok(())
            } else {
                Err(format!("revert-failed, and not the old generation: {wrong:#?}"))
            };
        }
        let Some(is_in) = judgement.is_in() else {
            return Err(format!(
                "neither old nor new ({told}): from the old {:#?}, from the new {:#?}",
                judgement.from[old], judgement.from[new]
            ));
        };
        if (is_in == new) != (told == "committed") {
            return Err(format!("the machine is {}, the result says {told}", if is_in == new { "new" } else { "old" }));
        }
        let status = self.status_says()?;
        let shown = status["transaction"]["state"].as_str().unwrap_or("?");
        let number = self.host.sh("cat /usr/local/var/fleetctl/generations/present");
        let present: Option<u64> = number.trim().parse().ok();
        // What touched nothing leaves the generation before it in place.
        let wanted = if told == "reverted" { "reverted" } else { "committed" };
        if shown != wanted || status["transaction"]["generation"].as_u64() != present {
            return Err(format!("status says {}, not {wanted} and generation {number}", status["transaction"]));
        }
        let drift = status["drift"]["state"].as_str().unwrap_or("?");
        let is_in_sync = is_in == self.present;
        if edited.is_none() && drift != if is_in_sync { "in-sync" } else { "drifted" } {
            return Err(format!("status says {drift} of the file that was there before"));
        }
        self.present = is_in;
        Ok(())
    }

    fn converge(&mut self, new: usize, told: String) -> Outcome {
        let (code, out, err) = self.host.fleetctl(&self.files[new], &["apply", "--yes"]);
        if code != 0 {
            return Err(format!("after {told} the next apply ended with {code}\n{out}{err}\n{}", self.host.state()));
        }
        // It was just looked at, and nothing has been done since.
        let is_unchanged = self.present == new && out.contains("unchanged");
        let wrong = if is_unchanged { Vec::new() } else { self.differs(new, None) };
        if !wrong.is_empty() {
            return Err(format!("after {told} the next apply did not converge: {wrong:#?}\n{out}{err}"));
        }
        self.present = new;
        Ok(told)
    }
}

fn heard(child: Child) -> Result<(String, String), String> {
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), text(&output.stderr)))
}

/// Whether a difference is only that oMLX does not run, or does not answer as it should: what launchd has of it, and every other daemon, is not excused.
fn is_of_a_broken_omlx(difference: &str) -> bool {
    difference.starts_with("the server ")
        || ["omlx does not run", "dev.fleetctl.omlx is not loaded"].contains(&difference)
        || difference.ends_with(" is resident and not loaded")
}

/// The cells of a run, by `FAULT_MATRIX`. "all" of them; "part": each fault once and each state at least once; "few": each state once, with other faults every day,
/// so that the days between them run every pair. Few have no oMLX that hangs: that alone takes a gate's time, twice.
fn cells() -> Vec<Cell> {
    let run = std::env::var("FAULT_MATRIX").unwrap_or_default();
    let rotation = rotation();
    let quick: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::OmlxHangs).collect();
    let mut cells = Vec::new();
    for way in [Way::Restart, Way::Live] {
        for (row, state) in STATES.into_iter().enumerate() {
            let is_pointless = way == Way::Live && matches!(state, "reverting" | "reverted");
            for (column, fault) in Fault::ALL.into_iter().enumerate() {
                let is_chosen = match run.as_str() {
                    "all" => true,
                    "few" => way == Way::Restart && fault == quick[(row * 5 + rotation) % quick.len()],
                    _ => way == Way::Restart && (column * 3 + 1) % STATES.len() == row,
                };
                if !is_pointless && is_chosen {
                    cells.push(Cell { way, state, fault });
                }
            }
        }
    }
    let only = |name: &str| std::env::var(name).ok();
    if let Some(way) = only("FAULT_WAY") {
        cells.retain(|cell| cell.way.as_str() == way);
    }
    if let Some(state) = only("FAULT_STATE") {
        cells.retain(|cell| cell.state == state);
    }
    if let Some(fault) = only("FAULT_NAME") {
        cells.retain(|cell| cell.fault.as_str().contains(&fault));
    }
    if only("FAULT_RESUME").is_some() {
        let held = results::held();
        cells.retain(|cell| !held.contains(cell));
    }
    cells
}

/// Which of the pairs "few" takes: the day's number, or what `FAULT_ROTATION` says.
fn rotation() -> usize {
    let asked = std::env::var("FAULT_ROTATION").ok().and_then(|value| value.parse().ok());
    let day = jiff::Timestamp::now().as_second() / 86_400;
    asked.unwrap_or_else(|| usize::try_from(day).unwrap_or_default())
}

#[test]
fn every_state_times_every_fault_ends_old_or_new() {
    if !host::possible() {
        return;
    }
    let cells = cells();
    println!("FAULT_ROTATION={}", rotation());
    let queue = Mutex::new(cells.clone().into_iter().rev().collect::<Vec<_>>());
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..host::workers().min(cells.len()) {
            let (queue, outcomes) = (&queue, &outcomes);
            scope.spawn(move || {
                let mut bench: Option<Bench> = None;
                loop {
                    let Some(cell) = queue.lock().expect("no panic").pop() else { break };
                    let began = Instant::now();
                    let mut on = match bench.take() {
                        Some(bench) if bench.way == cell.way => bench,
                        _ => Bench::new(&format!("m{worker}{}", cell.way.as_str()), cell.way, host::shells(worker)),
                    };
                    let outcome = on.run(cell);
                    println!(
                        "{:7} {:10} x {:32} {} ({} s)",
                        cell.way.as_str(),
                        cell.state,
                        cell.fault.as_str(),
                        outcome.as_ref().map_or("WRONG", String::as_str),
                        began.elapsed().as_secs()
                    );
                    match &outcome {
                        Ok(_) => bench = Some(on),
                        // What follows needs a host of which something is known.
                        Err(why) => println!("{why}"),
                    }
                    results::keep(cell, outcome.as_deref().unwrap_or("WRONG"));
                    outcomes.lock().expect("no panic").push((cell, outcome.unwrap_or_else(|_| "WRONG".to_owned())));
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no panic");
    println!("\n{}", results::table(&outcomes));
    let wrong: Vec<_> = outcomes.iter().filter(|(_, told)| told == "WRONG").map(|(cell, _)| cell).collect();
    assert_eq!(outcomes.len(), cells.len(), "every cell has a result");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
