//! Fleets of any size: head.toml once, site.toml for every four machines. `scripts/bench-fleet` makes the same ones.

use fleetctl::fleet::Fleet;

const HEAD: &str = include_str!("head.toml");
const SITE: &str = include_str!("site.toml");

/// The fleet file of so many machines; a multiple of four.
pub(crate) fn text(machines: usize) -> String {
    (1..=machines / 4).fold(HEAD.to_owned(), |text, site| text + &SITE.replace("NNN", &format!("{site:03}")))
}

/// The fleet of a text that is sound.
pub(crate) fn fleet(text: &str) -> Fleet {
    fleetctl::config::load("fleet.toml", text).fleet.expect("a sound fleet file")
}
