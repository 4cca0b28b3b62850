//! The judge of the matrix must be able to condemn: each kind of half-done work is made by hand, and by runners that were sabotaged, and it must be seen.

use super::bench::Bench;
use super::fault::{self, Fault};
use super::holds::Way;
use super::host::{self, KEY};
use super::results::Cell;

/// What is done to a sound machine, and what undoes it.
const TAMPERED: [(&str, &str, &str); 12] = [
    (
        "a byte of a file of ours",
        "cp -p /usr/local/libexec/fleetctl/rotate /var/hold/kept; printf x >>/usr/local/libexec/fleetctl/rotate",
        "cp -p /var/hold/kept /usr/local/libexec/fleetctl/rotate",
    ),
    (
        "a mode",
        "chmod 600 /Library/LaunchDaemons/dev.fleetctl.omlx.plist",
        "chmod 644 /Library/LaunchDaemons/dev.fleetctl.omlx.plist",
    ),
    ("an owner", "chown ops /usr/local/libexec/fleetctl/rotate", "chown root /usr/local/libexec/fleetctl/rotate"),
    (
        "a link that is not there",
        "rm /Users/ops/.omlx/serve/Qwen3-alpha/alpha",
        "ln -s /Users/ops/models/Qwen3-alpha /Users/ops/.omlx/serve/Qwen3-alpha/alpha; chown -h ops:staff /Users/ops/.omlx/serve/Qwen3-alpha/alpha",
    ),
    (
        "an owned key of oMLX's file",
        "cp -p /Users/ops/.omlx/settings.json /var/hold/kept; sed 's/\"max_concurrent_requests\": 4/\"max_concurrent_requests\": 9/' /var/hold/kept >/Users/ops/.omlx/settings.json",
        "cp -p /var/hold/kept /Users/ops/.omlx/settings.json",
    ),
    (
        "a key that is not ours",
        "cp -p /Users/ops/.omlx/settings.json /var/hold/kept; sed 's/\"language\": \"de\"/\"language\": \"fr\"/' /var/hold/kept >/Users/ops/.omlx/settings.json",
        "cp -p /var/hold/kept /Users/ops/.omlx/settings.json",
    ),
    (
        "half a profile",
        "cp -p /Users/ops/.omlx/model_profiles.json /var/hold/kept; sed 's/\"profiles\": {/\"profiles\": {\"gone\": {\"plain\": {\"description\": null}},/' /var/hold/kept >/Users/ops/.omlx/model_profiles.json",
        "cp -p /var/hold/kept /Users/ops/.omlx/model_profiles.json",
    ),
    (
        "a daemon that is not loaded",
        "launchctl bootout system/dev.fleetctl.rotate",
        "launchctl bootstrap system /Library/LaunchDaemons/dev.fleetctl.rotate.plist",
    ),
    (
        "a daemon that would not start at a boot",
        "launchctl disable system/dev.fleetctl.omlx",
        "launchctl enable system/dev.fleetctl.omlx",
    ),
    (
        "something of ours left behind",
        "mkdir /usr/local/var/fleetctl/.apply.x",
        "rmdir /usr/local/var/fleetctl/.apply.x",
    ),
    (
        "a byte that is not ours",
        "printf x >>/Users/ops/models/Qwen3-beta/config.json",
        "f=/Users/ops/models/Qwen3-beta/config.json; n=$(wc -c <$f); cp $f /var/hold/kept; head -c $((n - 1)) /var/hold/kept >$f",
    ),
    ("a mode that is not ours", "chmod 600 /usr/local/libexec/other", "chmod 644 /usr/local/libexec/other"),
];

/// Sends the running server another temperature; its file is put back, so that only the server is another.
fn server_runs_with(bench: &Bench, temperature: &str) {
    bench.host.sh(&format!(
        "cd /var/hold; cp -p /Users/ops/.omlx/model_settings.json kept; curl -sS -c jar -H 'Content-Type: application/json' -d '{{\"api_key\": \"{KEY}\", \"remember\": false}}' http://127.0.0.1:8000/admin/api/login >/dev/null && curl -sS -f -b jar -X PUT -H 'Content-Type: application/json' -d '{{\"temperature\": {temperature}}}' http://127.0.0.1:8000/admin/api/models/alpha/settings >/dev/null && cp -p kept /Users/ops/.omlx/model_settings.json"
    ));
}

#[test]
fn the_judge_sees_what_is_half_done() {
    if !host::possible() {
        return;
    }
    let bench = Bench::new("judge", Way::Restart, "");
    for (what, does, undoes) in TAMPERED {
        bench.host.sh(does);
        let judgement = bench.judge_now(None);
        assert!(judgement.from.iter().all(|wrong| !wrong.is_empty()), "{what} was not seen");
        bench.host.sh(undoes);
        assert_eq!(bench.differs(0, None), [""; 0], "{what}");
    }
    server_runs_with(&bench, "0.9");
    let wrong = bench.judge_now(None).from[0].clone();
    assert!(matches!(&wrong[..], [one] if one.starts_with("the server runs alpha with temperature")), "{wrong:?}");
    server_runs_with(&bench, "0.5");
    assert_eq!(bench.differs(0, None), [""; 0]);
}

/// Runners that leave something out, the fault that brings it to light, and what the judge must say.
const SABOTAGED: [(&str, Fault, &str); 4] = [
    // The gate asks for names, not for their settings.
    ("switch_merges", Fault::Nothing, "neither old nor new"),
    ("restore", Fault::OmlxCrashes, "not the old generation"),
    ("sweep", Fault::Nothing, "left /"),
    ("lock_drop", Fault::Nothing, "left /usr/local/var/fleetctl/lock"),
];

#[test]
fn the_judge_condemns_a_sabotaged_runner() {
    if !host::possible() || std::env::var("FAULT_MATRIX").is_ok_and(|value| value == "few") {
        return;
    }
    for (function, meets, says) in SABOTAGED {
        let mut bench = Bench::new(&format!("bad{}", function.replace('_', "")), Way::Restart, "");
        fault::hold_at(&bench.host, "locked");
        let child = bench.host.begin(&bench.files[1], &["apply", "--yes", "--json"], &[]);
        assert!(fault::is_held(&bench.host), "{}", bench.host.state());
        // The sums were checked; the next run of the runner reads this one.
        bench.host.sh(&format!(
            "cd /usr/local/var/fleetctl/apply && sed 's/^{function}() {{$/{function}() {{ return 0/' runner >/var/hold/runner && ! cmp -s /var/hold/runner runner && chmod 700 /var/hold/runner && /System/Library/Lab/held/mv -f /var/hold/runner runner"
        ));
        fault::inject(&bench.host, meets);
        fault::inject(&bench.host, Fault::RunnerKilled);
        child.wait_with_output().expect("it ends");
        assert!(bench.has_ended() || function == "lock_drop", "{function}: {}", bench.host.state());
        fault::heal(&bench.host, meets);
        let cell = Cell { way: Way::Restart, state: "locked", fault: meets };
        let told = bench.told().state;
        let verdict = bench.is_whole(cell, &told);
        assert!(verdict.as_ref().is_err_and(|why| why.contains(says)), "{function}, {told}: {verdict:?}");
    }
}
