//! `shadow` as it is typed.

mod answers;
mod busy;
mod ladder;
mod page;
mod recorder;
mod scripted;
mod store;
mod walk;
