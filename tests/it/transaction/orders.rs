//! Transactions one after the other and at the same time, on a host of the lab with the real runner: a walk over random states and generations, and pairs of
//! applies that begin at random moments. What comes out is what one after the other gives. The seed is printed; `ORDERS_SEED` repeats a run, `ORDERS` says how many.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::Duration;

use fleetctl::execute::{Purpose, Terms, attach_script, payload, upload};
use fleetctl::fleet::{MachineName, Release};
use fleetctl::plan::{Drain, Found, Gate, Owner, Put, Text, Transaction, Values};
use fleetctl::secret::ExposeSecret as _;
use sha2::Digest as _;

use crate::support::lab::{Hosts, Lab};

const HOST: &str = "mac-001";

/// The paths that the walk moves over: files of ours and links.
const PATHS: [&str; 5] = [
    "/usr/local/libexec/fleetctl/a",
    "/usr/local/libexec/fleetctl/b",
    "/usr/local/libexec/fleetctl/c d",
    "/Users/ops/.omlx/serve/W/one",
    "/Users/ops/.omlx/serve/W/two",
];

/// What lies at each path: a file's content, or a link's target.
type State = BTreeMap<&'static str, String>;

fn is_link(path: &str) -> bool {
    path.contains("/serve/")
}

/// Marsaglia's xorshift64.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// A state that differs from another at some paths.
    fn state_after(&mut self, before: &State) -> State {
        let mut state = before.clone();
        while state == *before {
            for path in PATHS {
                match self.next(4) {
                    0 => drop(state.remove(path)),
                    1 => drop(state.insert(path, format!("/content/{}", self.next(1_000_000)))),
                    _ => {}
                }
            }
        }
        state
    }
}

fn sha256(text: &str) -> String {
    sha2::Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// The way from one state to another, as a plan would say it.
fn transaction(before: &State, after: &State) -> Transaction {
    let gate = Gate {
        engine: false,
        release: Release::V0_3_8,
        url: Text::default(),
        within: Duration::from_secs(20),
        listed: Vec::new(),
        resident: Vec::new(),
        by_clock: false,
        ask: Vec::new(),
    };
    let machine = MachineName::new(HOST).expect("a name");
    let mut transaction = Transaction::empty(machine, "ops".to_owned(), "/Users/ops/.omlx".to_owned(), gate);
    (transaction.drain, transaction.port) = (Drain::None, 8000);
    "{}\n".clone_into(&mut transaction.manifest);
    for path in PATHS.into_iter().filter(|path| before.get(path) != after.get(path)) {
        transaction.found.push(match before.get(path) {
            None => Found::Missing(path.to_owned()),
            Some(target) if is_link(path) => Found::Link { path: path.to_owned(), target: target.clone() },
            Some(content) => Found::Bytes { path: path.to_owned(), sha256: sha256(content) },
        });
        match after.get(path) {
            None => transaction.removes.push(path.to_owned()),
            Some(target) if is_link(path) => {
                transaction.links.push((path.to_owned(), target.clone(), Owner::staff("ops")));
            }
            Some(content) => transaction.puts.push(Put {
                path: path.to_owned(),
                owner: Owner::root(),
                mode: 0o755,
                text: Text::literal(content.clone()),
            }),
        }
    }
    transaction
}

/// The lab with what is known of its one host.
struct Walk {
    lab: Lab,
    count: u32,
}

impl Walk {
    /// Begins an upload as root, as the one command under sudo would get it.
    fn begin(&mut self, purpose: Purpose, transaction: &Transaction) -> Child {
        let script = self.script(purpose, transaction);
        self.start(script)
    }

    fn script(&mut self, purpose: Purpose, transaction: &Transaction) -> String {
        self.count += 1;
        let terms = Terms {
            id: format!("order-{}", self.count),
            purpose,
            fleet: "lab".to_owned(),
            who: format!("operator{}@laptop", self.count),
            drain: Duration::from_secs(1),
            force: false,
            no_gate: false,
            changes: 1,
            record: serde_json::Map::new(),
        };
        let payload = payload(transaction, &Values::default(), &terms).expect("a payload");
        upload(&payload).expose_secret().to_owned()
    }

    fn start(&self, script: String) -> Child {
        let mut command = self.lab.command_on(HOST, "root", &["/bin/sh", "-s"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it begins");
        let mut stdin = child.stdin.take().expect("piped");
        // On a thread, because two of them are fed at the same time.
        drop(std::thread::spawn(move || std::io::Write::write_all(&mut stdin, script.as_bytes())));
        child
    }

    /// The word that a transaction ended with: result.json's state, or `busy`, `lost`, `failed`.
    fn end(child: Child) -> (String, String) {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = said.lines().rfind(|line| line.starts_with("= ") || line.starts_with("! ")).unwrap_or_default();
        let word = match last.strip_prefix("= ") {
            Some(json) => {
                let document: serde_json::Value = serde_json::from_str(json).expect("a whole result");
                document["state"].as_str().expect("a state").to_owned()
            }
            None => last.split(' ').nth(1).unwrap_or("nothing").to_owned(),
        };
        (word, format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn look(&self) -> (State, String) {
        let script = PATHS.iter().fold(String::new(), |script, path| {
            script + &format!(
                "if [ -L '{path}' ]; then printf '{path}\\t%s\\n' \"$(readlink '{path}')\"; elif [ -f '{path}' ]; then printf '{path}\\t%s\\n' \"$(cat '{path}')\"; fi\n"
            )
        });
        let left = "cd /usr/local/var/fleetctl && ls -A | grep -vxE 'generations|manifest.json|record.json|result.json'; ls -A /usr/local/libexec/fleetctl /Users/ops/.omlx/serve/W 2>/dev/null | grep '^\\.'; ls /Library/LaunchDaemons; cat generations/present";
        let said = self.lab.on(HOST, "root", &format!("{script}echo ----\n{left}"));
        let (files, left) = said.out.split_once("----\n").expect("two parts");
        let mut state = State::new();
        for line in files.lines() {
            let (path, content) = line.split_once('\t').expect("a path and its content");
            let path = PATHS.into_iter().find(|known| *known == path).expect("a path of ours");
            state.insert(path, content.to_owned());
        }
        (state, left.to_owned())
    }
}

fn ready() -> Option<(Walk, Dice)> {
    let lab = Lab::up(Hosts::Light(1))?;
    let seed = number("ORDERS_SEED").unwrap_or_else(|| {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::hash::RandomState::new().build_hasher().finish() | 1
    });
    #[expect(clippy::print_stdout, reason = "the seed repeats a run that failed")]
    {
        println!("ORDERS_SEED={seed}");
    }
    Some((Walk { lab, count: 0 }, Dice(seed)))
}

#[test]
fn a_rollback_restores_the_generation_whatever_came_between() {
    let Some((mut walk, mut dice)) = ready() else { return };
    let mut states = vec![State::new()];
    let steps = number("ORDERS").unwrap_or(4);
    for step in 1..=steps {
        let present = states.last().expect("the first").clone();
        // The last step always goes back.
        let back = step > 1 && (step == steps || dice.next(3) == 0);
        let (purpose, after) = if back {
            let generation = dice.next(states.len() as u64 - 1);
            let wanted = states[usize::try_from(generation).expect("small")].clone();
            (Purpose::Rollback(u32::try_from(generation).expect("small")), wanted)
        } else {
            (Purpose::Apply, dice.state_after(&present))
        };
        let nothing = transaction(&State::new(), &State::new());
        let child = match purpose {
            Purpose::Apply => walk.begin(purpose, &transaction(&present, &after)),
            _ => walk.begin(purpose, &nothing),
        };
        let (word, said) = Walk::end(child);
        assert_eq!(word, "committed", "step {step}, {purpose:?}: {said}");
        let (found, left) = walk.look();
        assert_eq!(found, after, "step {step}, {purpose:?}");
        assert_eq!(left.trim_end(), format!("{step}"), "something is left lying about");
        states.push(after);
    }
}

#[test]
fn two_applies_at_once_are_one_after_the_other() {
    let Some((mut walk, mut dice)) = ready() else { return };
    let mut present = State::new();
    let mut generation = 0;
    for round in 0..number("ORDERS").unwrap_or(4) {
        let targets = [dice.state_after(&present), dice.state_after(&present)];
        let changes: Vec<BTreeSet<&str>> = targets
            .iter()
            .map(|target| PATHS.into_iter().filter(|path| target.get(path) != present.get(path)).collect())
            .collect();
        let first = walk.begin(Purpose::Apply, &transaction(&present, &targets[0]));
        std::thread::sleep(Duration::from_millis(dice.next(2500)));
        let second = walk.begin(Purpose::Apply, &transaction(&present, &targets[1]));
        let ends = [Walk::end(first), Walk::end(second)];
        let (found, left) = walk.look();
        let committed: Vec<usize> = (0..2).filter(|at| ends[*at].0 == "committed").collect();
        for (word, said) in &ends {
            assert!(["committed", "refused", "busy"].contains(&word.as_str()), "round {round}: {word}: {said}");
        }
        assert!(!committed.is_empty(), "round {round}: nobody came through: {ends:?}");
        assert!(
            committed.len() < 2 || changes[0].is_disjoint(&changes[1]),
            "round {round}: one undid the other: {ends:?}"
        );
        let mut expected = present.clone();
        for at in &committed {
            for path in &changes[*at] {
                match targets[*at].get(path) {
                    Some(content) => drop(
                        expected.insert(PATHS.into_iter().find(|known| known == path).expect("ours"), content.clone()),
                    ),
                    None => drop(expected.remove(path)),
                }
            }
        }
        assert_eq!(found, expected, "round {round}: {ends:?}");
        generation += committed.len();
        assert_eq!(left.trim_end(), format!("{generation}"), "round {round}: something is left lying about");
        present = expected;
    }
}

/// Before its runner has begun, an upload can be put out by the next one. It is told so: it waited for a result that never came, and said that one was lost.
#[test]
fn an_upload_that_is_put_out_before_it_began_is_told_who_did_it() {
    let Some((mut walk, mut dice)) = ready() else { return };
    let nothing = State::new();
    let targets = [dice.state_after(&nothing), dice.state_after(&nothing)];
    let slow = walk.script(Purpose::Apply, &transaction(&nothing, &targets[0]));
    let slow = slow.replace("\ninstall_upload\nbegin\n", "\ninstall_upload\nsleep 6\nbegin\n");
    assert!(slow.contains("sleep 6"), "the upload's last calls are others now");
    let first = walk.start(slow);
    let waited = walk.lab.on(HOST, "root", "until [ -e /usr/local/var/fleetctl/apply/at.staged ]; do sleep 0.1; done");
    assert_eq!(waited.code, 0, "{}", waited.err);
    let second = walk.begin(Purpose::Apply, &transaction(&nothing, &targets[1]));
    let (word, said) = Walk::end(second);
    assert_eq!(word, "committed", "{said}");
    let (word, said) = Walk::end(first);
    assert_eq!(word, "busy", "{said}");
    assert!(said.contains("! busy order-2\toperator2@laptop\n"), "{said}");
    let (found, left) = walk.look();
    assert_eq!(found, targets[1]);
    assert_eq!(left.trim_end(), "1", "something is left lying about");
}

/// The job without a runner: an upload that met a transaction in its last moment started one, and a boot in that moment does.
#[test]
fn a_job_without_a_runner_takes_away_what_is_left() {
    let Some((walk, _)) = ready() else { return };
    let made = walk.lab.on(
        HOST,
        "root",
        "umask 077; mkdir -p /usr/local/var/fleetctl/.apply.done.71/blobs && echo secret >/usr/local/var/fleetctl/.apply.done.71/blobs/1",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let text = attach_script("none");
    let (functions, _) = text.split_once("\nif [ \"$(meta id)\"").expect("functions, then what is asked of them");
    let gone = "tries=0; while { loaded || [ -e \"$PLIST\" ]; } && [ \"$tries\" -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done";
    let started = walk.start(format!(
        "{functions}\nstart_runner\n{gone}\nloaded || echo gone\nls -A \"$STATE\" /Library/LaunchDaemons\n"
    ));
    let output = started.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("gone\n"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains(".apply.done"), "{said}");
    assert!(!said.contains("dev.fleetctl.apply.plist"), "{said}");
}
