//! `omlx-when-bindable`: waits for the address, then is the command.

use super::{Host, shells, told};

const SCRIPT: &str = include_str!("../../../templates/omlx-when-bindable.sh");

fn script() -> String {
    SCRIPT.replace("@json.sh@\n", include_str!("../../../templates/json.sh"))
}

fn settings(host: &Host, text: &str) {
    std::fs::write(host.path("base/settings.json"), text).expect("written");
}

const IFCONFIG: &str = "lo0: flags=8049<UP>\n\tinet 127.0.0.1 netmask 0xff000000\n\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1\n\
                        en0: flags=8863<UP>\n\tinet 100.64.0.12 netmask 0xffffffff\n\tinet6 FD7A:115C::1 prefixlen 48\n";

/// An ifconfig that shows the address from its `after`th call on, and a sleep that only counts.
fn with_address_after(host: &Host, after: u32) {
    std::fs::write(host.path("shown"), IFCONFIG).expect("written");
    let (calls, shown) = (host.path("calls"), host.path("shown"));
    host.command(
        "ifconfig",
        &format!(
            "echo x >>'{0}'\n[ \"$(wc -l <'{0}')\" -le {after} ] && exit 0\ncat '{1}'",
            calls.display(),
            shown.display()
        ),
    );
    host.command("sleep", &format!("echo \"$1\" >>'{}'", host.path("slept").display()));
}

#[test]
fn it_waits_says_so_and_execs_with_the_daemons_own_environment() {
    for (address, shell) in ["100.64.0.12", "fd7a:115c::1"]
        .into_iter()
        .flat_map(|address| shells().into_iter().map(move |shell| (address, shell)))
    {
        let host = Host::at(1_764_000_000);
        settings(&host, &format!("{{\"server\": {{\"host\": \"{address}\"}}}}"));
        with_address_after(&host, 3);
        host.executable("omlx", "#!/bin/sh\necho \"$0 $*|$PATH|${LC_ALL-unset}\"\n");
        let (program, base) = (host.path("omlx").display().to_string(), host.path("base").display().to_string());
        let output = host.run(&shell, &script(), &[&program, "serve", "--base-path", &base]);
        assert_eq!(
            told(&output).replace(&host.path("").display().to_string(), "/"),
            format!(
                "exit Some(0)\n2025-11-24T16:00:00Z omlx-when-bindable: waiting: this machine does not have the address {address} yet\n\
                 2025-11-24T16:00:00Z omlx-when-bindable: the address {address} is there after 6 s\n\
                 /omlx serve --base-path /base|/opt/custom/bin:/usr/bin:/bin|unset\n"
            )
        );
        assert_eq!(host.read("slept"), "2\n2\n2\n");
    }
}

#[test]
fn a_part_of_an_address_is_another_address() {
    let host = Host::at(0);
    settings(&host, "{\"server\": {\"host\": \"100.64.0.1\"}}");
    with_address_after(&host, 0);
    // The second look is the last: sleep ends the script.
    host.command("sleep", "kill -TERM $PPID");
    for shell in shells() {
        let output = host.run(&shell, &script(), &["/bin/echo", "serve", &host.path("base").display().to_string()]);
        assert_eq!(output.status.code(), None, "{}", told(&output));
    }
}

#[test]
fn settings_that_cannot_be_read_are_waited_for_too() {
    // 0.3.8 would start on its defaults: 127.0.0.1 without a key.
    for shell in shells() {
        let host = Host::at(0);
        settings(&host, "{\"server\": ");
        let fixed = host.path("fixed.json");
        std::fs::write(&fixed, "{\"server\": {\"host\": \"0.0.0.0\"}}").expect("written");
        host.command("sleep", &format!("cp '{}' '{}'", fixed.display(), host.path("base/settings.json").display()));
        let output = host.run(&shell, &script(), &["/bin/echo", "started", &host.path("base").display().to_string()]);
        let said = told(&output);
        assert!(said.contains("waiting: no server.host can be read in ") && said.contains("\nstarted "), "{said}");
    }
}
