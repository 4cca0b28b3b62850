//! From what a server answered to what that says of its machine.

use super::{MachineHealth, ProbeOutcome, Reach};
use crate::omlx::api::{ModelsStatus, Status, parse};

/// What is asked of each machine, with the API key. Neither touches a model: no engine is loaded or kept alive by it.
pub const MODELS_STATUS: &str = "/v1/models/status";
/// See [`MODELS_STATUS`].
pub const STATUS: &str = "/api/status";

/// What came back from one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole answer.
    Got {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// No connection: refused, no route, no such name. With what was said.
    NoConnection(String),
    /// A connection, and no whole answer in time or none at all. With what was said.
    NoAnswer(String),
}

/// What one probe says of a machine: its health, and what hysteresis makes of it.
///
/// `models` is the answer to [`MODELS_STATUS`] and decides; `status` is the answer to [`STATUS`] and adds the counters where it came.
/// 401 and 403 speak for a living server with another key: a fault of configuration, never of the machine.
pub fn observed(models: Answer, status: Answer) -> (MachineHealth, ProbeOutcome) {
    let body = match models {
        Answer::NoConnection(said) => return failed(Reach::Unreachable(said)),
        Answer::NoAnswer(said) => return failed(Reach::Unresponsive(said)),
        Answer::Got { status: 401 | 403, .. } => {
            return (MachineHealth { authorized: false, ..MachineHealth::up() }, ProbeOutcome::Answered);
        }
        Answer::Got { status, .. } if status != 200 => {
            return failed(Reach::Unresponsive(format!("GET {MODELS_STATUS} answered {status}")));
        }
        Answer::Got { body, .. } => body,
    };
    let known = match parse::<ModelsStatus>("GET /v1/models/status", &body) {
        Ok(known) => known,
        Err(error) => return failed(Reach::Unresponsive(error.to_string())),
    };
    let listed = known.models.iter().map(|model| model.id.clone());
    let is_loaded =
        |model: &&crate::omlx::api::ModelStatus| model.loaded == Some(true) || model.is_loading == Some(true);
    // A release that does not say whether a model is loaded leaves that unknown.
    let says_loaded = known.models.iter().all(|model| model.loaded.is_some());
    let loaded = known.models.iter().filter(is_loaded).map(|model| model.id.clone());
    let counters = match status {
        Answer::Got { status: 200, body } => parse::<Status>("GET /api/status", &body).ok(),
        _ => None,
    };
    let count = |of: fn(&Status) -> Option<u64>| {
        counters.as_ref().and_then(of).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    };
    let health = MachineHealth {
        listed: Some(listed.collect()),
        loaded: says_loaded.then(|| loaded.collect()),
        running: count(|status| status.active_requests),
        waiting: count(|status| status.waiting_requests),
        ..MachineHealth::up()
    };
    (health, ProbeOutcome::Answered)
}

fn failed(reach: Reach) -> (MachineHealth, ProbeOutcome) {
    (MachineHealth { reach: reach.clone(), ..MachineHealth::up() }, ProbeOutcome::Failed(reach))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(status: u16, body: &str) -> Answer {
        Answer::Got { status, body: body.as_bytes().to_vec() }
    }

    // The bodies are those of 0.3.8 (facts of oMLX, 6.4), shortened.
    const MODELS: &str = r#"{"model_count":3,"models":[{"id":"deep","loaded":false,"is_loading":false,"pinned":false},
        {"id":"fast","loaded":true,"is_loading":false},{"id":"soon","loaded":false,"is_loading":true}]}"#;
    const COUNTERS: &str = r#"{"status":"ok","version":"0.3.8","active_requests":2,"waiting_requests":1}"#;

    #[test]
    fn a_sound_answer_tells_names_and_counters() {
        let (health, outcome) = observed(got(200, MODELS), got(200, COUNTERS));
        assert_eq!(outcome, ProbeOutcome::Answered);
        assert_eq!(
            health.listed.as_ref().map(|names| names.iter().map(String::as_str).collect()),
            Some(vec!["deep", "fast", "soon"])
        );
        assert_eq!(
            health.loaded.as_ref().map(|names| names.iter().map(String::as_str).collect()),
            Some(vec!["fast", "soon"])
        );
        assert_eq!(health.in_flight(), 3);
    }

    #[test]
    fn counters_that_do_not_come_are_unknown() {
        for status in [got(500, "x"), got(200, "<html>"), Answer::NoAnswer("timed out".to_owned())] {
            let (health, outcome) = observed(got(200, MODELS), status);
            assert_eq!((health.running, health.waiting, outcome), (None, None, ProbeOutcome::Answered));
        }
    }

    #[test]
    fn another_key_is_no_fault_of_the_machine() {
        for status in [401, 403] {
            let (health, outcome) = observed(got(status, "{}"), got(status, "{}"));
            assert_eq!((health.authorized, health.reach, outcome), (false, Reach::Up, ProbeOutcome::Answered));
        }
    }

    #[test]
    fn what_is_no_sound_answer_is_unresponsive() {
        let told = |answer| match observed(answer, got(200, COUNTERS)).0.reach {
            Reach::Up => "up".to_owned(),
            Reach::Unreachable(said) => format!("unreachable: {said}"),
            Reach::Unresponsive(said) => format!("unresponsive: {said}"),
        };
        let answers = [
            got(500, ""),
            got(404, "not found"),
            got(200, "\u{1b}[2J"),
            got(200, "[]"),
            got(200, r#"{"models":7}"#),
            Answer::NoConnection("connection refused".to_owned()),
            Answer::NoAnswer("no answer within 1.5 s".to_owned()),
        ];
        let told: Vec<String> = answers.into_iter().map(told).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        unresponsive: GET /v1/models/status answered 500
        unresponsive: GET /v1/models/status answered 404
        unresponsive: the answer to GET /v1/models/status is no JSON
        unresponsive: the answer to GET /v1/models/status is not of the shape that oMLX gives it
        unresponsive: the answer to GET /v1/models/status is not of the shape that oMLX gives it
        unreachable: connection refused
        unresponsive: no answer within 1.5 s
        ");
    }
}
