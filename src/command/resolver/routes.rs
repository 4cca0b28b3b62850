//! What the service answers. Every path is matched whole or not at all, and a slot's name is looked up in the fleet and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::service::Service;
use crate::command::status::{of_snapshot, slot_status};
use crate::config;
use crate::shadow::{self, Answerer};
use crate::slot::{PROBE_INTERVAL, Reach};
use crate::ui::json::{
    Memory, ResolveDocument, ResolverErrorDocument, ResolverHealthDocument, ResolverSlotsDocument, StatusDocument,
};
use crate::ui::{Refresh, SlotCounters, render_metrics, render_status_page};

/// As often as a machine that is up is probed.
const REFRESH_SECONDS: u64 = PROBE_INTERVAL.as_secs().unsigned_abs();

pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/resolve/{slot}", get(resolve))
        .route("/slots", get(slots))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .with_state(service)
}

/// `?item=ID&verdict=TIER` asks who answers an item. 200 with a candidate, 503 without one (the document says why), 404 for an unknown slot.
async fn resolve(
    State(service): State<Arc<Service>>,
    Path(slot): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let answered = service.resolve(&slot, |resolution| {
        let document = ResolveDocument::new(resolution, Memory::Kept);
        let status = |is_ok: bool| if is_ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let Some(item) = asked.get("item") else { return json(status(resolution.choice.is_some()), &document) };
        let verdict = asked.get("verdict").map(String::as_str);
        let (shadow, route) = shadow::route_of_slot(service.fleet(), &resolution.slot.name, item, verdict);
        let is_ok = resolution.choice.is_some() || route.answerer == Answerer::Reference;
        json(status(is_ok), &document.for_item(shadow, &route))
    });
    answered.unwrap_or_else(|| {
        let help = config::suggestion(&slot, service.fleet().slots.keys(), "there are");
        json(StatusCode::NOT_FOUND, &ResolverErrorDocument::new("there is no such slot", help))
    })
}

async fn slots(State(service): State<Arc<Service>>) -> Response {
    let slots = service.look(|resolution, _| ResolveDocument::new(resolution, Memory::Kept));
    json(StatusCode::OK, &ResolverSlotsDocument::new(slots))
}

/// 200 once every machine has been asked; before that 503, so that nobody relies on an empty snapshot.
async fn health(State(service): State<Arc<Service>>) -> Response {
    let warm = service.is_warm();
    let up = service.snapshot().machines.values().filter(|health| health.reach == Reach::Up).count();
    let status = if warm { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &ResolverHealthDocument::new(warm, service.fleet().machines.len(), up))
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let (document, counters) = seen(&service);
    answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", render_metrics(&document, &counters))
}

async fn page(State(service): State<Arc<Service>>) -> Response {
    let (document, _) = seen(&service);
    let text = render_status_page(&document, service.fleet(), Refresh::Every(REFRESH_SECONDS));
    answer(StatusCode::OK, "text/html; charset=utf-8", text)
}

/// What the service believes, as the document that `status` shows.
fn seen(service: &Service) -> (StatusDocument, Vec<(String, SlotCounters)>) {
    let slots = service.look(|resolution, counters| (slot_status(resolution), counters));
    let counters = slots.iter().map(|(slot, counters)| (slot.name.clone(), *counters)).collect();
    let slots = slots.into_iter().map(|(slot, _)| slot).collect();
    let document = of_snapshot(service.fleet(), &service.snapshot(), slots, service.clock().now());
    (document, counters)
}

async fn nothing() -> Response {
    let help = "GET /, /resolve/SLOT, /slots, /health, /metrics".to_owned();
    json(StatusCode::NOT_FOUND, &ResolverErrorDocument::new("there is nothing here", Some(help)))
}

fn json<T: Serialize>(status: StatusCode, document: &T) -> Response {
    match serde_json::to_string(document) {
        Ok(text) => answer(status, "application/json", text),
        Err(_) => {
            answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the document cannot be written\n".to_owned())
        }
    }
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
