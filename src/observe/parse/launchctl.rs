//! `launchctl print` and `print-disabled`: declared no interface by Apple, so only what facts/macos.md 2.5 and 2.6 say is relied on.

use std::collections::BTreeSet;

use crate::observe::LaunchdJob;

/// Reads `launchctl print DOMAIN/LABEL`; `None` when it is no such report (an error text, `exit 113`).
///
/// Only lines exactly one tab deep count, and the first of a name: nested blocks repeat `state`, `active count`, `ID` and `type`. An argument may hold newlines
/// and a stray `}`; a block ends at a line that is exactly one tab and a brace.
pub fn launchctl_print(text: &str) -> Option<LaunchdJob> {
    let mut lines = text.lines();
    lines.next().filter(|first| first.ends_with(" = {"))?;
    let mut job = LaunchdJob::default();
    let mut seen = BTreeSet::new();
    let mut has_state = false;
    while let Some(line) = lines.next() {
        let Some(line) = line.strip_prefix('\t').filter(|line| !line.starts_with('\t')) else { continue };
        if let Some(block) = line.strip_suffix(" = {") {
            let inner = lines.by_ref().take_while(|line| *line != "\t}");
            let first = seen.insert(block.to_owned());
            match block {
                "arguments" if first => job.arguments = arguments(inner),
                "environment" if first => {
                    job.environment = inner
                        .filter_map(|line| line.strip_prefix("\t\t")?.split_once(" => "))
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect();
                }
                _ => inner.for_each(drop),
            }
            continue;
        }
        let Some((name, value)) = line.split_once(" = ") else { continue };
        if !seen.insert(name.to_owned()) {
            continue;
        }
        let owned = || Some(value.to_owned());
        match name {
            "state" => {
                has_state = true;
                value.clone_into(&mut job.state);
            }
            "path" => job.path = owned(),
            "pid" => job.pid = value.parse().ok(),
            "runs" => job.runs = value.parse().ok(),
            "last exit code" => job.last_exit = value.split(':').next().and_then(|code| code.trim().parse().ok()),
            "last terminating signal" => {
                job.last_signal = value.rsplit_once(": ").and_then(|(_, number)| number.parse().ok());
            }
            "successive crashes" => job.successive_crashes = value.parse().ok(),
            "program" => job.program = owned(),
            "working directory" => job.working_directory = owned(),
            "stdout path" => job.stdout = owned(),
            "username" => job.username = owned(),
            "exit timeout" => job.exit_timeout = value.parse().ok(),
            "minimum runtime" => job.minimum_runtime = value.parse().ok(),
            "spawn type" => job.spawn_type = value.split(" (").next().map(str::to_owned),
            _ => {}
        }
    }
    has_state.then_some(job)
}

/// Arguments are printed raw, two tabs deep, one a line; a line that is not so deep continues the one before.
fn arguments<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        match (line.strip_prefix("\t\t"), all.last_mut()) {
            (Some(argument), _) => all.push(argument.to_owned()),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => {}
        }
    }
    all
}

/// The labels that launchd's store disables: `"LABEL" => disabled`, up to macOS 12 `=> true`.
pub fn print_disabled(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| {
            let (label, state) = line.trim().strip_prefix('"')?.rsplit_once("\" => ")?;
            matches!(state, "disabled" | "true").then(|| label.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// facts/macos.md 2.5, shortened to its traps.
    const RUNNING: &str = "system/com.example.fleet.engine = {
\tactive count = 1
\tpath = /Library/LaunchDaemons/com.example.fleet.engine.plist
\ttype = LaunchDaemon
\tstate = running

\tprogram = /opt/fleet/current/bin/engine
\targuments = {
\t\t/opt/fleet/current/bin/engine
\t\tserve
\t\t--note=two
}
lines = x
\t\t--port=8080
\t}

\tworking directory = /Users/fleet

\tstdout path = /var/log/fleet/engine.out.log
\tdefault environment = {
\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin
\t}

\tenvironment = {
\t\tOSLogRateLimit => 64
\t\tHOME => /Users/fleet
\t\tXPC_SERVICE_NAME => com.example.fleet.engine
\t}

\tdomain = system
\tusername = fleet
\tminimum runtime = 10
\texit timeout = 30
\truns = 1
\tpid = 10526
\timmediate reason = speculative
\tlast exit code = (never exited)

\tresource coalition = {
\t\tID = 2210
\t\tstate = active
\t}

\tspawn type = interactive (4)
\tsubmitted job. ignore execute allowed
\tjob state = running
\tproperties = keepalive | runatload | inferred program
}
";

    #[test]
    fn a_running_daemon() {
        let job = launchctl_print(RUNNING).expect("a report");
        assert_eq!((job.state.as_str(), job.pid, job.runs, job.last_exit), ("running", Some(10526), Some(1), None));
        let arguments = ["/opt/fleet/current/bin/engine", "serve", "--note=two\n}\nlines = x", "--port=8080"];
        assert_eq!(job.arguments, arguments);
        assert_eq!(job.environment["HOME"], "/Users/fleet");
        assert_eq!(job.environment.len(), 3);
        assert_eq!((job.exit_timeout, job.minimum_runtime), (Some(30), Some(10)));
        assert_eq!(job.spawn_type.as_deref(), Some("interactive"));
        assert_eq!(job.username.as_deref(), Some("fleet"));
        assert_eq!(job.working_directory.as_deref(), Some("/Users/fleet"));
    }

    #[test]
    fn how_it_ended() {
        let ended = |line: &str| {
            let text = format!(
                "system/x = {{\n\tstate = spawn scheduled\n\truns = 7\n\tsuccessive crashes = 6\n\t{line}\n}}\n"
            );
            let job = launchctl_print(&text).expect("a report");
            assert_eq!((job.runs, job.successive_crashes, job.pid), (Some(7), Some(6), None));
            (job.last_exit, job.last_signal)
        };
        assert_eq!(ended("last exit code = 1"), (Some(1), None));
        assert_eq!(ended("last exit code = 78: EX_CONFIG"), (Some(78), None));
        assert_eq!(ended("last terminating signal = Killed: 9"), (None, Some(9)));
        assert_eq!(launchctl_print("exit 113\n"), None);
        assert_eq!(launchctl_print(""), None);
        assert_eq!(launchctl_print("Bad request.\nCould not find service\n"), None);
    }

    #[test]
    fn both_styles_of_the_disable_store() {
        let text = "\n\tdisabled services = {\n\t\t\"a\" => disabled\n\t\t\"b\" => enabled\n\t\t\"c\" => true\n\t\t\"d\" => false\n\t}\n\tlogin item associations = {\n\t}\n";
        assert_eq!(print_disabled(text), ["a".to_owned(), "c".to_owned()].into());
    }

    proptest! {
        #[test]
        fn never_panics(text in "([\ta-z=>{} \n\"]{0,20}( = \\{| => |\n)){0,12}|\\PC{0,100}") {
            launchctl_print(&text);
            launchctl_print(&format!("x = {{\n{text}"));
            print_disabled(&text);
        }
    }
}
