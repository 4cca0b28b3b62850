//! oMLX that is missing, another's, stopped, silent or strange.

use super::{Case, assert_shown};

#[test]
fn no_omlx_at_all() {
    let Some(case) = Case::up("omlx = \"\"") else { return };
    assert_shown!(case.shown(&["status", "--on", "mac-a"]), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT    MACHINE  WHAT
    error    mac-a    /opt/homebrew/bin/omlx is not there or not executable (omlx-not-installed)
    warning  mac-a    10 changes to what the file says: fleetctl plan --on mac-a (drifted)

    MACHINE       OMLX           NAME        STATE       MEMORY FOR MODELS
    mac-a         not installed  extract-2b  not listed  ? of 11.5 GiB
    by tailnet    drift: 10                              to load 11.5 GiB
    macOS 15.6.1                                         context 11.5 GiB
                                                         system [N]
    -----
    ");
    // The first thing of ours on the machine may be a hold: what it makes is as open as what an apply makes.
    let said = case.fleetctl(&["stop", "mac-a"]);
    assert_eq!(said.code, 0, "{said:?}");
    let modes = case.lab.on("mac-a", "ops", "stat -f '%OLp %Su' /usr/local/var /usr/local/var/fleetctl");
    assert_eq!(modes.out, "755 root\n755 root\n", "{modes:?}");
}

#[test]
fn a_server_that_answers_strangely() {
    let Some(case) = Case::applied("") else { return };
    let omlx = |knob: &str| case.lab.fault("mac-a", &["omlx", "8000", knob]);
    let status = || case.shown(&["status", "--on", "mac-a"]);
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 well

    MACHINE       OMLX           NAME        STATE           MEMORY FOR MODELS
    mac-a         running 0.3.8  extract-2b  loaded 1.6 GiB  █░░░░░ 1.6/11.5 GiB
    by tailnet    up [TIME]  to load 10.0 GiB
    macOS 15.6.1  in sync                                    context 10.0 GiB
                                                             system [N]
    -----
    ");
    let said = case.fleetctl(&["status", "--exit-code"]);
    assert_eq!(said.code, 0, "{said:?}");

    omlx("status={\"/\": 500}");
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    oMLX does not answer soundly: HTTP 500 (omlx-unresponsive)

    MACHINE       OMLX          NAME        STATE  MEMORY FOR MODELS
    mac-a         unresponsive  extract-2b  ?      ? of 11.5 GiB
    by tailnet    up [TIME]  to load 11.5 GiB
    macOS 15.6.1  in sync                          context 11.5 GiB
                                                   system [N]
    -----
    ");
    assert_eq!(case.fleetctl(&["status", "--exit-code"]).code, 5);
    omlx("garbage=true");
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    oMLX does not answer soundly: an answer that is not oMLX's: no JSON
                    (omlx-unresponsive)

    MACHINE       OMLX          NAME        STATE  MEMORY FOR MODELS
    mac-a         unresponsive  extract-2b  ?      ? of 11.5 GiB
    by tailnet    up [TIME]  to load 11.5 GiB
    macOS 15.6.1  in sync                          context 11.5 GiB
                                                   system [N]
    -----
    ");
    omlx("hang=true");
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    oMLX does not answer soundly: no answer in time (omlx-unresponsive)

    MACHINE       OMLX          NAME        STATE  MEMORY FOR MODELS
    mac-a         unresponsive  extract-2b  ?      ? of 11.5 GiB
    by tailnet    up [TIME]  to load 11.5 GiB
    macOS 15.6.1  in sync                          context 11.5 GiB
                                                   system [N]
    -----
    ");
    omlx("release=\"0.4.4\"");
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl doctor mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    runs oMLX 0.4.4, declared is 0.3.8 (omlx-other-release)

    MACHINE       OMLX           NAME        STATE           MEMORY FOR MODELS
    mac-a         running 0.4.4  extract-2b  loaded 1.6 GiB  █░░░░░ 1.6/11.5 GiB
    by tailnet    up [TIME]  to load 10.0 GiB
    macOS 15.6.1  in sync                                    context 10.0 GiB
                                                             system [N]
    -----
    ");
    omlx("hostile_models=[\"\\u001b[31mred\\u001b]0;title\\u0007\", \"a\\nb\"]");
    let said = case.fleetctl(&["status", "--on", "mac-a"]);
    assert!(!said.out.contains('\u{1b}') && !said.out.contains('\u{7}'), "no control character reaches the terminal");
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 well

    ALERT  MACHINE  WHAT
    note   mac-a    serves what the file does not declare: \u{1b}[31mred\u{1b}]0;title\u{7}, a\nb
                    (undeclared-name)

    MACHINE       OMLX           NAME                              STATE           MEMORY FOR MODELS
    mac-a         running 0.3.8  extract-2b                        loaded 1.6 GiB  █░░░░░ 1.6/11.5 GiB
    by tailnet    up [TIME]  \u{1b}[31mred\u{1b}]0;title\u{7}  undeclared      to load 10.0 GiB
    macOS 15.6.1  in sync        a\nb                              undeclared      context 10.0 GiB
                                                                                   system [N]
    -----
    ");
    case.lab.heal("mac-a");

    // A settings.json that somebody broke: said, and nothing is lost.
    let broken = "printf '{\"server\": ' >~/.omlx/settings.json";
    assert_eq!(case.lab.on("mac-a", "ops", broken).code, 0);
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl plan --on mac-a

    ALERT    MACHINE  WHAT
    error    mac-a    /Users/ops/.omlx/settings.json is not JSON: oMLX is asked without a key
                      (settings-malformed)
    warning  mac-a    2 changes to what the file says: fleetctl plan --on mac-a (drifted)

    MACHINE       OMLX      NAME        STATE  MEMORY FOR MODELS
    mac-a         running   extract-2b  ?      ? of 11.5 GiB
    by tailnet    up [TIME]  to load 11.5 GiB
    macOS 15.6.1  drift: 2                     context 11.5 GiB
                                               system [N]
    -----
    ");
}

#[test]
fn a_server_that_is_another_ones_or_ends_again_and_again() {
    let Some(case) = Case::applied("") else { return };
    let status = || case.shown(&["status", "--on", "mac-a"]);
    let root = |script: &str| {
        let said = case.lab.on("mac-a", "root", script);
        assert_eq!(said.code, 0, "{script}: {said:?}");
    };
    root(
        "/bin/launchctl bootout system/dev.fleetctl.omlx; until ! /bin/launchctl print system/dev.fleetctl.omlx >/dev/null 2>&1; do /bin/sleep 0.1; done",
    );
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl plan --on mac-a

    ALERT    MACHINE  WHAT
    error    mac-a    oMLX does not run, and nobody stopped it by hand (omlx-stopped)
    warning  mac-a    1 change to what the file says: fleetctl plan --on mac-a (drifted)

    MACHINE       OMLX      NAME        STATE       MEMORY FOR MODELS
    mac-a         stopped   extract-2b  not listed  ? of 11.5 GiB
    by tailnet    drift: 1                          to load 11.5 GiB
    macOS 15.6.1                                    context 11.5 GiB
                                                    system [N]
    -----
    ");
    // Started by hand, as a Homebrew service would be.
    root(
        "/usr/bin/sed 's/dev.fleetctl.omlx/homebrew.mxcl.omlx/' /Library/LaunchDaemons/dev.fleetctl.omlx.plist >/Library/LaunchDaemons/homebrew.mxcl.omlx.plist; /bin/launchctl bootstrap system /Library/LaunchDaemons/homebrew.mxcl.omlx.plist",
    );
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl adopt mac-a

    ALERT    MACHINE  WHAT
    error    mac-a    another oMLX has the machine: homebrew.mxcl.omlx (pid [N]) (omlx-foreign)
    warning  mac-a    1 change to what the file says: fleetctl plan --on mac-a (drifted)

    MACHINE       OMLX           NAME        STATE           MEMORY FOR MODELS
    mac-a         foreign 0.3.8  extract-2b  loaded 1.6 GiB  █░░░░░ 1.6/11.5 GiB
    by tailnet    drift: 1                                   to load 10.0 GiB
    macOS 15.6.1                                             context 10.0 GiB
                                                             system [N]
    -----
    ");
    root("/bin/launchctl bootout system/homebrew.mxcl.omlx; rm /Library/LaunchDaemons/homebrew.mxcl.omlx.plist");
    case.lab.fault("mac-a", &["omlx", "8000", "crash_at_start=true", "exit_code=3"]);
    root(
        "/bin/launchctl bootstrap system /Library/LaunchDaemons/dev.fleetctl.omlx.plist; until /bin/launchctl print system/dev.fleetctl.omlx | grep -q 'last exit code = 3'; do /bin/sleep 0.1; done",
    );
    assert_shown!(status(), @r"
    exit: 0
    test  [TIME] (America/New_York)
    1 machine: 1 with errors
    next: fleetctl logs mac-a

    ALERT  MACHINE  WHAT
    error  mac-a    oMLX crashes again and again ([N] starts); it last ended with exit 3 (omlx-crashing)

    MACHINE       OMLX      NAME        STATE  MEMORY FOR MODELS
    mac-a         crashing  extract-2b  ?      ? of 11.5 GiB
    by tailnet    in sync                      to load 11.5 GiB
    macOS 15.6.1                               context 11.5 GiB
                                               system [N]
    -----
    ");
}
