//! What a request for a slot must carry besides its messages.

use serde_json::{Map, Value};

use crate::fleet::{Fleet, Served, SlotKind};

/// The fields that a client merges into the body of a request to the chosen name.
///
/// Engine fields of a profile are the machine's; its sampling defaults are applied by oMLX to whatever a request leaves out. What must travel is
/// what a request overrides by itself: thinking (client libraries send template arguments of their own; 0.3.8 lets those win unless
/// `forced_ct_kwargs` names them) and the limits of an answer. It changes with the chosen name, so a fallback to another model is asked in that
/// model's way.
pub fn overlay(fleet: &Fleet, served: &Served, kind: SlotKind) -> Map<String, Value> {
    let mut overlay = Map::new();
    let Some(profile) = fleet.profiles.get(&served.profile).filter(|_| kind == SlotKind::Chat) else {
        return overlay;
    };
    let mut arguments = match profile.fields.get("chat_template_kwargs") {
        Some(Value::Object(declared)) => declared.clone(),
        _ => Map::new(),
    };
    for field in ["enable_thinking", "preserve_thinking"] {
        if let Some(value @ Value::Bool(_)) = profile.fields.get(field) {
            arguments.insert(field.to_owned(), value.clone());
        }
    }
    if !arguments.is_empty() {
        overlay.insert("chat_template_kwargs".to_owned(), Value::Object(arguments));
    }
    if let Some(tokens) = profile.number("max_tokens") {
        overlay.insert("max_tokens".to_owned(), tokens.into());
    }
    if let Some(tokens) = profile.number("thinking_budget_tokens").filter(|_| profile.is_on("thinking_budget_enabled"))
    {
        overlay.insert("thinking_budget".to_owned(), tokens.into());
    }
    overlay
}
