//! oMLX, the gateway and the resolver of one machine: each needs a port of its own.

use super::values::Problems;
use super::view::View;
use crate::config::node::Spanned;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bind, Machine, MachineName};

/// One port, two daemons.
pub(crate) static PORT_USED_TWICE: Code = Code {
    id: "port-used-twice",
    severity: Severity::Error,
    title: "two daemons of one machine on one port",
    explanation: "oMLX, the gateway and the resolver are daemons of their own. Where two of them run on one machine, listen on an address that \
                  both have (\"all\" has every one) and have the same port, the one that starts later cannot listen: launchd starts it again \
                  and again, and oMLX 0.3.8 loads all its models each time before it fails. Give one of them another `port`. The defaults \
                  differ: 8000 for oMLX, 4000 for the gateway, 4100 for the resolver.",
};

pub(crate) static CODES: [&Code; 1] = [&PORT_USED_TWICE];

/// A daemon that listens on a machine.
#[derive(Clone, Copy)]
struct Listener<'a> {
    what: &'static str,
    bind: Bind,
    port: u16,
    /// Where the port is written; `None` for the default.
    written: Option<&'a Spanned<i64>>,
}

/// Two listeners and the machines on which they meet.
struct Meeting<'a> {
    earlier: Listener<'a>,
    later: Listener<'a>,
    on: Vec<&'a MachineName>,
}

/// Says each pair once, however many machines it meets on; another port of oMLX's is another pair.
pub(crate) fn check(view: View<'_>, problems: &mut Problems) {
    let mut meetings: Vec<Meeting<'_>> = Vec::new();
    for machine in view.fleet.machines.iter() {
        let all = listeners(view, machine);
        for (place, later) in all.iter().enumerate() {
            for earlier in all[..place].iter().filter(|earlier| meet(machine, earlier, later)) {
                let is_same = |known: &&mut Meeting<'_>| {
                    (known.earlier.what, known.later.what) == (earlier.what, later.what)
                        && span(known.earlier.written) == span(earlier.written)
                };
                match meetings.iter_mut().find(is_same) {
                    Some(known) => known.on.push(&machine.name),
                    None => meetings.push(Meeting { earlier: *earlier, later: *later, on: vec![&machine.name] }),
                }
            }
        }
    }
    problems.extend(meetings.iter().filter_map(problem));
}

fn span(leaf: Option<&Spanned<i64>>) -> Option<std::ops::Range<usize>> {
    leaf.map(|leaf| leaf.span.clone())
}

fn problem(meeting: &Meeting<'_>) -> Option<Problem> {
    let Meeting { earlier, later, on } = meeting;
    let others = match on.len() {
        1 => String::new(),
        2 => " and of 1 other machine".to_owned(),
        many => format!(" and of {} other machines", many - 1),
    };
    // The defaults differ, so that at least one of the two is written.
    let (at, other) = match (later.written, earlier.written) {
        (Some(at), other) => ((at, later), other.map(|leaf| (leaf, earlier))),
        (None, Some(at)) => ((at, earlier), None),
        (None, None) => return None,
    };
    let by_default = |listener: &Listener<'_>| if listener.written.is_none() { " (its default)" } else { "" };
    let message = format!(
        "{}{} and {}{} both listen on port {} of {}{others}",
        earlier.what,
        by_default(earlier),
        later.what,
        by_default(later),
        later.port,
        on.first()?
    );
    let problem = Problem::at(&PORT_USED_TWICE, at.0.span.clone(), message)
        .label(at.1.what)
        .help(format!("give {} another port", at.1.what));
    Some(match other {
        Some((leaf, listener)) => problem.also(leaf.span.clone(), listener.what),
        None => problem,
    })
}

/// The daemons of a machine, in the order in which an apply starts them.
fn listeners<'a>(view: View<'a>, machine: &'a Machine) -> Vec<Listener<'a>> {
    let (raw, fleet) = (view.raw, view.fleet);
    let own = raw.machines.as_ref().and_then(|machines| machines.get(machine.name.as_str()));
    let own = own.and_then(|own| own.omlx.as_ref()).and_then(|omlx| omlx.port.as_ref());
    let of_fleet = || raw.omlx.as_ref().and_then(|omlx| omlx.port.as_ref());
    let omlx =
        Listener { what: "oMLX", bind: machine.omlx.bind, port: machine.omlx.port, written: own.or_else(of_fleet) };
    let gateway = fleet.gateway.as_ref().filter(|gateway| gateway.on.contains(&machine.name));
    let gateway = gateway.map(|gateway| {
        let written = raw.gateway.as_ref().and_then(|gateway| gateway.port.as_ref());
        Listener { what: "the gateway", bind: gateway.bind, port: gateway.port, written }
    });
    let resolver = fleet.resolver.as_ref().filter(|resolver| resolver.on.contains(&machine.name));
    let resolver = resolver.map(|resolver| {
        let written = raw.resolver.as_ref().and_then(|resolver| resolver.port.as_ref());
        Listener { what: "the resolver", bind: resolver.bind, port: resolver.port, written }
    });
    // A port that is no port was said already, and stands for the default here.
    let is_sound =
        |listener: &Listener<'_>| listener.written.is_none_or(|written| written.value == i64::from(listener.port));
    [Some(omlx), gateway, resolver].into_iter().flatten().filter(is_sound).collect()
}

/// Whether two daemons of a machine want one port of one address. What is not known for certain, as which address "tailnet" is, is no conflict.
fn meet(machine: &Machine, one: &Listener<'_>, other: &Listener<'_>) -> bool {
    let share_an_address = match (one.bind, other.bind) {
        (Bind::All, _) | (_, Bind::All) => true,
        (Bind::Tailnet, Bind::Address(address)) | (Bind::Address(address), Bind::Tailnet) => {
            machine.tailnet_ip == Some(address)
        }
        (one, other) => one == other,
    };
    one.port == other.port && share_an_address
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::testing;

    #[test]
    fn which_addresses_meet() {
        let fleet = testing::example();
        let mut machine = fleet.machines.get("mac-mini1").expect("declared").clone();
        machine.tailnet_ip = "100.64.0.11".parse().ok();
        let listener = |bind, port| Listener { what: "x", bind, port, written: None };
        let at = |text: &str| Bind::Address(text.parse::<IpAddr>().expect("an address"));
        for (one, other, wanted) in [
            (Bind::All, Bind::Loopback, true),
            (at("192.168.1.11"), Bind::All, true),
            (Bind::Loopback, Bind::Loopback, true),
            (Bind::Tailnet, Bind::Tailnet, true),
            (Bind::Tailnet, at("100.64.0.11"), true),
            (Bind::Tailnet, at("192.168.1.11"), false),
            (Bind::Tailnet, Bind::Loopback, false),
            (at("192.168.1.11"), at("192.168.1.12"), false),
        ] {
            assert_eq!(meet(&machine, &listener(one, 80), &listener(other, 80)), wanted, "{one:?}, {other:?}");
            assert_eq!(meet(&machine, &listener(other, 80), &listener(one, 80)), wanted, "{other:?}, {one:?}");
            assert!(!meet(&machine, &listener(one, 80), &listener(other, 81)), "{one:?}, {other:?}");
        }
    }
}
