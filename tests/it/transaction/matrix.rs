//! The fault matrix: every state of the runner crossed with every fault. After each, once the runner has ended, the machine is exactly what the old fleet file says or
//! exactly what the new one says; the result tells which; the next apply converges; nothing of anybody else's has changed.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::fault::{self, Fault, STATES};
use super::holds::{CANARIES, Expectation, Way, fleet_text, look};
use super::host::{self, Host};

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) way: Way,
    pub(crate) state: &'static str,
    pub(crate) fault: Fault,
}

/// A host between two fleet files.
pub(crate) struct Bench {
    pub(crate) host: Host,
    way: Way,
    pub(crate) files: [PathBuf; 2],
    pub(crate) expectations: [Expectation; 2],
    /// Which of the two holds.
    pub(crate) present: usize,
}

impl Bench {
    pub(crate) fn new(name: &str, way: Way, keys: &str) -> Self {
        let host = Host::with(name, keys);
        let texts = [0, 1].map(|state| fleet_text(way, state));
        let files = [0, 1].map(|state: usize| host.write_fleet(&format!("{state}.toml"), &texts[state]));
        host.sh("mkdir -p /Users/ops/.omlx && printf '{\"version\": \"1.0\", \"sampling\": {\"max_tokens\": 4321}, \"ui\": {\"language\": \"de\"}}' >/Users/ops/.omlx/settings.json && chown -R ops:staff /Users/ops/.omlx && chmod 600 /Users/ops/.omlx/settings.json");
        host.sh(&format!("mkdir -p /usr/local/libexec && {CANARIES}"));
        fault::install(&host);
        // launchd's seconds pass faster, oMLX's own do not.
        host.lab("knob", &["time_scale=0.1"]);
        let bench = Self {
            host,
            way,
            expectations: [0, 1].map(|state: usize| Expectation::of(&texts[state])),
            files,
            present: 0,
        };
        let (code, out, err) = bench.host.fleetctl(&bench.files[0], &["apply", "--yes"]);
        assert_eq!(code, 0, "the first apply\n{out}{err}\n{}", bench.host.state());
        let wrong = bench.differs(0, None);
        assert!(wrong.is_empty(), "after the first apply: {wrong:#?}");
        bench
    }

    /// In what the machine differs from one of the two.
    pub(crate) fn differs(&self, state: usize, edited: Option<&str>) -> Vec<String> {
        let both = [&self.expectations[0], &self.expectations[1]];
        // A server that was just started may not answer yet.
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let wrong = look(&self.host, both).differs(both[state], both[1 - state], edited);
            if wrong.is_empty() || Instant::now() > deadline {
                return wrong;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Whether the runner has taken itself away.
    pub(crate) fn has_ended(&self) -> bool {
        self.host.is_soon(
            "launchctl print system/dev.fleetctl.apply >/dev/null 2>&1 && exit 1; [ ! -e /usr/local/var/fleetctl/apply ]",
            Duration::from_mins(4),
        )
    }

    /// Runs one cell. Errors: what does not hold, in words.
    pub(crate) fn run(&mut self, cell: Cell) -> Result<String, String> {
        let (old, new) = (self.present, 1 - self.present);
        let reverts = matches!(cell.state, "reverting" | "reverted");
        if reverts {
            // A start that fails is what makes it go back at all.
            fault::inject(&self.host, Fault::OmlxCrashes);
        }
        fault::hold_at(&self.host, if reverts { "reverting" } else { cell.state });
        let mut child = self.host.begin(&self.files[new], &["apply", "--yes", "--json"], &[]);
        if !fault::is_held(&self.host) {
            drop(child.kill());
            let output = child.wait_with_output().map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            fault::let_go(&self.host);
            return Err(format!("{} was never reached: {output:?}\n{}", cell.state, self.host.state()));
        }
        if reverts {
            // The old generation must be able to start.
            fault::heal(&self.host, Fault::OmlxCrashes);
        }
        if cell.state == "reverted" {
            fault::hold_next(&self.host, cell.state);
            if !fault::is_held(&self.host) {
                fault::let_go(&self.host);
                drop((child.kill(), child.wait()));
                return Err(format!("reverted was never reached\n{}", self.host.state()));
            }
        }
        fault::inject(&self.host, cell.fault);
        if cell.fault == Fault::LaptopKilled {
            drop(child.kill());
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
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        if !self.has_ended() {
            let state = self.host.state();
            fault::heal(&self.host, cell.fault);
            return Err(format!("the runner has not ended\n{state}\n{said}{complaint}"));
        }
        fault::heal(&self.host, cell.fault);
        second?;
        let result = self.host.sh("cat /usr/local/var/fleetctl/result.json");
        let result: serde_json::Value = serde_json::from_str(&result).unwrap_or_default();
        let told = result["state"].as_str().unwrap_or("?").to_owned();
        if told == "revert-failed" {
            // It is said, and the next apply mends it: what the fault made impossible was the start of the old generation.
            return self.converge(new, told);
        }
        let edited = (cell.fault == Fault::PersonEdits).then_some(fault::EDITED);
        let (from_old, from_new) = (self.differs(old, edited), self.differs(new, edited));
        let is_new = from_new.is_empty();
        if !is_new && !from_old.is_empty() {
            return Err(format!(
                "neither old nor new ({told}): from the old {from_old:#?}, from the new {from_new:#?}\n{said}{complaint}\n{}",
                self.host.state()
            ));
        }
        // The last transaction that got as far as a result was this one, unless its upload never arrived.
        if is_new != (told == "committed") && !(told == "committed" && !is_new && never_began(&said, cell)) {
            return Err(format!(
                "the machine is {}, the result says {told}\n{said}{complaint}",
                if is_new { "new" } else { "old" }
            ));
        }
        self.converge(new, told)
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

    fn converge(&mut self, new: usize, told: String) -> Result<String, String> {
        let (code, out, err) = self.host.fleetctl(&self.files[new], &["apply", "--yes"]);
        if code != 0 {
            return Err(format!("after {told} the next apply ended with {code}\n{out}{err}\n{}", self.host.state()));
        }
        let wrong = self.differs(new, None);
        if !wrong.is_empty() {
            return Err(format!("after {told} the next apply did not converge: {wrong:#?}\n{out}{err}"));
        }
        self.present = new;
        Ok(told)
    }
}

fn never_began(said: &str, cell: Cell) -> bool {
    cell.state == "staged" && !said.contains("\"applied\"")
}

/// The cells of a run: all of them with `FAULT_MATRIX=all`, else some that between them touch every state and every fault.
fn cells() -> Vec<Cell> {
    let all = std::env::var("FAULT_MATRIX").is_ok_and(|value| value == "all");
    let mut cells = Vec::new();
    for way in [Way::Restart, Way::Live] {
        for (row, state) in STATES.into_iter().enumerate() {
            for (column, fault) in Fault::ALL.into_iter().enumerate() {
                let is_pointless = way == Way::Live && matches!(state, "reverting" | "reverted");
                // Each fault once and each state at least once.
                let is_chosen = way == Way::Restart && (column * 3 + 1) % STATES.len() == row;
                if !is_pointless && (all || is_chosen) {
                    cells.push(Cell { way, state, fault });
                }
            }
        }
    }
    let only = |name: &str| std::env::var(name).ok();
    if let Some(state) = only("FAULT_STATE") {
        cells.retain(|cell| cell.state == state);
    }
    if let Some(fault) = only("FAULT_NAME") {
        cells.retain(|cell| cell.fault.as_str().contains(&fault));
    }
    cells
}

#[test]
fn every_state_times_every_fault_ends_old_or_new() {
    if !host::possible() {
        return;
    }
    let cells = cells();
    let workers: usize = std::env::var("FAULT_WORKERS").ok().and_then(|value| value.parse().ok()).unwrap_or(2);
    let queue = Mutex::new(cells.clone().into_iter().rev().collect::<Vec<_>>());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (queue, results) = (&queue, &results);
            scope.spawn(move || {
                let mut benches: Vec<Bench> = Vec::new();
                loop {
                    let Some(cell) = queue.lock().expect("no panic").pop() else { break };
                    let at = benches.iter().position(|bench| bench.way == cell.way).unwrap_or_else(|| {
                        // One host in four shells and awks: what a Mac has, and the strictest.
                        let keys =
                            if worker % 2 == 1 { "sh = \"dash\"\nawk = \"mawk\"\nsudo = \"documented\"" } else { "" };
                        benches.push(Bench::new(&format!("m{worker}{:?}", cell.way).to_lowercase(), cell.way, keys));
                        benches.len() - 1
                    });
                    let began = Instant::now();
                    let result = benches[at].run(cell);
                    println!(
                        "{:7} {:10} x {:32} {} ({} s)",
                        format!("{:?}", cell.way).to_lowercase(),
                        cell.state,
                        cell.fault.as_str(),
                        result.as_ref().map_or("WRONG", String::as_str),
                        began.elapsed().as_secs()
                    );
                    if let Err(why) = &result {
                        println!("{why}");
                        // What follows needs a host of which something is known.
                        benches.remove(at);
                    }
                    results.lock().expect("no panic").push((cell, result));
                }
            });
        }
    });
    let results = results.into_inner().expect("no panic");
    println!("\n{}", table(&results));
    let wrong: Vec<_> = results.iter().filter(|(_, result)| result.is_err()).map(|(cell, _)| cell).collect();
    assert_eq!(results.len(), cells.len(), "every cell has a result");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The table of the run: a line a fault, a column a state.
fn table(results: &[(Cell, Result<String, String>)]) -> String {
    let mut text = String::new();
    for way in [Way::Restart, Way::Live] {
        if !results.iter().any(|(cell, _)| cell.way == way) {
            continue;
        }
        text.push_str(&format!("| {way:?} | {} |\n|---|{}\n", STATES.join(" | "), "---|".repeat(STATES.len())));
        for fault in Fault::ALL {
            let cells: Vec<String> = STATES
                .into_iter()
                .map(|state| {
                    let found =
                        results.iter().find(|(cell, _)| (cell.way, cell.state, cell.fault) == (way, state, fault));
                    found.map_or("", |(_, result)| result.as_ref().map_or("WRONG", |told| short(told))).to_owned()
                })
                .collect();
            text.push_str(&format!("| {} | {} |\n", fault.as_str(), cells.join(" | ")));
        }
        text.push('\n');
    }
    text
}

fn short(told: &str) -> &'static str {
    match told {
        "committed" => "new",
        "reverted" => "old",
        "refused" => "old, refused",
        "postponed" => "old, postponed",
        "failed" => "old, untouched",
        "revert-failed" => "said, then mended",
        _ => "?",
    }
}
