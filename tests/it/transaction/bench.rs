//! A host between two fleet files, and the judge of what a transaction left there.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::fault;
use super::holds::{CANARIES, Expectation, FOREIGN, Way, fleet_text, look};
use super::host::Host;

/// A host that is in one of two generations.
pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) way: Way,
    pub(crate) files: [PathBuf; 2],
    expectations: [Expectation; 2],
    /// Which of the two holds.
    pub(crate) present: usize,
}

/// The machine's own word on a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whose word: each transaction has an id of its own.
    pub(crate) id: String,
    pub(crate) state: String,
}

/// In what a machine differs from each of the two generations.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) from: [Vec<String>; 2],
}

impl Judgement {
    /// The generation that the machine is in, exactly.
    pub(crate) fn is_in(&self) -> Option<usize> {
        self.from.iter().position(Vec::is_empty)
    }
}

impl Bench {
    /// A host of its own, in generation 0.
    pub(crate) fn new(name: &str, way: Way, keys: &str) -> Self {
        let host = Host::with(name, keys);
        let texts = [0, 1].map(|state| fleet_text(way, state));
        let files = [0, 1].map(|state: usize| host.write_fleet(&format!("{state}.toml"), &texts[state]));
        host.sh(&format!("mkdir -p /Users/ops/.omlx /usr/local/libexec\nprintf '%s' '{FOREIGN}' >/Users/ops/.omlx/settings.json\nchown -R ops:staff /Users/ops/.omlx && chmod 600 /Users/ops/.omlx/settings.json\n{CANARIES}"));
        fault::install(&host);
        // launchd's seconds pass faster, oMLX's own do not.
        host.lab("knob", &["time_scale=0.1"]);
        let expectations = [0, 1].map(|state: usize| Expectation::of(&texts[state]));
        let bench = Self { host, way, files, expectations, present: 0 };
        let (code, out, err) = bench.host.fleetctl(&bench.files[0], &["apply", "--yes"]);
        assert_eq!(code, 0, "the first apply\n{out}{err}\n{}", bench.host.state());
        let wrong = bench.differs(0, None);
        assert!(wrong.is_empty(), "after the first apply: {wrong:#?}");
        bench
    }

    /// One look at the machine. `edited`: a path that a person changed meanwhile.
    pub(crate) fn judge_now(&self, edited: Option<&str>) -> Judgement {
        let [zero, one] = &self.expectations;
        let seen = look(&self.host, [zero, one]);
        Judgement { from: [seen.differs(zero, one, edited), seen.differs(one, zero, edited)] }
    }

    /// Looks until the machine is in a generation; a server that was just started may not answer yet.
    pub(crate) fn judge(&self, edited: Option<&str>) -> Judgement {
        self.judge_until(edited, |judgement| judgement.is_in().is_some())
    }

    /// In what the machine differs from one of the two.
    pub(crate) fn differs(&self, state: usize, edited: Option<&str>) -> Vec<String> {
        let mut judgement = self.judge_until(edited, |judgement| judgement.from[state].is_empty());
        std::mem::take(&mut judgement.from[state])
    }

    fn judge_until(&self, edited: Option<&str>, is_settled: impl Fn(&Judgement) -> bool) -> Judgement {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let judgement = self.judge_now(edited);
            if is_settled(&judgement) || Instant::now() > deadline {
                return judgement;
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

    /// What the last transaction's result says.
    pub(crate) fn told(&self) -> Told {
        let result = self.host.sh("cat /usr/local/var/fleetctl/result.json");
        let result: serde_json::Value = serde_json::from_str(&result).unwrap_or_default();
        let text = |key: &str| result[key].as_str().unwrap_or("?").to_owned();
        Told { id: text("id"), state: text("state") }
    }

    /// What the result says of the transaction since `before`. Where none began, it is still the word of the one before: then "failed", and the machine must be
    /// as it was.
    pub(crate) fn told_since(&self, before: &Told) -> String {
        let told = self.told();
        if told.id == before.id { "failed".to_owned() } else { told.state }
    }

    /// What `status` on the laptop says of the last transaction.
    pub(crate) fn status_says(&self) -> Result<serde_json::Value, String> {
        let (code, out, err) = self.host.fleetctl(&self.files[self.present], &["status", "--json"]);
        let document: serde_json::Value =
            serde_json::from_str(&out).map_err(|error| format!("status ended with {code}: {error}: {out}{err}"))?;
        Ok(document["machines"][0].clone())
    }
}
