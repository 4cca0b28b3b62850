//! The transaction on a machine: the runner in the lab, with transactions by hand.

mod between;
mod host;

use std::time::Duration;

use between::{KEY, between, bundle, fleet, values};
use fleetctl::execute::{Purpose, Terms, payload, upload};
use fleetctl::plan::Transaction;
use fleetctl::secret::ExposeSecret as _;
use host::Host;

fn terms(id: &str, purpose: Purpose) -> Terms {
    Terms {
        id: id.to_owned(),
        purpose,
        fleet: "lab".to_owned(),
        who: "tester@laptop".to_owned(),
        drain: Duration::from_secs(5),
        force: false,
        no_gate: false,
        changes: 7,
        record: serde_json::Map::new(),
    }
}

/// Carries a transaction out and returns the last result.
fn carry_out(host: &Host, transaction: &Transaction, terms: &Terms) -> serde_json::Value {
    let payload = payload(transaction, &values(), terms).expect("a payload");
    let said = host.sh(upload(&payload).expose_secret());
    let last = said.lines().rfind(|line| line.starts_with("= ")).unwrap_or_else(|| panic!("{said}\n{}", host.state()));
    serde_json::from_str(&last[2..]).unwrap_or_else(|error| panic!("{error}: {last}"))
}

#[test]
fn a_first_apply_and_a_change() {
    if !host::possible() {
        return;
    }
    let host = Host::up("first");
    let one = fleet("0.5", "");
    let first = bundle(&one);
    let result = carry_out(&host, &between(&one, None, &first, |_| Vec::new()), &terms("t1", Purpose::Apply));
    println!("{result:#}\n{}", host.state());
    assert_eq!(result["state"], "committed", "{}", host.state());
    assert!(!result.to_string().contains(KEY));
}
