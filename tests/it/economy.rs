//! What a verb costs in processes and sessions: counted, never timed, so that the design of one connection and one question a machine cannot rot.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::lab::{Hosts, Lab};

/// A program in the place of oMLX: what is counted here does not depend on its answers.
const PROGRAM: &str = "mkdir -p /opt/homebrew/bin && printf '#!/bin/sh\\nexec /bin/sleep 100000\\n' >/opt/homebrew/bin/omlx && chmod 755 /opt/homebrew/bin/omlx";

/// Every login shell that sshd starts for a session leaves a line.
const COUNTING_SHELL: &str = "printf 'echo >>/tmp/sessions\\n' >/Users/ops/.zshenv";

struct Economy {
    lab: Lab,
    directory: tempfile::TempDir,
}

impl Economy {
    fn up(keep: &str) -> Option<Self> {
        let lab = Lab::up(Hosts::Light(2))?;
        let directory = tempfile::tempdir().expect("a directory");
        let fleet = format!(
            "schema = 1\n[fleet]\nname = \"economy\"\ntimezone = \"America/New_York\"\ntailnet = \"lab.ts.net\"\nuser = \"ops\"\n{keep}\n\
             [omlx]\nversion = \"0.3.8\"\nbind = \"loopback\"\n\
             [machines.mac-001]\nchip = \"M4\"\nmemory = \"16GB\"\n[machines.mac-002]\nchip = \"M4\"\nmemory = \"16GB\"\n"
        );
        std::fs::write(directory.path().join("fleet.toml"), fleet).expect("the fleet file");
        for host in ["mac-001", "mac-002"] {
            assert_eq!(lab.on(host, "root", PROGRAM).code, 0);
            assert_eq!(lab.on(host, "ops", COUNTING_SHELL).code, 0);
        }
        // The first ssh in the laptop's PATH counts itself.
        let wrapper = lab.home().join("bin/ssh");
        std::fs::create_dir_all(wrapper.parent().expect("a parent")).expect("bin");
        std::fs::write(&wrapper, "#!/bin/sh\necho >>\"$HOME\"/spawned\nexec /usr/bin/ssh \"$@\"\n").expect("written");
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).expect("executable");
        Some(Self { lab, directory })
    }

    /// Runs a verb: how many ssh processes it started, and how many sessions each machine saw.
    fn cost(&self, arguments: &[&str], exit: i32) -> (usize, usize, usize) {
        let spawned = self.lab.home().join("spawned");
        drop(std::fs::remove_file(&spawned));
        for host in ["mac-001", "mac-002"] {
            assert_eq!(self.lab.on(host, "ops", "rm -f /tmp/sessions").code, 0);
        }
        let file = self.directory.path().join("fleet.toml");
        let said = self.lab.fleetctl(&[&["-f", file.to_str().expect("UTF-8")], arguments].concat());
        assert_eq!(said.code, exit, "{arguments:?}: {}{}", said.out, said.err);
        let lines = |text: &str| text.lines().count();
        let sessions = |host| lines(&self.lab.on(host, "root", "cat /tmp/sessions 2>/dev/null; true").out);
        (std::fs::read_to_string(&spawned).map_or(0, |text| lines(&text)), sessions("mac-001"), sessions("mac-002"))
    }
}

#[test]
fn a_verb_takes_one_ssh_and_one_session_a_machine_and_a_change_one_session_more() {
    let Some(economy) = Economy::up("") else { return };
    let once = (2, 1, 1);
    assert_eq!(economy.cost(&["status"], 0), once);
    assert_eq!(economy.cost(&["plan"], 0), once);
    assert_eq!(economy.cost(&["--on", "mac-001", "plan"], 0), (1, 1, 0));
    let apply = ["apply", "--yes", "--no-gate", "--drain", "1s"];
    assert_eq!(economy.cost(&apply, 0), (2, 2, 2), "the question, then the upload that watches its transaction");
    assert_eq!(economy.cost(&apply, 0), once, "nothing to change");
}

#[test]
fn a_kept_connection_takes_no_ssh() {
    let Some(economy) = Economy::up("keep_connection = \"2m\"") else { return };
    assert_eq!(economy.cost(&["status"], 0), (2, 1, 1));
    assert_eq!(economy.cost(&["status"], 0), (0, 1, 1));
}
