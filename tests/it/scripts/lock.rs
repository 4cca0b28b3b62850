//! `templates/lock.sh`: of several that want the lock, or find its owner gone, one has it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Host, shells, told};

const LOCK: &str = include_str!("../../../templates/lock.sh");

/// A process that is no more, and had the lock.
const DEAD: &str = "mkdir -p \"$STATE/lock\" && echo o@gone >\"$STATE/lock/who\" && echo 999999 >\"$STATE/lock/pid\"";

/// Starts a script that has the snippet in it.
fn start(host: &Host, shell: &[&str], does: &str) -> Child {
    let preamble = "set -u\nLC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nSTATE=/usr/local/var/fleetctl";
    let text = host.adapted(&format!("{preamble}\n{LOCK}\n{does}\n"));
    Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", &text])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the shell starts")
}

fn run(host: &Host, shell: &[&str], does: &str) -> Output {
    start(host, shell, does).wait_with_output().expect("it ends")
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Every process that runs counts as one of fleetctl's.
fn host() -> Host {
    let host = Host::at(1_764_000_000);
    host.command("ps", "[ \"$(sed -n 's/^State:[^A-Z]*\\([A-Z]\\).*/\\1/p' /proc/$2/status 2>/dev/null | tr -d Z)\" ] && echo fleetctl");
    host
}

fn words(host: &Host) -> [String; 3] {
    ["who", "id", "pid"].map(|name| host.read(&format!("state/lock/{name}")).trim().to_owned())
}

#[test]
fn it_is_taken_whole_and_dropped_by_its_owner_alone() {
    for shell in shells() {
        let host = host();
        let said = run(
            &host,
            &shell,
            "lock_try \"$STATE\" 'a b' id-1 $$; echo $?; ls \"$STATE/lock\" | sed \"s/$$/PID/\"; lock_try \"$STATE\" 'a b' id-1 $$; echo $?\n\
             lock_drop \"$STATE\" id-2 $$; ls \"$STATE\" | grep -c lock; lock_drop \"$STATE\" id-1 $$; ls -A \"$STATE\" | grep -c lock; lock_is_dead \"$STATE\"; echo $?",
        );
        assert_eq!(told(&said), "exit Some(0)\n0\nboot\nby.PID.id-1\nid\npid\nsince\nwho\n0\n1\n0\n0\n", "{shell:?}");
    }
}

#[test]
fn two_that_find_its_owner_gone_do_not_both_have_it() {
    for shell in shells() {
        for left in [DEAD, "mkdir -p \"$STATE/lock\"", "lock_try \"$STATE\" o@gone old 999999"] {
            // The second takes it, and either still has it or gave it to a third when the first goes on.
            for then in ["", "lock_drop \"$STATE\" second $$; lock_try \"$STATE\" third third $$ && "] {
                let host = host();
                told(&run(&host, &shell, left));
                let (reached, go) = (host.path("reached"), host.path("go"));
                // The first decides that the owner is gone, and is stopped before its rename.
                let slow = format!(
                    "mv() {{ : >'{}'; while [ ! -e '{}' ]; do sleep 0.05; done; command mv \"$@\"; }}\nlock_try \"$STATE\" first first $$; echo $?",
                    reached.display(),
                    go.display()
                );
                let first = start(&host, &shell, &slow);
                wait_for(&reached);
                let holds = format!(
                    "lock_try \"$STATE\" second second $$; echo $?; {then}: >'{go}'; while [ ! -e '{ended}' ]; do sleep 0.05; done; cat \"$STATE/lock/who\"",
                    go = go.display(),
                    ended = host.path("ended").display()
                );
                let second = start(&host, &shell, &holds);
                let first = first.wait_with_output().expect("it ends");
                std::fs::write(host.path("ended"), "").expect("written");
                assert_eq!(told(&first), "exit Some(0)\n1\n", "{shell:?}, {left}, {then}");
                let owner = if then.is_empty() { "second" } else { "third" };
                let second = second.wait_with_output().expect("it ends");
                assert_eq!(told(&second), format!("exit Some(0)\n0\n{owner}\n"), "{shell:?}, {left}");
                assert_eq!(words(&host)[..2], [owner, owner], "{shell:?}, {left}");
                let locks = std::fs::read_dir(host.path("state")).expect("listed");
                let names: Vec<_> = locks.flatten().map(|entry| entry.file_name()).collect();
                assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".lock")), "{names:?}");
            }
        }
    }
}

#[test]
fn many_at_once_are_one_after_the_other() {
    // Each takes it, is alone in it, and is killed in it every third time: its lock is then the next one's to take over.
    let does = "n=0; while [ $n -lt 4 ]; do\n\
        if lock_try \"$STATE\" w \"id-$$\" $$; then\n\
        for other in \"$STATE\"/inside.*; do lock_process_is_ours \"${other##*.}\" && echo \"$other too\" >>\"$STATE/wrong\"; done\n\
        : >\"$STATE/inside.$$\"; n=$((n + 1)); echo x >>\"$STATE/turns\"\n\
        [ $(($$ % 3 + 1)) != $n ] || kill -KILL $$\n\
        rm \"$STATE/inside.$$\"; lock_drop \"$STATE\" \"id-$$\" $$\n\
        else sleep 0.01; fi; done";
    let host = host();
    let shells = shells();
    let all: Vec<_> = (0..6).map(|at| start(&host, &shells[at % shells.len()], does)).collect();
    for one in all {
        let output = one.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
    assert_eq!(host.read("state/wrong"), "");
    assert!(host.read("state/turns").lines().count() >= 6);
}

#[test]
fn a_living_owner_keeps_it_however_old_it_is() {
    for shell in shells() {
        let host = host();
        let said = run(
            &host,
            &shell,
            "lock_try \"$STATE\" o@desk theirs $PPID; echo 1 >\"$STATE/lock/since\"; touch -t 197001020000 \"$STATE/lock\"\nlock_try \"$STATE\" me mine $$; echo $?; rm \"$STATE\"/lock/by.*; lock_try \"$STATE\" me mine $$; echo $?; cat \"$STATE/lock/who\"",
        );
        assert_eq!(told(&said), "exit Some(0)\n1\n1\no@desk\n", "{shell:?}");
        // The same one in a new process: an apply that goes on after a boot.
        let said = run(
            &host,
            &shell,
            "rm -r \"$STATE/lock\"; lock_try \"$STATE\" me mine $PPID; lock_try \"$STATE\" me mine $$; echo $?; [ \"$(cat \"$STATE/lock/pid\")\" = $$ ]; echo $?",
        );
        assert_eq!(told(&said), "exit Some(0)\n0\n0\n", "{shell:?}");
    }
}
