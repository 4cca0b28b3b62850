//! Kills at moments that nobody chose: the runner is killed again and again, and each transaction still ends old or new. The seed is printed; `FAULT_SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::holds::Way;
use super::{host, results};

/// Marsaglia's xorshift64: moments need no better.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What was done, by all hosts together.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    transactions: u64,
    ends: BTreeMap<String, u64>,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

impl Bench {
    /// One transaction whose runner is killed up to six times, each at its own moment after the last. How often it was; and what the result told.
    fn killed_at(&mut self, moments: &mut Moments) -> (u64, String) {
        let new = 1 - self.present;
        let before = self.told();
        let mut child = self.host.begin(&self.files[new], &["apply", "--yes", "--json"], &[]);
        let delays: Vec<String> =
            (0..=moments.next(5)).map(|_| format!("{}.{}", moments.next(3), moments.next(10))).collect();
        let script = format!(
            "runner() {{ launchctl print system/dev.fleetctl.apply 2>/dev/null | sed -n 's/^\tpid = //p'; }}; for delay in {}; do n=0; while [ -z \"$(runner)\" ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done; sleep $delay; pid=$(runner); [ -z \"$pid\" ] || kill -KILL $pid && echo killed $pid; done; true",
            delays.join(" ")
        );
        let said = self.host.sh(&script);
        let kills = said.lines().filter(|line| line.starts_with("killed ") && line.len() > 7).count() as u64;
        let deadline = Instant::now() + Duration::from_mins(10);
        while child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "the laptop does not end\n{}", self.host.state());
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(self.has_ended(), "the runner has not ended\n{}", self.host.state());
        let judgement = self.judge(None);
        let is_in = judgement.is_in();
        assert!(is_in.is_some(), "neither old nor new: {judgement:#?}\n{}", self.host.state());
        let told = self.told_since(&before);
        assert_eq!(is_in == Some(new), told == "committed", "{told}");
        self.present = is_in.unwrap_or(self.present);
        (kills, told)
    }
}

#[test]
fn random_kills_end_old_or_new() {
    if !host::possible() {
        return;
    }
    let wanted = number("FAULT_KILLS").unwrap_or(10);
    let seed = number("FAULT_SEED").unwrap_or_else(|| {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::hash::RandomState::new().build_hasher().finish() | 1
    });
    println!("FAULT_SEED={seed}");
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for worker in 0..host::workers() {
            let tally = &tally;
            scope.spawn(move || {
                // Odd, so never 0: xorshift would stay there.
                let mut moments = Moments((seed | 1).wrapping_add(2 * worker as u64));
                let way = if worker % 2 == 0 { Way::Restart } else { Way::Live };
                // Ways and shells are told apart.
                let mut bench = Bench::new(&format!("kills{worker}"), way, host::shells(worker / 2));
                while tally.lock().expect("no panic").kills < wanted {
                    let (kills, told) = bench.killed_at(&mut moments);
                    let mut tally = tally.lock().expect("no panic");
                    tally.kills += kills;
                    tally.transactions += 1;
                    *tally.ends.entry(told).or_default() += 1;
                    println!("{tally:?}");
                    results::line(&["kills", &seed.to_string(), &kills.to_string()]);
                }
            });
        }
    });
}
