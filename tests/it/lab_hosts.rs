//! The lab's hosts as this project's tests use them: reached over SSH, broken on purpose, mended. What they imitate is
//! checked by the lab's own `tests/lab/selftest`.

use crate::support::lab::{Hosts, Lab};

const SSH: [&str; 4] = ["ssh", "-oBatchMode=yes", "-oConnectTimeout=5", "mac-mini1.lab.ts.net"];

#[test]
fn a_host_answers_over_ssh_as_a_mac_does() {
    let Some(lab) = Lab::up(Hosts::Article) else { return };
    let script = "echo $0; sw_vers -productVersion; sysctl -n hw.memsize; stat -f %Su:%Sg /Library/LaunchDaemons; timeout 1 true";
    let said = lab.laptop(&[&SSH[..], &[script]].concat());
    insta::assert_snapshot!(format!("{}{}exit {}", said.out, said.err, said.code), @r"
    zsh
    15.6.1
    17179869184
    root:wheel
    zsh:1: command not found: timeout
    exit 127
    ");
}

#[test]
fn a_fault_lasts_until_it_is_healed() {
    let Some(lab) = Lab::up(Hosts::Article) else { return };
    let command = [&SSH[..], &["true"]].concat();
    lab.fault("mac-mini1", &["refuse"]);
    let said = lab.laptop(&command);
    assert_eq!(said.err, "ssh: connect to host mac-mini1.lab.ts.net port 22: Connection refused\r\n");
    lab.heal("mac-mini1");
    assert_eq!(lab.laptop(&command).code, 0);
}

#[test]
fn a_reboot_ends_processes_and_starts_the_daemons_again() {
    let Some(lab) = Lab::up(Hosts::Light(1)) else { return };
    assert_eq!(lab.on("mac-001", "ops", "sleep 1000 >/dev/null 2>&1 & touch /tmp/gone").code, 0);
    lab.does("reboot", "mac-001", &[]);
    let said = lab.on("mac-001", "root", "ls -A /tmp; pgrep -x sleep; launchctl list | cut -f3");
    assert_eq!((said.out.as_str(), said.err.as_str()), ("Label\ncom.openssh.sshd\n", ""));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a file of the lab's laptop")]
fn the_laptop_has_a_home_of_its_own_and_runs_fleetctl() {
    let Some(lab) = Lab::up(Hosts::Light(2)) else { return };
    let known = std::fs::read_to_string(lab.home().join(".ssh/known_hosts")).expect("the laptop's known hosts");
    assert!(known.contains("mac-002,mac-002.local,mac-002.lab.ts.net,"), "{known}");
    assert_eq!(lab.environment()["hosts"]["mac-002"]["tailnet_ip"], "100.64.0.12");
    assert_eq!(lab.laptop(&["/bin/sh", "-c", "echo $HOME; hostname"]).out, "/media/laptop\nlaptop\n");
    assert_eq!(lab.fleetctl(&["--version"]).code, 0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own fixture")]
fn a_host_may_be_of_a_specification_and_its_launchd_has_knobs() {
    let directory = tempfile::tempdir().expect("a directory");
    let spec = directory.path().join("lab.toml");
    std::fs::write(&spec, "[hosts.mac-x]\nomlx = \"\"\nchip = \"M4 Pro\"\nmemory = 68719476736\n").expect("written");
    let Some(lab) = Lab::up(Hosts::Spec(&spec)) else { return };
    assert_eq!(
        lab.on("mac-x", "ops", "sysctl -n machdep.cpu.brand_string hw.memsize").out,
        "Apple M4 Pro\n68719476736\n"
    );
    lab.knob("mac-x", "disabled_style", "\"bool\"");
    let said = lab.on("mac-x", "root", "launchctl disable system/x; launchctl print-disabled system");
    assert!(said.out.contains("\t\t\"x\" => true\n"), "{said:?}");
}
