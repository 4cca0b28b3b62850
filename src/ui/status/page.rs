//! `status --html`, and `/` of the resolver service: one self-contained page without a script. All text is escaped by the template engine.

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::reading;
use crate::fleet::{Bytes, Fleet};
use crate::ui::Tone;
use crate::ui::clock_face::{clock_face, short_face};
use crate::ui::json::{JobStatus, MachineStatus, ServedStatus, StatusDocument};

/// Autoescaping follows the name.
const NAME: &str = "status.html";
const TEMPLATE: &str = include_str!("../../../templates/status.html");

/// Whether the page asks for itself again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It is as it was written.
    Never,
    /// Every so many seconds.
    Every(u64),
}

/// The page.
pub fn render_status_page(document: &StatusDocument, fleet: &Fleet, refresh: Refresh) -> String {
    let taken = document.taken_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let face = |at: &str| at.parse().ok().map(|at| short_face(at, fleet.timezone.rules()));
    let headline =
        reading::headline(&document.machines.iter().collect::<Vec<_>>(), &document.slots, &document.commands);
    let alerts: Vec<Value> = reading::alerts(&document.machines)
        .iter()
        .map(|shared| {
            let alert = shared.alert;
            context! { severity => alert.severity, code => alert.code, message => alert.message.clone(), hints => alert.hints.clone(), machines => shared.machines.join(", ") }
        })
        .collect();
    let slots: Vec<Value> = document
        .slots
        .iter()
        .map(|slot| {
            let tone = match slot.state {
                "ok" => Tone::Good,
                "degraded" => Tone::Warn,
                _ => Tone::Bad,
            };
            let why = if slot.state == "ok" { "" } else { slot.reason.as_str() };
            context! { name => slot.name.clone(), state => slot.state, tone => class(tone), goes_to => slot.goes_to.clone(), why }
        })
        .collect();
    let services: Vec<Value> = document
        .machines
        .iter()
        .flat_map(|machine| machine.services.iter().map(move |service| (machine, service)))
        .map(|(machine, service)| {
            let (state, tone) = reading::service_state(service);
            context! { name => service.name, state, tone => class(tone), machine => machine.name.clone(), url => service.url.clone() }
        })
        .collect();
    let transitions: Vec<Value> = document
        .transitions
        .iter()
        .map(|one| context! { at => face(&one.at), machine => one.machine.clone(), load => one.load.clone(), unload => one.unload.clone() })
        .collect();
    let page = context! {
        fleet => document.fleet.clone(),
        at => clock_face(taken, fleet),
        refresh => match refresh { Refresh::Never => None, Refresh::Every(seconds) => Some(seconds) },
        headline => headline.lines,
        tone => class(headline.tone),
        next => headline.next,
        alerts,
        machines => document.machines.iter().map(|machine| of_machine(machine, taken)).collect::<Vec<_>>(),
        explained => document.slots.iter().any(|slot| slot.state != "ok"),
        slots,
        services,
        jobs => document.jobs.iter().map(|job| of_job(job, face)).collect::<Vec<_>>(),
        transitions,
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let drawn = environment
        .add_template(NAME, TEMPLATE)
        .and_then(|()| environment.get_template(NAME))
        .and_then(|template| template.render(page));
    drawn.unwrap_or_else(|error| format!("the page cannot be drawn: {error:#}"))
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Dim => "dim",
        Tone::Plain | Tone::Strong => "plain",
    }
}

fn of_machine(machine: &MachineStatus, now: Timestamp) -> Value {
    let (reach, reach_tone) = reading::reach(machine);
    let (omlx, omlx_tone) = reading::omlx(&machine.omlx);
    let memory = match reading::models_memory(&machine.memory) {
        (Some(used), Some(limit)) => {
            context! { share => percent(ratio(used, limit)), text => reading::share(used, limit), over => used > limit }
        }
        _ => Value::from(()),
    };
    let rooms: Vec<Value> = reading::rooms(&machine.memory)
        .into_iter()
        .filter_map(|room| {
            let text = reading::signed(room.free?);
            Some(context! { word => room.word, text, share => room.share().map(percent), tone => class(room.tone()) })
        })
        .collect();
    let pressure = machine.memory.pressure.filter(|level| *level != "normal");
    context! {
        name => machine.name.clone(),
        tier => machine.tier.clone(),
        reach,
        reach_tone => class(reach_tone),
        omlx,
        omlx_tone => class(omlx_tone),
        macos => machine.macos.clone(),
        uptime => machine.omlx.uptime_seconds.map(reading::long_time),
        restarts => machine.omlx.restarts.filter(|restarts| *restarts > 0),
        drift => machine.drift.changes,
        memory,
        rooms,
        pressure,
        running => machine.work.running,
        waiting => machine.work.waiting,
        tps => machine.work.average_tps.filter(|tps| *tps > 0.0).map(|tps| format!("{tps:.0}")),
        names => machine.served.iter().map(|served| of_name(served, now)).collect::<Vec<_>>(),
        undeclared => machine.undeclared.clone(),
    }
}

fn of_name(served: &ServedStatus, now: Timestamp) -> Value {
    let (state, tone) = reading::name_state(served);
    let in_memory = reading::is_in_memory(served);
    let idle = reading::idle_seconds(served, now).filter(|_| in_memory);
    context! {
        name => served.name.clone(),
        state,
        tone => class(tone),
        size => served.size_bytes.filter(|_| in_memory).map(|bytes| Bytes(bytes).to_string()),
        idle => idle.map(|idle| format!("{} ago", reading::short_time(idle))),
    }
}

fn of_job(job: &JobStatus, face: impl Fn(&str) -> Option<String>) -> Value {
    let (last, tone) = reading::last_run(job, &face);
    context! { name => job.name.clone(), machine => job.machine.clone(), last, tone => class(tone), next => job.next_at.as_deref().and_then(face) }
}

#[expect(clippy::cast_precision_loss, reason = "display only")]
fn ratio(used: u64, limit: u64) -> f64 {
    (used as f64 / limit.max(1) as f64).min(1.0)
}

/// A share from 0 to 1 as CSS writes it.
fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::testing;

    #[test]
    fn nothing_of_a_machine_is_markup_and_nothing_is_fetched() {
        let fleet = testing::example();
        let page = render_status_page(&fixture::document(), &fleet, Refresh::Every(5));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("), "{page}");
        assert!(page.contains(r#"<meta http-equiv="refresh" content="5">"#));
        assert!(!render_status_page(&fixture::document(), &fleet, Refresh::Never).contains(r#"http-equiv="refresh""#));
    }

    #[test]
    fn every_part_of_the_document_is_on_it() {
        let page = render_status_page(&fixture::document(), &testing::example(), Refresh::Never);
        for wanted in [
            "<br>3 slots: 1 ok, 1 degraded, 1 down",
            "fleetctl doctor mac-mini2",
            "connection refused",
            "36.0&#x2f;79.0 GiB",
            "-5.0 GiB",
            "used 4s ago",
            "embed-fast on mac-mini2 unreachable",
            "exit 3",
            "Tue 24 Nov",
        ] {
            assert!(page.contains(wanted), "{wanted}\n{page}");
        }
    }
}
