//! `job`: when it starts, with what, how it ends, what it records.

use super::{Host, golden, shells, told};

fn script() -> String {
    golden("mac-mini3", "job")
}

fn second(instant: &str) -> i64 {
    instant.parse::<jiff::Timestamp>().expect("an instant").as_second()
}

/// 02:15 in New York on the days given, running `command`.
fn arguments<'a>(days: &'a str, command: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["nightly", "--at", "02:15", "--days", days, "--zone", "America/New_York", "--"];
    all.extend(command);
    all
}

#[test]
fn it_starts_at_its_time_and_at_no_other() {
    let mut shells = shells().into_iter().cycle();
    for (instant, days, starts) in [
        ("2026-11-23T07:15:00Z", "mon", true),
        ("2026-11-23T07:16:59Z", "mon", true),
        ("2026-11-23T07:17:00Z", "mon", false),
        ("2026-11-23T07:14:59Z", "mon", false),
        ("2026-11-23T07:15:00Z", "tue,sun", false),
        // The other time of the machine's clock that its plist names.
        ("2026-11-23T08:15:00Z", "mon", false),
        // 02:15 does not exist: the first minute after the gap, once.
        ("2027-03-14T07:00:00Z", "sun", true),
        ("2027-03-14T07:15:00Z", "sun", false),
        ("2027-03-15T07:00:00Z", "mon", false),
        ("2027-03-15T06:15:00Z", "mon", true),
    ] {
        let host = Host::at(second(instant));
        let shell = shells.next().expect("endless");
        let output = host.run(&shell, &script(), &arguments(days, &["/bin/echo", "ran"]));
        assert_eq!(told(&output).contains("\nran\n"), starts, "{instant} {days}: {}", told(&output));
        assert_eq!(host.path("state/jobs/nightly.json").exists(), starts, "{instant}");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn an_hour_that_comes_twice_starts_it_once() {
    for (instant, starts) in [("2026-11-01T05:30:00Z", true), ("2026-11-01T06:30:00Z", false)] {
        let host = Host::at(second(instant));
        let arguments =
            ["twice", "--at", "01:30", "--days", "sun", "--zone", "America/New_York", "--", "/bin/echo", "ran"];
        let output = host.run(&shells()[0], &script(), &arguments);
        assert_eq!(told(&output).contains("\nran\n"), starts, "{instant}: {}", told(&output));
    }
}

#[test]
fn its_record_holds_the_last_runs_and_survives_an_edited_file() {
    for shell in shells() {
        let host = Host::at(second("2026-11-23T07:15:00Z"));
        std::fs::write(host.path("state/jobs/nightly.json"), "{\n    {\"started_at\": \"$(x)\"},\n").expect("written");
        let output = host.run(&shell, &script(), &arguments("mon", &["/bin/sh", "-c", "exit 7"]));
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(
            host.json("state/jobs/nightly.json"),
            serde_json::json!({"schema": "fleetctl.job/1", "job": "nightly", "runs": [{
                "started_at": "2026-11-23T07:15:00Z", "ended_at": "2026-11-23T07:15:00Z", "exit": 7, "seconds": 0,
                "timed_out": false, "by_hand": false,
            }]})
        );
        for run in 0..22 {
            host.set_clock(second("2026-11-24T00:00:00Z") + run);
            std::fs::write(host.path("state/jobs/nightly.run"), "").expect("written");
            let output = host.run(&shell, &script(), &arguments("mon", &["/nowhere/command"]));
            assert_eq!(output.status.code(), Some(127), "{}", told(&output));
            assert!(!host.path("state/jobs/nightly.run").exists(), "one request, one run");
        }
        let record = host.json("state/jobs/nightly.json");
        let runs = record["runs"].as_array().expect("runs");
        assert_eq!(runs.len(), 20);
        assert_eq!(runs[0]["started_at"], "2026-11-24T00:00:21Z");
        assert_eq!((&runs[0]["exit"], &runs[0]["by_hand"]), (&127.into(), &true.into()));
        assert_eq!(runs[19]["started_at"], "2026-11-24T00:00:02Z");
        let names: Vec<_> = std::fs::read_dir(host.path("state/jobs")).expect("listed").collect();
        assert_eq!(names.len(), 1, "nothing is left beside the record");
    }
}

#[test]
fn the_environment_file_is_the_commands_and_nothing_of_the_wrapper_is() {
    for shell in shells() {
        let host = Host::at(second("2026-11-23T07:15:00Z"));
        // Names that the wrapper uses itself, and a value that a shell would expand.
        std::fs::write(
            host.path("state/env/job.nightly"),
            "NAME='it'\\''s $(x)'\nSTATE='s'\nTIMEOUT='t'\nAT='a'\nPATH='/their/own'\nFLEETCTL_KEY_0='k'\nOPENAI_API_KEY='secret'\n",
        )
        .expect("written");
        let output = host.run(&shell, &script(), &arguments("mon", &["/usr/bin/env"]));
        let said = told(&output);
        let mut variables: Vec<&str> = said
            .lines()
            .filter(|line| {
                line.contains('=')
                    && !line.starts_with("_=")
                    && !line.starts_with("LOGNAME=")
                    && !line.starts_with("PWD=")
                    && !line.starts_with("OLDPWD=")
                    && !line.starts_with("SHLVL=")
            })
            .collect();
        variables.sort_unstable();
        assert_eq!(
            variables,
            [
                "AT=a",
                "HOME=/Users/ops",
                "NAME=it's $(x)",
                "OPENAI_API_KEY=secret",
                "PATH=/their/own",
                "STATE=s",
                "TIMEOUT=t"
            ],
            "{shell:?}: {said}"
        );
    }
}

#[test]
fn without_a_gateway_the_first_candidate_that_answers_is_chosen_by_the_open_window() {
    for (instant, url, model) in [
        ("2026-11-23T07:15:00Z", "http://up:8000/v1", "night-name"),
        ("2026-11-23T17:15:00Z", "http://up:8000/v1", "day-name"),
    ] {
        for shell in shells() {
            let host = Host::at(second(instant));
            host.command("curl", "for last; do :; done\ncase $last in http://up:8000/health) printf 200 ;; *) printf 000; exit 7 ;; esac");
            std::fs::write(host.path("state/env/job.nightly"), "FLEETCTL_KEY_0='one'\nFLEETCTL_KEY_1='two'\n")
                .expect("written");
            std::fs::write(host.path("state/jobs/nightly.run"), "").expect("written");
            let arguments = [
                "nightly",
                "--at",
                "02:15",
                "--days",
                "mon",
                "--zone",
                "America/New_York",
                "--window",
                "night 30 390 0123456",
                "--candidate",
                "- http://down:8000/v1 other FLEETCTL_KEY_0",
                "--candidate",
                "- http://up:8000/v1 day-name FLEETCTL_KEY_1",
                "--candidate",
                "night http://down:8000/v1 other -",
                "--candidate",
                "night http://up:8000/v1 night-name -",
                "--",
                "/bin/sh",
                "-c",
                "echo \"$OPENAI_BASE_URL $OPENAI_MODEL $OPENAI_API_KEY\"; env | grep -i fleetctl_",
            ];
            let said = told(&host.run(&shell, &script(), &arguments));
            let key = if model == "day-name" { "two" } else { "none" };
            assert!(said.contains(&format!("\n{url} {model} {key}\n")), "{shell:?} {said}");
            assert!(!said.to_lowercase().contains("fleetctl_"), "{said}");
        }
    }
}

#[test]
fn a_command_that_is_not_executable_or_not_there_is_an_exit_code_and_said() {
    for shell in shells() {
        let host = Host::at(second("2026-11-23T07:15:00Z"));
        std::fs::write(host.path("blunt"), "#!/bin/sh\n").expect("written");
        let blunt = host.path("blunt").display().to_string();
        for (command, exit) in [(blunt.as_str(), 126), ("/nowhere/command", 127)] {
            let output = host.run(&shell, &script(), &arguments("mon", &[command]));
            assert_eq!(output.status.code(), Some(exit), "{shell:?} {}", told(&output));
            assert!(told(&output).contains(command), "{shell:?} {}", told(&output));
            assert_eq!(host.json("state/jobs/nightly.json")["runs"][0]["exit"], exit);
        }
    }
}

#[test]
fn when_no_candidate_answers_it_does_not_start() {
    for shell in shells() {
        let host = Host::at(second("2026-11-23T07:15:00Z"));
        host.command("curl", "printf 000; exit 7");
        host.command("sleep", &format!("echo x >>'{}'", host.path("slept").display()));
        let mut arguments = arguments("mon", &["/bin/echo", "ran"]);
        arguments.splice(7..7, ["--candidate", "- http://down:8000/v1 name -"]);
        let output = host.run(&shell, &script(), &arguments);
        assert_eq!(output.status.code(), Some(69), "{}", told(&output));
        assert!(told(&output).contains("no candidate of its slot answers") && !told(&output).contains("\nran\n"));
        assert_eq!(host.read("slept").lines().count(), 9);
        assert_eq!(host.json("state/jobs/nightly.json")["runs"][0]["exit"], 69);
    }
}

#[test]
fn a_job_that_never_ends_is_ended_with_all_that_it_started() {
    for shell in shells() {
        let host = Host::at(second("2026-11-23T07:15:00Z"));
        let pids = host.path("pids");
        // The wrapper's seconds are short here; the command has its own PATH.
        host.command("sleep", "exec /bin/sleep 0.05");
        // A child that ignores SIGTERM, and one in the background.
        let command = format!(
            "echo $$ >>'{0}'; sleep 600 & echo $! >>'{0}'; (trap '' TERM; echo on >>'{0}'; sleep 600) & wait",
            pids.display()
        );
        let mut arguments = arguments("mon", &["/bin/sh", "-c", &command]);
        arguments.splice(7..7, ["--timeout", "1"]);
        let output = host.run(&shell, &script(), &arguments);
        assert_eq!(output.status.code(), Some(124), "{}", told(&output));
        let run = host.json("state/jobs/nightly.json")["runs"][0].clone();
        assert_eq!((&run["exit"], &run["timed_out"]), (&124.into(), &true.into()));
        for pid in host.read("pids").lines().filter(|line| *line != "on") {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "{shell:?}: {pid} still runs");
        }
    }
}
