//! Many machines at once: bounded, each with its own deadline, the answers in the order of declaration.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What became of one machine's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fanned<T> {
    /// It ended.
    Done(T),
    /// It took longer than it may; the work was dropped.
    TimedOut(Duration),
    /// It panicked: a bug of ours, which costs this machine's answer only.
    Panicked(String),
}

/// What happens while it runs, by the item's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its turn has come.
    Started(usize),
    /// It ended after this time.
    Finished(usize, Duration),
}

/// How wide, and how long each.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    /// At once.
    pub parallel: usize,
    /// For each, from its own start; a machine that hangs costs only this.
    pub deadline: Option<Duration>,
}

/// Runs `work` for every item. `watch` is told of beginnings and ends as they happen, with the result where there is one.
pub async fn fan_out<I, T, W, F>(
    items: Vec<I>,
    width: Width,
    work: W,
    mut watch: impl FnMut(Event, Option<&Fanned<T>>),
) -> Vec<Fanned<T>>
where
    I: Send + 'static,
    T: Send + 'static,
    W: Fn(I) -> F,
    F: Future<Output = T> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(width.parallel.max(1)));
    let (started, mut starts) = mpsc::unbounded_channel();
    let mut results: Vec<Option<(Fanned<T>, Duration)>> = items.iter().map(|_| None).collect();
    let mut tasks = JoinSet::new();
    let mut places = std::collections::HashMap::new();
    for (place, item) in items.into_iter().enumerate() {
        let (turns, started, future) = (Arc::clone(&turns), started.clone(), work(item));
        let task = tasks.spawn(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire_owned().await;
            let since = Instant::now();
            // Nobody watches any more: then nobody needs to know.
            let _: Result<(), _> = started.send(place);
            let result = match width.deadline {
                None => Fanned::Done(future.await),
                Some(limit) => timeout(limit, future).await.map_or(Fanned::TimedOut(limit), Fanned::Done),
            };
            (place, result, since.elapsed())
        });
        places.insert(task.id(), place);
    }
    drop(started);
    loop {
        tokio::select! {
            biased;
            Some(place) = starts.recv() => watch(Event::Started(place), None),
            joined = tasks.join_next_with_id() => {
                let (place, result, took) = match joined {
                    None => break,
                    Some(Ok((_, done))) => done,
                    Some(Err(error)) => {
                        let place = places.get(&error.id()).copied().unwrap_or_default();
                        (place, Fanned::Panicked(error.to_string()), Duration::ZERO)
                    }
                };
                watch(Event::Finished(place, took), Some(&result));
                if let Some(slot) = results.get_mut(place) {
                    *slot = Some((result, took));
                }
            }
        }
    }
    results
        .into_iter()
        .map(|result| result.map_or_else(|| Fanned::Panicked("no result".to_owned()), |(result, _)| result))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_costs_its_own_time_and_order_is_kept() {
        let began = Instant::now();
        let mut finished = Vec::new();
        let results = fan_out(
            (0..20u64).collect(),
            Width { parallel: 4, deadline: Some(Duration::from_secs(20)) },
            |n| async move {
                match n {
                    3 => std::future::pending().await,
                    5 => panic!("bug"),
                    _ => tokio::time::sleep(Duration::from_millis(20 - n)).await,
                }
                n * 2
            },
            |event, _| {
                if let Event::Finished(place, _) = event {
                    finished.push(place);
                }
            },
        )
        .await;
        assert_eq!(began.elapsed().as_secs(), 20);
        assert_eq!(results[3], Fanned::TimedOut(Duration::from_secs(20)));
        assert!(matches!(results[5], Fanned::Panicked(_)));
        assert_eq!(results[19], Fanned::Done(38));
        assert_eq!(finished.len(), 20);
        assert_eq!(finished.last(), Some(&3), "the others did not wait");
    }
}
