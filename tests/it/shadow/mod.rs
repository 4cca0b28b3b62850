//! `shadow` as it is typed.

mod answers;
mod ladder;
mod page;
mod recorder;
mod scripted;
mod store;
mod walk;
