//! What an operator does by hand: done once, said truly, kept over a reboot.

use super::{Case, assert_shown};

#[test]
fn a_daemon_is_stopped_held_over_a_reboot_and_started() {
    let Some(case) = Case::applied("") else { return };
    assert_shown!(case.shown(&["stop", "mac-a", "--drain", "30s"]), @r#"
    exit: 0
    mac-a  done
    -----
    mac-a  stopping omlx
    "#);
    assert_shown!(case.shown(&["stop", "mac-a"]), @r#"
    exit: 0
    mac-a  unchanged
    -----
    "#);
    another_omlx_takes_the_port_of_the_held_one(&case);
    case.lab.does("reboot", "mac-a", &[]);
    assert_shown!(case.shown(&["status", "--on", "mac-a"]), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 well

    ALERT  MACHINE  WHAT
    note   mac-a    oMLX was stopped by hand (omlx-held)

    MACHINE       OMLX     NAME        STATE       MEMORY FOR MODELS
    mac-a         held     extract-2b  not listed  ? of 11.5 GiB
    by tailnet    in sync                          to load 11.5 GiB
    macOS 15.6.1                                   context 11.5 GiB
                                                   system [N]
    -----
    ");
    assert_eq!(case.fleetctl(&["status", "--on", "mac-a", "--exit-code"]).code, 0, "a hold is no fault");
    assert_shown!(case.shown(&["start", "mac-a"]), @r#"
    exit: 0
    mac-a  done
    -----
    mac-a  starting omlx
    mac-a  waiting until oMLX answers
    "#);
    assert_shown!(case.shown(&["restart", "mac-a", "--drain", "30s"]), @r#"
    exit: 0
    mac-a  done
    -----
    mac-a  stopping omlx
    mac-a  starting omlx
    mac-a  waiting until oMLX answers
    "#);
    assert_shown!(case.shown(&["plan", "--on", "mac-a"]), @r#"
    exit: 0
    mac-a: in sync
    plan: nothing to do
    -----
    "#);
    let held =
        case.lab.on("mac-a", "ops", "cat /usr/local/var/fleetctl/held.json; ls /usr/local/var/fleetctl/lock 2>&1");
    assert!(!held.out.contains("omlx"), "{held:?}");
    assert_eq!(
        case.lab.on("mac-a", "root", "ls -d /tmp/fleetctl.* /usr/local/var/fleetctl/.lock* 2>/dev/null").out,
        ""
    );
}

/// What then answers is not ours: status must not call it held, and a start would load every resident only to find the port taken. It lasts until the reboot.
fn another_omlx_takes_the_port_of_the_held_one(case: &Case) {
    let server = "/opt/homebrew/bin/omlx serve --base-path /Users/ops/other --port 8000";
    let started = case.lab.on(
        "mac-a",
        "ops",
        &format!(
            "{server} >/dev/null 2>&1 & n=0; until curl -fs -o /dev/null http://127.0.0.1:8000/api/status; do \
             n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done"
        ),
    );
    assert_eq!(started.code, 0, "{started:?}");
    let status = case.fleetctl(&["status", "--on", "mac-a", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.out).expect("JSON");
    assert_eq!(status["machines"][0]["omlx"]["state"], "foreign");
    let start = case.fleetctl(&["start", "mac-a"]);
    assert_eq!(start.code, 6, "{start:?}");
    assert!(start.out.contains("port 8000 is held by pid "), "{start:?}");
}

#[test]
fn names_are_loaded_and_unloaded() {
    let Some(case) = Case::applied("") else { return };
    assert_shown!(case.shown(&["load", "extract-2b"]), @r#"
    exit: 0
    mac-a  unchanged
    mac-b  unchanged
    -----
    "#);
    assert_shown!(case.shown(&["unload", "extract-2b", "--on", "mac-a", "--drain", "30s"]), @r#"
    exit: 0
    mac-a  done
    -----
    mac-a  unloading extract-2b
    "#);
    assert_shown!(case.shown(&["status", "--on", "mac-a"]), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 well

    ALERT  MACHINE  WHAT
    note   mac-a    extract-2b is resident and was unloaded by hand (name-held)

    MACHINE       OMLX           NAME        STATE  MEMORY FOR MODELS
    mac-a         running 0.3.8  extract-2b  held   ░░░░░░ 0.0/11.5 GiB
    by tailnet    up [TIME]  to load 10.0 GiB
    macOS 15.6.1  in sync                           context 10.0 GiB
                                                    system [N]
    -----
    ");
    // A hold survives what is done with the other.
    assert_shown!(case.shown(&["load", "extract-2b", "--json"]), @r#"
    exit: 0
    {
      "schema": "fleetctl.load/1",
      "machines": [
        {
          "name": "mac-a",
          "result": "done",
          "detail": null
        },
        {
          "name": "mac-b",
          "result": "unchanged",
          "detail": null
        }
      ],
      "exit": 0
    }
    -----
    mac-a  loading extract-2b
    "#);
    case.lab.fault("mac-b", &["omlx", "8000", "fail_load=\"*\""]);
    assert_shown!(case.shown(&["unload", "extract-2b", "--on", "mac-b", "--drain", "30s"]), @r#"
    exit: 0
    mac-b  done
    -----
    mac-b  unloading extract-2b
    "#);
    assert_shown!(case.shown(&["load", "extract-2b", "--on", "mac-b"]), @r#"
    exit: 1
    mac-b  failed: extract-2b does not load: HTTP 500 {"detail":"Failed to load model extract-2b: [load] simulated failure"}
    -----
    mac-b  loading extract-2b
    "#);
    case.lab.heal("mac-b");
    assert_shown!(case.shown(&["load", "extract-3b"]), @r#"
    exit: 2
    -----
    error: there is no served name "extract-3b"
    help: did you mean "extract-2b"?
    "#);
    assert_shown!(case.shown(&["stop", "mac-c"]), @r#"
    exit: 2
    -----
    error: there is no machine "mac-c"
    help: did you mean "mac-a"?
    "#);
    assert_shown!(case.shown(&["logs", "mac-a", "gatway"]), @r#"
    exit: 2
    -----
    error: mac-a has no daemon "gatway"
    help: there are: omlx, rotate
    "#);
    let said = case.fleetctl(&["logs", "mac-a", "-n", "3"]);
    assert_eq!((said.code, said.out.lines().count()), (0, 3), "{said:?}");
}

#[test]
fn the_lock_of_an_apply_is_respected() {
    let Some(case) = Case::applied("") else { return };
    let lock = "mkdir -p /usr/local/var/fleetctl/lock && cd /usr/local/var/fleetctl/lock && echo 'ann@desk' >who && echo x >id && date +%s >since && (/bin/sh -c 'while :; do /bin/sleep 1; done' fleetctl-elsewhere </dev/null >/dev/null 2>&1 & echo $! >pid)";
    assert_eq!(case.lab.on("mac-a", "root", lock).code, 0);
    assert_shown!(case.shown(&["stop", "mac-a", "--drain", "30s"]), @r#"
    exit: 6
    mac-a  refused: [WHO] holds the lock
    -----
    "#);
    // Its owner gone, the lock is nobody's.
    let gone = "kill $(cat /usr/local/var/fleetctl/lock/pid)";
    assert_eq!(case.lab.on("mac-a", "root", gone).code, 0);
    assert_shown!(case.shown(&["stop", "mac-a", "--drain", "30s"]), @r#"
    exit: 0
    mac-a  done
    -----
    mac-a  stopping omlx
    "#);
}
