//! `STATE/result.json`, as the runner writes it and the laptop reads it: another program's text, so nothing in it is taken for granted.

use serde::Deserialize;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its runner works, or will when the machine is up again.
    Running,
    /// The machine is in the new generation.
    Committed,
    /// The machine is back in the old generation.
    Reverted,
    /// The machine is in neither for certain.
    RevertFailed,
    /// Nothing was touched: the machine is another than the plan saw, or somebody else's.
    Refused,
    /// Nothing was touched: it was not idle in time.
    Postponed,
    /// Nothing was touched: something could not be made ready.
    Failed,
}

impl State {
    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// The document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResultDocument {
    /// The transaction's own word.
    pub id: String,
    /// `apply`, `rollback` or `remove`.
    #[serde(default)]
    pub kind: String,
    /// `user@host` of the laptop.
    #[serde(default)]
    pub who: String,
    /// Where it stands.
    pub state: State,
    /// What the runner does now, for people.
    #[serde(default)]
    pub step: String,
    /// The generation that the machine is in.
    #[serde(default)]
    pub generation: Option<u32>,
    /// The generation that it was in before.
    #[serde(default)]
    pub previous: Option<u32>,
    /// When the runner began, RFC 3339 by the machine's clock.
    #[serde(default)]
    pub started: String,
    /// Why it ended as it did.
    #[serde(default)]
    pub reason: Option<String>,
    /// What the operator must know besides.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The last lines of the daemon's log, when it was reverted.
    #[serde(default)]
    pub log: Vec<String>,
}

/// A line of the script that uploads or attaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `= JSON`
    Result(Box<ResultDocument>),
    /// `! busy ID<TAB>WHO`: another transaction has not ended.
    Busy {
        /// Its id.
        id: String,
        /// Whose it is.
        who: String,
    },
    /// `! failed TEXT`: the transaction did not begin.
    Failed(String),
    /// `! lost TEXT`: it is not there any more and left no result.
    Lost(String),
}

impl Line {
    /// Reads a line; `None` for what is none of ours (a result that is half written or edited among it).
    pub(super) fn read(line: &str) -> Option<Self> {
        if let Some(json) = line.strip_prefix("= ") {
            return serde_json::from_str(json).ok().map(|document| Self::Result(Box::new(document)));
        }
        let (word, text) = line.strip_prefix("! ")?.split_once(' ')?;
        match word {
            "busy" => {
                let (id, who) = text.split_once('\t')?;
                Some(Self::Busy { id: id.to_owned(), who: who.to_owned() })
            }
            "failed" => Some(Self::Failed(text.to_owned())),
            "lost" => Some(Self::Lost(text.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_script_says_is_read_and_what_it_does_not_say_is_not() {
        let text = r#"= {"schema": "fleetctl.result/1", "id": "a", "kind": "apply", "machine": "m", "fleet": "f", "who": "o@l", "state": "revert-failed", "at": "revert-failed", "step": "x", "generation": 3, "started": "", "now": "", "finished": "t", "changes": 2, "reason": "r", "notes": [], "log": ["l"]}"#;
        let Some(Line::Result(document)) = Line::read(text) else { panic!("not read") };
        assert_eq!((document.state, document.generation, document.log.len()), (State::RevertFailed, Some(3), 1));
        assert!(document.state.is_final() && !State::Running.is_final());
        assert_eq!(
            Line::read("! busy id-1\tops@laptop"),
            Some(Line::Busy { id: "id-1".to_owned(), who: "ops@laptop".to_owned() })
        );
        assert_eq!(Line::read("! failed no room"), Some(Line::Failed("no room".to_owned())));
        for odd in ["", "=", "= ", "= {", "= {}", "= {\"id\": 1}", "! ", "! busy", "! busy x", "! odd x", "text"] {
            assert_eq!(Line::read(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(text in "[=!] .{0,60}") {
            drop(Line::read(&text));
        }
    }
}
