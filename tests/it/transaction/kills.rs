//! Kills at moments that nobody chose: the runner is killed again and again, and each transaction still ends old or new. The seed is printed; `FAULT_SEED` repeats a run.

use std::time::{Duration, Instant};

use super::bench::Bench;
use super::holds::Way;
use super::host;

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

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
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
    let mut moments = Moments(seed);
    let mut benches =
        [Bench::new("killsr", Way::Restart, ""), Bench::new("killsl", Way::Live, "sh = \"dash\"\nawk = \"mawk\"")];
    let (mut kills, mut transactions, mut ends) = (0, 0, std::collections::BTreeMap::<String, u32>::new());
    while kills < wanted {
        let bench = &mut benches[transactions % 2];
        transactions += 1;
        let (old, new) = (bench.present, 1 - bench.present);
        let mut child = bench.host.begin(&bench.files[new], &["apply", "--yes", "--json"], &[]);
        // A few kills a transaction, each at its own moment after the last.
        let delays: Vec<String> =
            (0..=moments.next(5)).map(|_| format!("{}.{}", moments.next(3), moments.next(10))).collect();
        let script = format!(
            "runner() {{ launchctl print system/dev.fleetctl.apply 2>/dev/null | sed -n 's/^\tpid = //p'; }}; for delay in {}; do n=0; while [ -z \"$(runner)\" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done; sleep $delay; pid=$(runner); [ -z \"$pid\" ] || kill -KILL $pid && echo killed $pid; done; true",
            delays.join(" ")
        );
        let said = bench.host.sh(&script);
        kills += said.lines().filter(|line| line.starts_with("killed ") && line.len() > 7).count() as u64;
        let deadline = Instant::now() + Duration::from_mins(5);
        while child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "the laptop does not end\n{}", bench.host.state());
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(bench.has_ended(), "FAULT_SEED={seed}: the runner has not ended\n{}", bench.host.state());
        let (from_old, from_new) = (bench.differs(old, None), bench.differs(new, None));
        assert!(
            from_old.is_empty() || from_new.is_empty(),
            "FAULT_SEED={seed}, transaction {transactions}: neither old nor new: {from_old:#?} {from_new:#?}\n{}",
            bench.host.state()
        );
        let result: serde_json::Value =
            serde_json::from_str(&bench.host.sh("cat /usr/local/var/fleetctl/result.json")).expect("a whole result");
        let told = result["state"].as_str().unwrap_or("?").to_owned();
        assert_eq!(from_new.is_empty(), told == "committed", "FAULT_SEED={seed}: {told}");
        bench.present = if from_new.is_empty() { new } else { old };
        *ends.entry(told).or_default() += 1;
        println!("{kills} kills, {transactions} transactions: {ends:?}");
    }
}
