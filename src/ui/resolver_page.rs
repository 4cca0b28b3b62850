//! The resolver service's page: one self-contained document that refreshes itself.

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};

use super::clock_face::clock_face;
use super::json::ResolveDocument;
use crate::fleet::Fleet;
use crate::slot::{Reach, Snapshot};

/// Autoescaping follows the name.
const NAME: &str = "resolver.html";
const TEMPLATE: &str = include_str!("../../templates/resolver.html");

/// The page: where every slot goes, and what is believed of every machine. All text is escaped by the template engine.
pub fn render_resolver_page(fleet: &Fleet, snapshot: &Snapshot, slots: &[ResolveDocument], at: Timestamp) -> String {
    let machines: Vec<_> = fleet
        .machines
        .iter()
        .map(|machine| {
            let health = snapshot.of(&machine.name);
            let (state, detail) = match health.map(|health| &health.reach) {
                None => ("unknown", ""),
                Some(Reach::Up) if health.is_some_and(|health| health.breaker_open) => ("breaker open", ""),
                Some(Reach::Up) if health.is_some_and(|health| !health.authorized) => ("refuses the key", ""),
                Some(Reach::Up) => ("up", ""),
                Some(Reach::Unreachable(said)) => ("unreachable", said.as_str()),
                Some(Reach::Unresponsive(said)) => ("unresponsive", said.as_str()),
            };
            let loaded = health.and_then(|health| health.loaded.clone()).unwrap_or_default();
            context! {
                name => machine.name.as_str(),
                state,
                detail,
                loaded => loaded.into_iter().collect::<Vec<_>>().join(", "),
                running => health.and_then(|health| health.running),
                waiting => health.and_then(|health| health.waiting),
            }
        })
        .collect();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let page =
        environment.add_template(NAME, TEMPLATE).and_then(|()| environment.get_template(NAME)).and_then(|page| {
            page.render(context! { fleet => fleet.name.as_str(), at => clock_face(at, fleet), slots => Value::from(Serde(slots)), machines })
        });
    page.unwrap_or_else(|error| format!("the page cannot be drawn: {error:#}"))
}
