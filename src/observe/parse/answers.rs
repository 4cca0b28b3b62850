//! oMLX's answers as curl brought them: a body, then the marker `http STATUS CURLEXIT`, three times; the first failure ends them.

use super::Section;
use crate::observe::{Answer, AnswerError, EngineAnswers};

/// Reads the sections of the last `engine` that answered, else of the first that was tried. `None`: it was not asked.
pub fn engine_answers(sections: &[Section<'_>]) -> Option<EngineAnswers> {
    let starts: Vec<usize> = (0..sections.len()).filter(|at| sections[*at].name == "engine").collect();
    let tries: Vec<EngineAnswers> = starts.iter().map(|start| one(&sections[*start..])).collect();
    let answered = tries.iter().position(|answers| answers.health.got().is_some() || answers.status.got().is_some());
    tries.into_iter().nth(answered.unwrap_or(0))
}

fn one(sections: &[Section<'_>]) -> EngineAnswers {
    let mut answers = EngineAnswers { health: Answer::NotAsked, status: Answer::NotAsked, models: Answer::NotAsked };
    let slots = [(&mut answers.health, "status"), (&mut answers.status, "version"), (&mut answers.models, "models")];
    let mut body = sections.first().map(|section| section.body);
    for ((slot, key), section) in slots.into_iter().zip(sections.iter().skip(1)) {
        if section.name != "http" {
            break;
        }
        let (status, exit) = section.argument.split_once(' ').unwrap_or((section.argument, ""));
        *slot = answer(status.parse().unwrap_or(0), exit.trim().parse().unwrap_or(0), body.unwrap_or_default(), key);
        body = Some(section.body);
    }
    answers
}

/// curl(1), exit codes: 7 refused, 28 timed out.
fn answer(status: u16, exit: u8, body: &[u8], key: &str) -> Answer<serde_json::Value> {
    let failed = |error| Answer::Failed(error);
    match (exit, status) {
        (7, _) => failed(AnswerError::Refused),
        (28, _) => failed(AnswerError::TimedOut),
        (0, 200) => match serde_json::from_slice::<serde_json::Value>(body) {
            Ok(value) if value.get(key).is_some() => Answer::Got(value),
            Ok(_) => failed(AnswerError::Malformed(format!("JSON without \"{key}\""))),
            Err(_) => failed(AnswerError::Malformed("no JSON".to_owned())),
        },
        (0, 401 | 403) => failed(AnswerError::Unauthorised(status)),
        (0, 1..) => failed(AnswerError::Status(status)),
        (52, _) => failed(AnswerError::Other("it closed the connection without an answer".to_owned())),
        (56, _) => failed(AnswerError::Other("it cut the connection".to_owned())),
        (63, _) => failed(AnswerError::Malformed("longer than 8 MB".to_owned())),
        (exit, _) => failed(AnswerError::Other(format!("curl ended with {exit}"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observe::parse::sections;

    fn read(output: &str) -> Option<EngineAnswers> {
        engine_answers(&sections(output.as_bytes(), "n"))
    }

    #[test]
    fn bodies_stand_before_their_marker() {
        let answers = read(
            "@@n engine http://127.0.0.1:8000\n{\"status\":\"healthy\"}\n@@n http 200 0\n{\"version\":\"0.3.8\"}\n@@n http 200 0\n<html>\n@@n http 200 0\n",
        )
        .expect("asked");
        assert_eq!(answers.health.got().expect("healthy")["status"], "healthy");
        assert_eq!(answers.status.got().expect("status")["version"], "0.3.8");
        assert_eq!(answers.models, Answer::Failed(AnswerError::Malformed("no JSON".to_owned())));
    }

    #[test]
    fn the_first_failure_ends_them() {
        let answers = read("@@n engine u\n\n@@n http 000 7\n").expect("asked");
        assert_eq!(answers.health, Answer::Failed(AnswerError::Refused));
        assert_eq!(answers.status, Answer::NotAsked);
        let answers = read("@@n engine u\n{\"status\":1}\n@@n http 200 0\n{}\n@@n http 401 0\n\n@@n http 500 0\n")
            .expect("asked");
        assert_eq!(answers.status, Answer::Failed(AnswerError::Unauthorised(401)));
        assert_eq!(answers.models, Answer::Failed(AnswerError::Status(500)));
        assert_eq!(read("@@n end\n"), None);
        let second =
            read("@@n engine u\n\n@@n http 000 7\n\n@@n engine v\n{\"status\":1}\n@@n http 200 0\n").expect("asked");
        assert!(second.health.got().is_some());
    }

    proptest! {
        #[test]
        fn never_panics(text in "(\n@@n (engine|http|end) ?[0-9 ]{0,6}\n?[{}\"a-z:]{0,10}){0,6}") {
            read(&text);
        }
    }
}
