//! Machines that cannot be reached, or that do not let us do what we need.

use super::{Case, assert_shown};

#[test]
fn a_machine_that_is_down_costs_its_own_time_and_hides_no_other() {
    let Some(case) = Case::up("") else { return };
    case.lab.fault("mac-a", &["refuse"]);
    assert_shown!(case.shown(&["status"]), @r"
    exit: 4
    test  [TIME] (America/New_York)
    2 machines: 2 with errors
    1 slot: 1 down
    next: fleetctl doctor mac-a
          fleetctl plan --on mac-b

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: connection refused (unreachable)
                    help: on mac-a: System Settings, General, Sharing, Remote Login must be on; is the
                    port right?
    error  mac-b    fleetctl has not set it up yet (never-applied)

    MACHINE       OMLX       NAME        STATE       MEMORY FOR MODELS
    mac-a         unknown    extract-2b  ?           ?
    unreachable
    mac-b         stopped    extract-2b  not listed  ? of 11.5 GiB
    by tailnet    drift: 10                          to load 11.5 GiB
    macOS 15.6.1                                     context 11.5 GiB
                                                     system [N]

    SLOT     STATE  GOES TO  WHY
    extract  down   nowhere  no candidate: extract-2b on mac-a unreachable, extract-2b on mac-b
                             unreachable
    -----
    ");
    let said = case.fleetctl(&["status", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(said.code, 4, "some answered, others did not");
    // json.md, `status`: every key is there, also where nothing is known.
    let keys =
        |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&document), "schema fleet taken_at machines slots jobs transitions");
    for machine in document["machines"].as_array().expect("machines") {
        assert_eq!(keys(machine), "name tier reach macos omlx served undeclared memory drift transaction alerts");
        assert_eq!(keys(&machine["reach"]), "state path detail");
        assert_eq!(keys(&machine["omlx"]), "state version pid uptime_seconds restarts");
        assert_eq!(keys(&machine["served"][0]), "name model profile listed loaded pinned size_bytes");
        assert_eq!(
            keys(&machine["memory"]),
            "total_bytes available_bytes swap_used_bytes pressure gpu_limit_bytes gpu_limit_source omlx_limit_bytes omlx_used_bytes headroom"
        );
        assert_eq!(keys(&machine["memory"]["headroom"]), "load_bytes context_bytes system_bytes");
        assert_eq!(
            (keys(&machine["drift"]), keys(&machine["transaction"])),
            ("state changes".to_owned(), "state generation at".to_owned())
        );
        assert_eq!(keys(&machine["alerts"][0]), "code severity message");
    }
    assert_eq!(keys(&document["slots"][0]), "name state target");
    let machine = &document["machines"][0];
    assert_eq!(machine["reach"]["state"], "unreachable");
    assert!(machine["omlx"]["version"].is_null() && machine["drift"]["changes"].is_null());
    assert_eq!(machine["served"][0]["listed"], serde_json::Value::Null, "unknown is null: {machine}");
    assert_eq!(case.fleetctl(&["status", "--unreachable", "skip"]).code, 0);
    assert_eq!(case.fleetctl(&["status", "--on", "mac-a"]).code, 1);
    assert_eq!(case.fleetctl(&["status", "--on", "mac-a", "--unreachable", "skip"]).code, 1);
}

#[test]
fn a_machine_that_hangs_or_refuses() {
    let Some(case) = Case::up("") else { return };
    let status = |timeout: &str| case.shown(&["status", "--on", "mac-a", "--timeout", timeout]);
    case.lab.fault("mac-a", &["banner-stall"]);
    assert_shown!(status("3s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: it takes the connection and then
                    says nothing (Connection timed out during banner exchange) (unreachable)
                    help: mac-a is frozen or out of memory, or something else listens on that port; try
                    `ssh ops@mac-a.lab.ts.net`

    MACHINE      OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a        unknown  extract-2b  ?      ?
    unreachable
    -----
    ");
    case.lab.fault("mac-a", &["banner-stall", "after"]);
    assert_shown!(status("3s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: it takes the connection and then
                    says nothing (given up after [N] s) (unreachable)
                    help: mac-a is frozen or out of memory, or something else listens on that port; try
                    `ssh ops@mac-a.lab.ts.net`

    MACHINE      OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a        unknown  extract-2b  ?      ?
    unreachable
    -----
    ");
    case.lab.heal("mac-a");
    case.lab.fault("mac-a", &["blackhole", "both"]);
    assert_shown!(status("3s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: no answer in time (unreachable)
                    help: is mac-a awake and on the network? `tailscale ping mac-a.lab.ts.net`

    MACHINE      OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a        unknown  extract-2b  ?      ?
    unreachable
    -----
    ");
    case.lab.heal("mac-a");
    case.lab.fault("mac-a", &["close"]);
    assert_shown!(status("20s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: the server hung up at once
                    (Connection closed by [IP] port 22) (unreachable)
                    help: try `ssh -v ops@mac-a.lab.ts.net`; too many connections at once, perhaps

    MACHINE      OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a        unknown  extract-2b  ?      ?
    unreachable
    -----
    ");
    case.lab.heal("mac-a");
    case.lab.fault("mac-a", &["auth-denied"]);
    assert_shown!(status("20s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: it refused our keys
                    (ops@mac-a.lab.ts.net: Permission denied (publickey).) (auth-failed)
                    help: put your public key there: `ssh-copy-id ops@mac-a.lab.ts.net`; is it in your
                    agent?
                    help: on mac-a: is ops among the users that Remote Login allows?

    MACHINE      OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a        unknown  extract-2b  ?      ?
    auth failed
    -----
    ");
    case.lab.heal("mac-a");
    case.lab.fault("mac-a", &["changed-key"]);
    assert_shown!(status("20s"), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: its SSH host key is not the known
                    one (host-key)
                    help: nothing was sent. Compare, on mac-a itself: `ssh-keygen -lf
                    /etc/ssh/ssh_host_ed25519_key.pub`
                    help: if the machine was set up anew: `ssh-keygen -R mac-a`, then once more with
                    --accept-new

    MACHINE           OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a             unknown  extract-2b  ?      ?
    host key changed
    -----
    ");
    assert_shown!(case.shown(&["status", "--on", "mac-a", "--accept-new"]), @r"
    exit: 1
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    cannot connect to mac-a.lab.ts.net port 22 as ops: its SSH host key is not the known
                    one (host-key)
                    help: nothing was sent. Compare, on mac-a itself: `ssh-keygen -lf
                    /etc/ssh/ssh_host_ed25519_key.pub`
                    help: if the machine was set up anew: `ssh-keygen -R mac-a`, then once more with
                    --accept-new

    MACHINE           OMLX     NAME        STATE  MEMORY FOR MODELS
    mac-a             unknown  extract-2b  ?      ?
    host key changed
    -----
    ");
    case.lab.heal("mac-a");
}

#[test]
fn without_sudo_status_answers_and_says_what_it_could_not_see() {
    for (kind, sudo) in [("password", "a password is required"), ("not-in-sudoers", "sudo: "), ("absent", "not there")]
    {
        let Some(case) = Case::up(&format!("sudo = \"{kind}\"\nzsh_noise = true")) else { return };
        let said = case.fleetctl(&["status", "--on", "mac-a"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("(sudo-refused)") && said.out.contains(sudo), "{kind}: {}", said.out);
        if kind == "password" {
            assert_shown!(case.shown(&["stop", "mac-a"]), @r#"
            exit: 1
            mac-a  failed: sudo refused `/usr/bin/sudo -n -H /bin/sh -s`: sudo: a password is required
            -----
            help: on mac-a, once, with `sudo visudo -f /etc/sudoers.d/fleetctl`: USER ALL=(root) NOPASSWD: /bin/sh -s
            help: with USER the login user; `fleetctl doctor` checks it
            "#);
        }
    }
}
