//! `jobs`, `jobs run`, `jobs log`: what ran, what runs, what did not.

use super::{Case, assert_shown};

const JOBS: &str = r#"
[jobs.index]
on   = ["mac-a"]
at   = "02:15"
run  = ["/bin/sh", "-c", "echo one; sleep 1; echo two"]
[jobs.broken]
on   = ["mac-a", "mac-b"]
at   = "04:15"
days = ["sun"]
run  = ["/bin/sh", "-c", "exit 7"]
"#;

#[test]
fn a_job_is_run_followed_and_what_went_wrong_is_an_alert() {
    let Some(case) = Case::applied_with("", JOBS) else { return };
    let shown = |arguments: &[&str]| case.shown(arguments);
    assert_shown!(shown(&["jobs"]), @r#"
    exit: 0
    JOB     MACHINE  LAST RUN  NEXT RUN
    index   mac-a    never     [TIME]
                               daily 02:15
    broken  mac-a    never     [TIME]
                               sun 04:15
    broken  mac-b    never     [TIME]
                               sun 04:15
    -----
    "#);
    assert_shown!(shown(&["jobs", "run", "index", "--follow"]), @r#"
    exit: 0
    [INSTANT] job index: starts
    one
    two
    [INSTANT] job index: ended with 0 after [N] s
    mac-a  index ended well after [N] s
    -----
    "#);
    assert_shown!(shown(&["jobs", "run", "broken", "--on", "mac-b", "--follow"]), @r#"
    exit: 1
    [INSTANT] job broken: starts
    [INSTANT] job broken: ended with 7 after [N] s
    mac-b  broken ended with exit 7 after [N] s
    -----
    "#);
    assert_shown!(shown(&["jobs", "log", "index", "-n", "2"]), @r#"
    exit: 0
    two
    [INSTANT] job index: ended with 0 after [N] s
    -----
    "#);
    assert_shown!(shown(&["jobs", "log", "broken"]), @r#"
    exit: 2
    -----
    error: broken runs on mac-a and mac-b
    help: choose one: --on mac-a
    "#);
    assert_shown!(shown(&["jobs", "run", "indx"]), @r#"
    exit: 2
    -----
    error: there is no job "indx"
    help: did you mean "index"?
    "#);
    assert_shown!(shown(&["jobs"]), @r#"
    exit: 0
    JOB     MACHINE  LAST RUN                   NEXT RUN
    index   mac-a    [TIME]           [TIME]
                     ok after [N] s, by hand      daily 02:15
    broken  mac-a    never                      [TIME]
                                                sun 04:15
    broken  mac-b    [TIME]           [TIME]
                     exit 7 after [N] s, by hand  sun 04:15

    ALERT  MACHINE  WHAT
    error  mac-b    broken, [TIME]: it ended with exit 7 after [N] s (job-failed)
                    help: fleetctl jobs log broken --on mac-b
    -----
    "#);
    let document: serde_json::Value = serde_json::from_str(&case.fleetctl(&["jobs", "--json"]).out).expect("JSON");
    assert_eq!(document["schema"], "fleetctl.jobs/1");
    let jobs = document["jobs"].as_array().expect("jobs");
    let told: Vec<String> =
        jobs.iter().map(|job| format!("{} on {}: {}", job["name"], job["machine"], job["state"])).collect();
    let expected =
        [r#""index" on "mac-a": "ok""#, r#""broken" on "mac-a": "waiting""#, r#""broken" on "mac-b": "failed""#];
    assert_eq!(told, expected);
    assert_eq!(document["jobs"][0]["last"]["by_hand"], true);
}
