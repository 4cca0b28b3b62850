//! `templates/models/{alone,copy,place}.sh`: only one sync at a time works at one copy, whichever way the one before it ended.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Host, shells, told};

const LOCK: &str = include_str!("../../../templates/lock.sh");
const ALONE: &str = include_str!("../../../templates/models/alone.sh");
const COPY: &str = include_str!("../../../templates/models/copy.sh");
const PLACE: &str = include_str!("../../../templates/models/place.sh");

/// A machine with an rsync that copies for as long as there is no file `go`, and says which ones were at work when it began.
fn host() -> Host {
    let host = Host::at(1_764_000_000);
    // Living processes only, as if each were a shell that a connection started.
    host.command(
        "ps",
        "while [ \"$1\" != -p ]; do shift; done\n\
         case $(sed -n 's/^State:[^A-Z]*\\([A-Z]\\).*/\\1/p' /proc/$2/status 2>/dev/null) in '' | Z) exit 1 ;; esac\n\
         printf '/bin/sh %s\\n' \"$(tr '\\0' ' ' <\"/proc/$2/cmdline\" | sed 's/ $//')\"",
    );
    let root = host.path("").display().to_string();
    let root = root.trim_end_matches('/');
    host.command(
        "rsync",
        &format!(
            "for other in {root}/copying.*; do kill -0 \"${{other##*.}}\" 2>/dev/null && echo \"$other too\" >>{root}/wrong; done\n\
             : >{root}/copying.$$\n\
             trap 'rm -f {root}/copying.$$; exit 20' TERM\n\
             while [ ! -e {root}/go ]; do sleep 0.05; done\n\
             for last; do :; done\n\
             echo whole >\"$last/weights\"; rm {root}/copying.$$"
        ),
    );
    host
}

/// A script as it comes through a connection: the shell evaluates what it reads, in a subshell.
fn start(host: &Host, shell: &[&str], run: &str, script: &str) -> Child {
    let text = format!(
        "RUN={run}\nWHO={run}@desk\nFINAL='{last}'\nPARTIAL='{partial}'\n{LOCK}\n{ALONE}\nFROM=/store\nRSH=\nKNOWN=\nMARGIN=0\n{script}",
        last = host.path("weights/small").display(),
        partial = host.path("weights/.part/small").display(),
    );
    let text = host.adapted(&text).replace("/usr/bin/rsync ", &format!("{} ", host.path("bin/rsync").display()));
    let mut child = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", "eval \"$(/bin/cat)\""])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the shell starts");
    let input = format!("fleetctl_main() {{\n{text}\n}}\n( fleetctl_main ) </dev/null\nexit $?\n");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
    child
}

fn ended(child: Child) -> String {
    told(&child.wait_with_output().expect("it ends"))
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The processes of rsync that are at work.
fn copying(host: &Host) -> Vec<String> {
    let here = std::fs::read_dir(host.path("")).expect("listed").flatten();
    let names = here.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| name.strip_prefix("copying.").map(str::to_owned)).collect()
}

fn pid_of_lock(host: &Host) -> String {
    host.read("weights/.part/small.lock/lock/pid").trim().to_owned()
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().expect("kill").success());
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn go(host: &Host) {
    std::fs::write(host.path("go"), "").expect("written");
}

/// Nobody was beside another, and nothing of a lock is left.
fn is_clean(host: &Host) {
    assert_eq!(host.read("wrong"), "");
    assert!(!is_there(&host.path("weights/.part/small.lock")), "the lock is left");
}

#[test]
fn another_sync_is_refused_while_one_copies_and_while_it_wants_the_name() {
    for shell in shells() {
        let host = host();
        let first = start(&host, &shell, "first", COPY);
        wait_until("the first copies", || copying(&host).len() == 1);
        let owner = pid_of_lock(&host);
        assert_ne!(owner, first.id().to_string(), "the subshell holds it, which has the traps");
        for script in [COPY, PLACE] {
            let second = ended(start(&host, &shell, "second", script));
            assert_eq!(second, format!("exit Some(76)\nfirst@desk, process {owner}\n"), "{shell:?}");
        }
        assert!(is_there(&host.path("weights/.part/small")), "nobody took it away");
        go(&host);
        let first = ended(first);
        assert!(first.starts_with("exit Some(0)\nbytes "), "{shell:?}: {first}");
        is_clean(&host);
        assert_eq!(ended(start(&host, &shell, "first", PLACE)), "exit Some(0)\n", "{shell:?}");
        assert_eq!(host.read("weights/small/weights"), "whole\n");
        assert!(!is_there(&host.path("weights/.part")), "nothing waits any more");
    }
}

#[test]
fn what_a_killed_sync_left_running_ends_before_the_next_begins() {
    for shell in shells() {
        let host = host();
        let first = start(&host, &shell, "first", COPY);
        wait_until("the first copies", || !host.read("weights/.part/small.lock/lock/rsync").is_empty());
        wait_until("its rsync runs", || copying(&host).len() == 1);
        kill("-KILL", &pid_of_lock(&host));
        drop(first);
        let left = copying(&host);
        let second = start(&host, &shell, "second", COPY);
        wait_until("the second copies", || copying(&host).first().is_some_and(|pid| !left.contains(pid)));
        go(&host);
        let second = ended(second);
        assert!(second.starts_with("exit Some(0)\n"), "{shell:?}: {second}");
        is_clean(&host);
    }
}

#[test]
fn a_new_attempt_of_the_same_sync_ends_the_one_before() {
    for shell in shells() {
        let host = host();
        let first = start(&host, &shell, "same", COPY);
        wait_until("the first copies", || copying(&host).len() == 1);
        let left = copying(&host);
        let second = start(&host, &shell, "same", COPY);
        wait_until("the second copies", || copying(&host).first().is_some_and(|pid| !left.contains(pid)));
        go(&host);
        let (first, second) = (ended(first), ended(second));
        assert!(first.starts_with("exit Some(74)\n"), "{shell:?}: {first}");
        assert!(second.starts_with("exit Some(0)\n"), "{shell:?}: {second}");
        is_clean(&host);
    }
}

#[test]
fn what_another_sync_left_half_done_after_it_was_verified_gets_no_name() {
    for shell in shells() {
        let host = host();
        go(&host);
        let first = ended(start(&host, &shell, "first", COPY));
        assert!(first.starts_with("exit Some(0)\n"), "{shell:?}: {first}");
        // The first one verifies. Then a second begins at the same copy, and dies.
        std::fs::remove_file(host.path("go")).expect("there");
        let second = start(&host, &shell, "second", COPY);
        wait_until("the second copies", || copying(&host).len() == 1);
        kill("-KILL", &pid_of_lock(&host));
        drop(second);
        let first = ended(start(&host, &shell, "first", PLACE));
        assert!(
            first.starts_with("exit Some(1)\nanother sync has worked at the copy since it was verified"),
            "{first}"
        );
        assert!(!is_there(&host.path("weights/small")) && is_there(&host.path("weights/.part/small")), "{shell:?}");
        is_clean(&host);
    }
}
