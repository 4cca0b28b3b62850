//! Each way in which a transaction can end, and what is true then.

use std::process::Command;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::fault::{self, Fault};
use super::holds::Way;
use super::host::{self, KEY};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn one(text: &str) -> serde_json::Value {
    json(text)["machines"][0].clone()
}

/// An apply that is held at a state while something happens; its exit code and answer.
fn meanwhile(bench: &Bench, state: &str, words: &[&str], happens: impl FnOnce()) -> (i32, serde_json::Value) {
    fault::hold_at(&bench.host, state);
    let new = 1 - bench.present;
    let child = bench.host.begin(&bench.files[new], &[&["apply", "--yes", "--json"], words].concat(), &[]);
    assert!(fault::is_held(&bench.host), "{state} was never reached\n{}", bench.host.state());
    happens();
    fault::let_go(&bench.host);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), one(&text))
}

#[test]
fn what_changed_since_the_plan_is_refused_and_nothing_is_touched() {
    if !host::possible() {
        return;
    }
    let bench = Bench::new("changed", Way::Restart, "");
    // A person changes a key that is ours, in oMLX's own file.
    let settings = "/Users/ops/.omlx/settings.json";
    let (code, answer) = meanwhile(&bench, "staged", &[], || {
        bench.host.sh(&format!("cp -p {settings} /var/hold/kept; sed 's/\"max_concurrent_requests\": 4/\"max_concurrent_requests\": 6/' /var/hold/kept >{settings}"));
    });
    assert_eq!((code, answer["result"].as_str()), (6, Some("refused")), "{answer}");
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("/scheduler/max_concurrent_requests") && detail.contains(settings), "{detail}");
    assert!(!detail.contains(KEY));
    bench.host.sh(&format!("cat /var/hold/kept >{settings}"));
    assert_eq!(bench.differs(0, None), [""; 0], "nothing was touched");

    // A person changes a file of ours.
    let (code, answer) = meanwhile(&bench, "staged", &[], || {
        bench.host.sh("printf '<!-- mine -->\\n' >>/Library/LaunchDaemons/dev.fleetctl.omlx.plist");
    });
    assert_eq!((code, answer["result"].as_str()), (6, Some("refused")), "{answer}");
    assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains("dev.fleetctl.omlx.plist")), "{answer}");
    let after = bench.host.sh("tail -n 1 /Library/LaunchDaemons/dev.fleetctl.omlx.plist");
    assert_eq!(after, "<!-- mine -->\n");
    // The next apply sees it in its plan, and converges.
    let (code, out, err) = bench.host.fleetctl(&bench.files[0], &["apply", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(bench.differs(0, None), [""; 0]);
}

#[test]
fn a_busy_machine_is_postponed_untouched_and_forced_only_on_demand() {
    if !host::possible() {
        return;
    }
    let bench = Bench::new("busy", Way::Restart, "");
    let slow = "printf '{\"tokens_per_second\": 1}' >/var/lab/omlx/8000.json; chmod 644 /var/lab/omlx/8000.json";
    bench.host.sh(slow);
    let stream = format!(
        "curl -sS -N -H 'Authorization: Bearer {KEY}' -H 'Content-Type: application/json' -d '{{\"model\": \"alpha\", \"stream\": true, \"max_tokens\": 4000, \"messages\": [{{\"role\": \"user\", \"content\": \"x\"}}]}}' http://127.0.0.1:8000/v1/chat/completions >/var/hold/stream 2>&1 &"
    );
    bench.host.sh(&stream);
    assert!(bench.host.is_soon("[ -s /var/hold/stream ]", Duration::from_secs(20)), "the request runs");
    let pid = "launchctl print system/dev.fleetctl.omlx | sed -n 's/^\tpid = //p'";
    let before = bench.host.sh(pid);
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--json", "--drain", "3s"]);
    let answer = one(&out);
    assert_eq!((code, answer["result"].as_str()), (1, Some("postponed")), "{out}{err}");
    assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains("1 active")), "{answer}");
    assert_eq!(bench.host.sh(pid), before, "the daemon was not touched");
    assert_eq!(bench.differs(0, None), [""; 0]);
    let (code, out, err) =
        bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--json", "--drain", "1s", "--force"]);
    assert_eq!((code, one(&out)["result"].as_str()), (0, Some("applied")), "{out}{err}");
    assert!(one(&out)["detail"].as_str().is_some_and(|detail| detail.contains("--force")), "{out}");
    bench.host.sh("rm -f /var/lab/omlx/8000.json");
    assert_eq!(bench.differs(1, None), [""; 0]);
}

#[test]
fn a_gate_that_fails_reverts_and_says_why() {
    if !host::possible() {
        return;
    }
    let mut bench = Bench::new("gate", Way::Restart, "");
    // A resident that cannot load any more: only the new generation's start shows it.
    bench.host.sh("printf '{\"fail_load\": [\"alpha\"]}' >/var/lab/omlx/8000.json; chmod 644 /var/lab/omlx/8000.json");
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--json"]);
    let answer = one(&out);
    assert_eq!((code, answer["result"].as_str()), (7, Some("reverted")), "{out}{err}");
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("alpha does not load") && detail.contains("omlx.log"), "{detail}");
    bench.host.sh("rm -f /var/lab/omlx/8000.json; launchctl kickstart -k system/dev.fleetctl.omlx");
    assert_eq!(bench.differs(0, None), [""; 0]);

    // The same with --no-gate is the operator's own risk.
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--json", "--no-gate"]);
    assert_eq!((code, one(&out)["result"].as_str()), (0, Some("applied")), "{out}{err}");
    assert_eq!(bench.differs(1, None), [""; 0]);
    bench.present = 1;

    // And back: a rollback is a transaction and a generation.
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["rollback", host::HOST, "--yes", "--json"]);
    assert_eq!((code, one(&out)["generation"].as_u64()), (0, Some(3)), "{out}{err}");
    assert_eq!(bench.differs(0, None), [""; 0], "rollback after apply restores");
    let (_, out, _) = bench.host.fleetctl(&bench.files[1], &["history", host::HOST, "--json"]);
    let generations = json(&out)["generations"].clone();
    let kinds: Vec<_> = generations.as_array().expect("a list").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(serde_json::Value::from(kinds), serde_json::json!([null, "apply", "apply", "rollback"]), "{out}");
    // Exactly as the old file says: nothing to do for it.
    let (code, out, err) = bench.host.fleetctl(&bench.files[0], &["apply", "--yes", "--json"]);
    assert_eq!((code, one(&out)["result"].as_str()), (0, Some("unchanged")), "{out}{err}");

    // A generation with a missing file is refused before anything is touched.
    bench.host.sh("rm /usr/local/var/fleetctl/generations/1/snapshot/blobs/1");
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["rollback", host::HOST, "1", "--yes", "--json"]);
    assert_eq!((code, one(&out)["result"].as_str()), (1, Some("failed")), "{out}{err}");
    assert!(one(&out)["detail"].as_str().is_some_and(|detail| detail.contains("generation 1 is not whole")), "{out}");
    assert_eq!(bench.differs(0, None), [""; 0]);

    // Everything goes; models and oMLX stay.
    let (code, out, err) = bench.host.fleetctl(&bench.files[0], &["remove", host::HOST, "--yes", "--json"]);
    assert_eq!((code, one(&out)["result"].as_str()), (0, Some("applied")), "{out}{err}");
    let left = bench.host.sh(
        "ls -d /usr/local/var/fleetctl /usr/local/libexec/fleetctl /Library/Logs/fleetctl /Library/LaunchDaemons/dev.fleetctl.* /Users/ops/.omlx/serve 2>/dev/null; launchctl list | grep fleetctl; grep -c KEY /Users/ops/.omlx/settings.json; ls /Users/ops/models; cat /usr/local/libexec/other",
    );
    assert_eq!(left, "0\nMine\nQwen3-alpha\nQwen3-beta\nnot ours\n");
    let (code, out, _) = bench.host.fleetctl(&bench.files[0], &["remove", host::HOST, "--yes", "--json"]);
    assert_eq!((code, one(&out)["result"].as_str()), (0, Some("unchanged")), "{out}");
}

#[test]
fn what_the_api_does_not_take_back_a_restart_does() {
    if !host::possible() {
        return;
    }
    let bench = Bench::new("rescan", Way::Live, "");
    // oMLX may not look for models again: neither for the new name nor, on the way back, for its absence.
    bench.host.sh("chown root /Users/ops/.omlx/serve && chmod 755 /Users/ops/.omlx/serve");
    let (code, out, err) = bench.host.fleetctl(&bench.files[1], &["apply", "--yes", "--json"]);
    assert_eq!((code, one(&out)["result"].as_str()), (7, Some("reverted")), "{out}{err}");
    assert_eq!(bench.differs(0, None), [""; 0], "{}", bench.host.state());
}

#[test]
fn what_lies_there_broken_is_survived() {
    if !host::possible() {
        return;
    }
    let mut bench = Bench::new("broken", Way::Live, "");
    let apply = |bench: &Bench| {
        let (code, out, err) = bench.host.fleetctl(&bench.files[1 - bench.present], &["apply", "--yes", "--json"]);
        (code, out.clone(), format!("{out}{err}\n{}", bench.host.state()))
    };
    for (what, script) in [
        ("an empty result", ": >/usr/local/var/fleetctl/result.json"),
        ("an edited result", "printf '{\"state\": \"running\", \"id\": \"x' >/usr/local/var/fleetctl/result.json"),
        (
            "the lock of a dead owner",
            "mkdir /usr/local/var/fleetctl/lock && cd /usr/local/var/fleetctl/lock && printf 'o@gone\\n' >who && printf '99999\\n' >pid && printf 'old\\n' >id && date +%s >since && printf '1\\n' >boot",
        ),
        (
            "a payload that never began",
            "mkdir -m 700 /usr/local/var/fleetctl/apply && : >/usr/local/var/fleetctl/apply/at.staged",
        ),
        (
            "an upload that was cut",
            "mkdir -p /usr/local/var/fleetctl/.apply.x/blobs && printf x >/usr/local/var/fleetctl/.apply.x/meta && touch -t 202601010000 /usr/local/var/fleetctl/.apply.x",
        ),
        (
            "a runner's job without a payload",
            "sed 's/omlx/apply/' /Library/LaunchDaemons/com.example.other.plist >/Library/LaunchDaemons/dev.fleetctl.apply.plist",
        ),
        (
            "directories of ours with other rights",
            "chown ops /usr/local/libexec/fleetctl && chmod 0777 /usr/local/var/fleetctl",
        ),
    ] {
        bench.host.sh(script);
        let (code, out, all) = apply(&bench);
        assert_eq!((code, one(&out)["result"].as_str()), (0, Some("applied")), "{what}: {all}");
        let rights = bench.host.sh("stat -f '%Su:%Sg %Lp' /usr/local/libexec/fleetctl /usr/local/var/fleetctl");
        assert_eq!(rights.trim_end(), "root:wheel 755\nroot:wheel 755", "{what}");
        bench.present = 1 - bench.present;
        let wrong = bench.differs(bench.present, None);
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
    }
    // oMLX's directory as root's: nobody's to take but a person's, and doctor has the command.
    bench.host.sh("chown root:wheel /Users/ops/.omlx");
    let (code, out, all) = apply(&bench);
    assert_eq!((code, one(&out)["result"].as_str()), (1, Some("failed")), "{all}");
    assert!(
        one(&out)["detail"].as_str().is_some_and(|detail| detail.contains("/Users/ops/.omlx is root:wheel")),
        "{all}"
    );
    bench.host.sh("chown ops:staff /Users/ops/.omlx");
    assert_eq!(bench.differs(bench.present, None), [""; 0]);
    // A full disk: nothing begins, and it is said.
    fault::inject(&bench.host, Fault::DiskFull);
    let (code, out, all) = apply(&bench);
    fault::heal(&bench.host, Fault::DiskFull);
    assert_eq!((code, one(&out)["result"].as_str()), (1, Some("failed")), "{all}");
    assert_eq!(bench.differs(bench.present, None), [""; 0]);
    // sudo that refuses: its own words, and the line that mends it.
    fault::inject(&bench.host, Fault::SudoRevoked);
    let (code, out, all) = apply(&bench);
    fault::heal(&bench.host, Fault::SudoRevoked);
    assert_eq!(code, 1, "{all}");
    assert!(one(&out)["detail"].as_str().is_some_and(|detail| detail.contains("sudo")), "{all}");
    assert_eq!(bench.differs(bench.present, None), [""; 0]);
}

#[test]
fn ctrl_c_once_lets_the_machine_end_and_twice_cuts_the_connection() {
    if !host::possible() {
        return;
    }
    let mut bench = Bench::new("interrupt", Way::Restart, "");
    for (presses, code) in [(1, 130), (2, 130)] {
        let new = 1 - bench.present;
        fault::hold_at(&bench.host, "switched");
        let child = bench.host.begin(&bench.files[new], &["apply", "--yes", "--json"], &[]);
        assert!(fault::is_held(&bench.host), "{}", bench.host.state());
        for press in 0..presses {
            if press > 0 {
                std::thread::sleep(Duration::from_millis(300));
            }
            let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
            assert!(killed.success());
        }
        if presses == 2 {
            // It does not wait for the machine: that is still held.
            let deadline = Instant::now() + Duration::from_secs(30);
            let output = child.wait_with_output().expect("it ends");
            assert!(Instant::now() < deadline);
            assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
            assert!(
                one(&String::from_utf8_lossy(&output.stdout))["detail"]
                    .as_str()
                    .is_some_and(|text| text.contains("by itself"))
            );
            fault::let_go(&bench.host);
            assert!(bench.has_ended(), "{}", bench.host.state());
            let unseen = |machine: &serde_json::Value| {
                machine["alerts"].to_string().contains("ended while nobody watched: applied, generation")
            };
            assert!(unseen(&bench.status_says().expect("status")), "status says that it ended");
            // The same operator's next apply says it too and closes the receipt; then there is nothing to do.
            let (code, out, err) = bench.host.fleetctl(&bench.files[new], &["apply", "--yes", "--json"]);
            assert_eq!((code, one(&out)["result"].as_str()), (0, Some("unchanged")), "{out}{err}");
            assert!(err.contains("ended while nobody watched: applied, generation"), "{err}");
            assert!(!unseen(&bench.status_says().expect("status")), "the receipt is closed");
        } else {
            fault::let_go(&bench.host);
            let output = child.wait_with_output().expect("it ends");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!((output.status.code(), one(&text)["result"].as_str()), (Some(code), Some("applied")), "{text}");
        }
        bench.present = new;
        assert_eq!(bench.differs(new, None), [""; 0]);
    }
    // Without a terminal and without --yes nobody can be asked.
    let (code, _, err) = bench.host.fleetctl(&bench.files[1 - bench.present], &["apply"]);
    assert_eq!(code, 2, "{err}");
    assert_eq!(bench.differs(bench.present, None), [""; 0]);
}
