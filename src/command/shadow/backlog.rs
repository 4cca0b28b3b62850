//! What a run has to do: the inputs that lack an answer of one side.

use std::collections::VecDeque;

use super::super::Context;
use crate::cli::ShadowRunArgs;
use crate::error::{CommandError, Kind};
use crate::fleet::{Fleet, Shadow};
use crate::shadow::store::Store;
use crate::shadow::{Fingerprint, Input};

/// What is to be done for one input.
pub(super) struct Job {
    pub(super) input: Input,
    pub(super) content: String,
    pub(super) experiment: i64,
    pub(super) needs_reference: bool,
    pub(super) needs_local: bool,
    /// The reference is asked a second time, for its agreement with itself.
    pub(super) repeats: bool,
}

/// What is left to do, in the order of the file; and how many inputs have their pairs.
pub(super) fn backlog(
    cx: &Context,
    args: &ShadowRunArgs,
    store: &Store,
    fleet: &Fleet,
    shadow: &Shadow,
    all: Vec<Input>,
) -> Result<(VecDeque<Job>, usize), CommandError> {
    let now = cx.clock.now().as_second();
    let mut experiments: Vec<(String, i64)> = Vec::new();
    let mut jobs = VecDeque::new();
    let mut kept = 0;
    let mut repeats = 0;
    for input in all {
        let prompt = input.prompt();
        let experiment = if let Some((_, id)) = experiments.iter().find(|(known, _)| *known == prompt) {
            *id
        } else {
            let id = store.experiment(&Fingerprint::new(fleet, shadow, &prompt), now)?;
            experiments.push((prompt, id));
            id
        };
        let content = input.content();
        let known = store.known(experiment, &input.id)?;
        if let Some(known) = &known
            && known.content != content
        {
            return Err(CommandError::new(
                Kind::Refused,
                format!("line {}: the id {:?} was used before, with different content", input.line, input.id),
            )
            .hint("give it another id: a pair is kept for ever; nothing was sent"));
        }
        let wants_repeat = repeats < args.repeat;
        repeats += usize::from(wants_repeat);
        let repeats = wants_repeat && !store.is_repeated(experiment, &input.id)?;
        let is_done = known.as_ref().is_some_and(|known| known.local_done || !known.reference_ok);
        if is_done && !repeats {
            kept += 1;
            continue;
        }
        if args.limit.is_some_and(|limit| jobs.len() >= limit) {
            continue;
        }
        jobs.push_back(Job {
            input,
            content,
            experiment,
            needs_reference: known.is_none(),
            needs_local: !is_done,
            repeats,
        });
    }
    if experiments.len() > 1 {
        cx.ui.warn(&format!(
            "the inputs have {} prompts (system messages, request fields): each is an experiment of its own",
            experiments.len()
        ));
    }
    Ok((jobs, kept))
}
