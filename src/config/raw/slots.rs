//! `[slots.NAME]`, `[schedules.NAME]` and `[jobs.NAME]`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::config::node::{Node, Spanned, Value};
use crate::config::read::{At, Map, Read, Texts, raw_table, wrong_type};
use crate::diagnostic::Problem;

raw_table! {
    /// What an application asks for.
    RawSlot requires ["route"] {
        /// Served names in the order of preference; NAME@SELECTOR narrows one to some of its machines.
        route: Texts,
        /// Among the machines of one rank; default "first".
        balance: Spanned<String> = json!({ "enum": ["first", "round-robin", "least-busy"] }),
        /// When to go to the next rank; default "unreachable".
        spill: Spanned<String> = json!({ "enum": ["unreachable", "saturated"] }),
        /// For the whole request.
        timeout: Spanned<String>,
        /// Whether its inputs may leave the fleet; default false.
        allow_cloud: Spanned<bool>,
        /// `bench --check` fails below it, while the slot's own route is in force.
        expect: RawExpect,
    }

    /// What a slot must reach.
    RawExpect requires [] {
        /// Decode speed of one request, tokens per second, at least.
        decode_tps: Spanned<f64> = json!({ "exclusiveMinimum": 0 }),
        /// Prefill speed, tokens per second, at least.
        prefill_tps: Spanned<f64> = json!({ "exclusiveMinimum": 0 }),
        /// Time to the first token, at most.
        ttft: Spanned<String>,
    }

    /// What is resident, and where slots go, while a window is open.
    RawSchedule requires ["on", "window"] {
        /// Machines, globs, or "tier:LABEL".
        on: Texts,
        /// "HH:MM-HH:MM" in the fleet's zone; may cross midnight.
        window: Spanned<String>,
        /// "daily" (the default), or a list of "mon".."sun": the day the window starts.
        days: Days,
        /// The machines' whole resident set while the window is open.
        resident: Texts,
        /// Slots rebound meanwhile.
        slots: Map<RawRebinding>,
    }

    /// A slot's route while a window is open.
    RawRebinding requires ["route"] {
        /// Its route meanwhile.
        route: Texts,
    }

    /// A timed command, as a launchd daemon.
    RawJob requires ["on", "at", "run"] {
        /// Machines, globs, or "tier:LABEL".
        on: Texts,
        /// "HH:MM" in the fleet's zone.
        at: Spanned<String>,
        /// "daily" (the default), or a list of "mon".."sun".
        days: Days,
        /// The command, as a list of arguments; the program is an absolute path.
        run: Texts,
        /// It gets `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` of this slot.
        slot: Spanned<String>,
        /// Who runs it; default the machine's user.
        user: Spanned<String>,
        /// Added to its environment.
        environment: Map<Spanned<String>>,
        /// It is ended after this time.
        timeout: Spanned<String>,
    }
}

/// `days`, as written.
#[derive(Clone, Debug)]
pub(crate) enum Days {
    Word(Spanned<String>),
    List(Texts),
}

impl Read for Days {
    fn read(node: Node, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        match node.value {
            Value::String(text) => Some(Self::Word(Spanned::new(text, node.span))),
            Value::Array(_) => Texts::read(node, at, problems).map(Self::List),
            _ => {
                problems.push(wrong_type(&node, at, "\"daily\" or a list of days"));
                None
            }
        }
    }
}

impl JsonSchema for Days {
    fn schema_name() -> Cow<'static, str> {
        "Days".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "const": "daily" },
            { "type": "array", "minItems": 1,
              "items": { "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] } },
        ] })
    }
}
