//! LiteLLM's configuration (checked against LiteLLM 1.106: `order`, retries inside an order, cooldown and fallback to the next order as it does them).

use std::time::Duration;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Context, context};
use serde_json::{Map, Value};

use super::deployment::REQUEST_TIMEOUT;
use super::lost::{late_loads, lost};
use super::{Deployment, GatewayState, LostSemantic, Mirror, MirrorEnd, deployments, mirrors};
use crate::fleet::{Fleet, Machine, MachineName, ReferenceApi, ShadowName, SlotKind};
use crate::schedule::Moment;

const TEMPLATE: &str = include_str!("../../../templates/gateway/litellm.yaml");

/// The name of LiteLLM's callback that writes mirrored pairs down: `MODULE.OBJECT`, a file beside the configuration.
const PAIRS_CALLBACK: &str = "fleetctl_pairs.pairs";

/// Environment of LiteLLM's daemon: it must ask nobody on the Internet when it starts, and shows no page of its own.
pub const LITELLM_ENVIRONMENT: [(&str, &str); 4] =
    [("LITELLM_LOCAL_MODEL_COST_MAP", "True"), ("DISABLE_ADMIN_UI", "True"), ("NO_DOCS", "True"), ("NO_REDOC", "True")];

/// A configuration for one gateway machine in one state of the windows.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayConfig {
    /// The state's name; see [`super::states`].
    pub key: String,
    /// The YAML. Secrets are named as environment variables; see [`secrets`].
    pub text: String,
    /// What it cannot express.
    pub lost: Vec<LostSemantic>,
}

/// Whose key an environment variable of the gateway holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The gateway's own, which its clients send.
    Gateway,
    /// A machine's oMLX.
    Omlx(MachineName),
    /// The reference of a calibration.
    Reference(ShadowName),
}

/// The environment variables that a gateway's configurations read, in order, each once.
pub fn secrets(fleet: &Fleet, gateway: &Machine) -> Vec<(String, Secret)> {
    let mut found: Vec<(String, Secret)> = Vec::new();
    let declared = fleet.gateway.as_ref().and_then(|gateway| gateway.api_key.as_ref());
    found.extend(declared.map(|_| ("FLEETCTL_GATEWAY_KEY".to_owned(), Secret::Gateway)));
    for state in super::states(fleet) {
        for deployment in fleet.slots.iter().flat_map(|slot| deployments(fleet, slot, &state, gateway)) {
            if let Some(name) =
                omlx_variable(fleet, deployment.machine).filter(|name| !found.iter().any(|(known, _)| known == name))
            {
                found.push((name, Secret::Omlx(deployment.machine.name.clone())));
            }
        }
    }
    for mirror in mirrors(fleet).iter().filter(|mirror| mirror.shadow.reference.api_key.is_some()) {
        found.push((reference_variable(&mirror.shadow.name), Secret::Reference(mirror.shadow.name.clone())));
    }
    found
}

/// LiteLLM's configuration for a gateway machine in a state of the windows. `at` is a time in that state, for what must load then; without one
/// nothing is said of loads.
pub fn litellm<'a>(
    fleet: &'a Fleet,
    gateway: &Machine,
    state: &GatewayState<'a>,
    moment: Option<&Moment<'a>>,
) -> GatewayConfig {
    let all: Vec<Deployment<'a>> =
        fleet.slots.iter().flat_map(|slot| deployments(fleet, slot, state, gateway)).collect();
    let mirrors = mirrors(fleet);
    let mut entries: Vec<Context> = all.iter().map(|one| entry(fleet, one, &mirrors)).collect();
    entries.extend(mirrors.iter().map(|mirror| reference(mirror)));
    let master_key =
        fleet.gateway.as_ref().and_then(|gateway| gateway.api_key.as_ref()).map(|_| variable("FLEETCTL_GATEWAY_KEY"));
    let callbacks = (!mirrors.is_empty()).then(|| json(&Value::from(PAIRS_CALLBACK)));
    let values = context! {
        // JSON is YAML, and a text in quotes can neither end a comment nor begin a key.
        fleet => json(&Value::from(fleet.name.as_str())),
        key => state.key.as_str(),
        deployments => entries,
        request_timeout => REQUEST_TIMEOUT.as_secs(),
        master_key => master_key.as_ref().map(json),
        callbacks,
    };
    let mut warnings = lost(fleet, state, gateway, &all);
    warnings.extend(moment.map(|moment| late_loads(moment, &all)).unwrap_or_default());
    GatewayConfig { key: state.key.clone(), text: draw(values), lost: warnings }
}

/// The template is part of the program and a test draws it, so that it cannot fail; if it did, LiteLLM would refuse the text and say why.
fn draw(values: Context) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A name without an extension: every value is JSON already.
    let drawn = environment
        .add_template("gateway", TEMPLATE)
        .and_then(|()| environment.get_template("gateway"))
        .and_then(|template| template.render(values));
    drawn.map_or_else(|error| format!("!{error:#}\n"), |text| text + "\n")
}

fn entry(fleet: &Fleet, one: &Deployment<'_>, mirrors: &[Mirror<'_>]) -> Context {
    // vLLM's is the one provider of LiteLLM's that speaks the /rerank of oMLX and asks for no cloud.
    let provider = if one.slot.kind == SlotKind::Reranking { "hosted_vllm" } else { "openai" };
    let key = omlx_variable(fleet, one.machine).map_or(Value::from("none"), |name| variable(&name));
    let mut params = vec![
        ("model", Value::from(format!("{provider}/{}", one.served.name))),
        ("api_base", Value::from(one.base_url.as_str())),
        ("api_key", key),
        ("order", one.order.into()),
        ("weight", 1.into()),
        // As many as the others of its step: each is asked once, then the next order.
        ("num_retries", (one.shares - 1).into()),
        ("max_retries", 0.into()),
    ];
    if let Some(attempt) = one.attempt {
        params.push(("timeout", seconds(attempt)));
        // LiteLLM holds a stream to it at every pause between two pieces, not only before the first: an attempt's share would cut slow streams.
        params.push(("stream_timeout", seconds(one.slot.timeout.unwrap_or(attempt).max(attempt))));
    }
    for (name, value) in &one.overlay {
        if name == "max_tokens" {
            params.push(("max_tokens", value.clone()));
        }
    }
    let extra: Map<String, Value> = one
        .overlay
        .iter()
        .filter(|(name, _)| *name != "max_tokens")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !extra.is_empty() {
        params.push(("extra_body", Value::Object(extra)));
    }
    let copy = mirrors.iter().find(|mirror| mirror.from == MirrorEnd::Fleet(&one.slot.name));
    params.extend(copy.map(|mirror| ("silent_model", Value::from(mirror.to.model_name()))));
    let mode = match one.slot.kind {
        SlotKind::Chat => "chat",
        SlotKind::Embedding => "embedding",
        SlotKind::Reranking => "rerank",
    };
    let info = vec![
        ("id", Value::from(one.id())),
        ("mode", Value::from(mode)),
        ("fleetctl_machine", Value::from(one.machine.name.as_str())),
    ];
    drawn_entry(one.slot.name.as_str(), &params, &info)
}

/// The reference of a calibration, under a model name of its own.
fn reference(mirror: &Mirror<'_>) -> Context {
    let reference = &mirror.shadow.reference;
    let provider = match reference.api {
        ReferenceApi::OpenAi => "openai",
        ReferenceApi::Anthropic => "anthropic",
    };
    // LiteLLM appends /v1/messages to Anthropic's base itself.
    let base = match reference.api {
        ReferenceApi::OpenAi => reference.base_url.as_str(),
        ReferenceApi::Anthropic => reference.base_url.trim_end_matches('/').trim_end_matches("/v1"),
    };
    let key =
        reference.api_key.as_ref().map_or(Value::from("none"), |_| variable(&reference_variable(&mirror.shadow.name)));
    let mut params = vec![
        ("model", Value::from(format!("{provider}/{}", reference.model))),
        ("api_base", Value::from(base)),
        ("api_key", key),
    ];
    let is_production = matches!(mirror.from, MirrorEnd::Reference(_));
    params.extend(is_production.then(|| ("silent_model", Value::from(mirror.to.model_name()))));
    let name = MirrorEnd::Reference(&mirror.shadow.name).model_name();
    let info = vec![("id", Value::from(name.as_str())), ("mode", Value::from("chat"))];
    drawn_entry(&name, &params, &info)
}

fn drawn_entry(model_name: &str, params: &[(&'static str, Value)], info: &[(&'static str, Value)]) -> Context {
    let pairs = |all: &[(&'static str, Value)]| -> Context {
        Context::from(Serde(all.iter().map(|(name, value)| (*name, json(value))).collect::<Vec<_>>()))
    };
    context! { model_name => json(&Value::from(model_name)), params => pairs(params), info => pairs(info) }
}

fn json(value: &Value) -> String {
    value.to_string()
}

fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

fn variable(name: &str) -> Value {
    Value::from(format!("os.environ/{name}"))
}

/// The variable of a machine's key: one for all machines that share the fleet's, one each for those that declare their own.
fn omlx_variable(fleet: &Fleet, machine: &Machine) -> Option<String> {
    machine.omlx.api_key.as_ref()?;
    let own = fleet.canonical.pointer(&format!("/machines/{}/omlx/api_key", machine.name)).is_some();
    Some(if own {
        format!("FLEETCTL_OMLX_KEY_{}", upper(machine.name.as_str()))
    } else {
        "FLEETCTL_OMLX_KEY".to_owned()
    })
}

fn reference_variable(shadow: &ShadowName) -> String {
    format!("FLEETCTL_REFERENCE_KEY_{}", upper(shadow.as_str()))
}

/// A slug as part of a variable's name; two slugs stay two names.
fn upper(slug: &str) -> String {
    slug.replace('_', "__").replace('-', "_").to_uppercase()
}

// The text itself is pinned by the golden render (tests/fixtures/golden), byte for byte.
#[cfg(test)]
mod tests {
    use super::super::{state_of, states};
    use super::*;
    use crate::testing;

    #[test]
    fn what_the_example_loses() {
        let fleet = testing::example();
        let gateway = fleet.machines.get("mac-studio1").expect("declared");
        let at = "2026-11-23T12:00:00-05:00".parse().expect("a time");
        let lost: Vec<String> = litellm(&fleet, gateway, &state_of(&fleet, at), Some(&Moment::new(&fleet, at)))
            .lost
            .iter()
            .map(|lost| {
                format!("{} {}: {}", lost.id, lost.slot.as_ref().map_or("*", |slot| slot.as_str()), lost.message)
            })
            .collect();
        insta::assert_snapshot!(lost.join("\n"), @r"
        residency *: whether a name is loaded, fits or runs under its profile is not looked at: a request waits for a load, and answers that are errors move it on
        breaker *: a machine that failed is left alone for 30 s each time, instead of doubling up to 5 min and one trial
        degraded *: no answer says that another model gave it; the header x-litellm-model-id names SLOT/RANK/MACHINE
        auth *: a machine that refuses the key is passed over like one that is gone; fleetctl status says so, the gateway does not
        schedule *: the routes are those of one state of the windows; at a boundary another configuration takes over
        round-robin embed-fast: the machines of a rank are taken by chance with equal odds: even over many requests, not in turn
        spill embed-fast: a request that a rank answers with 4xx or 429 is asked of the next rank as well, although the rank can be reached
        deadline embed-fast: while machines have just gone and none refuses, a request can take 5s instead of 3s
        round-robin extract-fast: the machines of a rank are taken by chance with equal odds: even over many requests, not in turn
        spill extract-fast: a request that a rank answers with 4xx or 429 is asked of the next rank as well, although the rank can be reached
        deadline extract-fast: while machines have just gone and none refuses, a request can take 5s instead of 3s
        stall extract-fast: a stream that pauses longer than 3s is cut
        spill score-fast: a request that a rank answers with 4xx or 429 is asked of the next rank as well, although the rank can be reached
        no-timeout score-fast: it has no timeout: a machine that swallows packets is noticed after 10m only
        spill score-deep: a request that a rank answers with 4xx or 429 is asked of the next rank as well, although the rank can be reached
        no-timeout score-deep: it has no timeout: a machine that swallows packets is noticed after 10m only
        spill synth-deep: a rank is passed over only when its machines refuse requests; a long queue is not seen
        no-timeout synth-deep: it has no timeout: a machine that swallows packets is noticed after 10m only
        load extract-fast: moe-batched on mac-studio1 must load first, about 58 s, and an attempt ends after 3s
        ");
    }

    #[test]
    fn each_state_has_its_routes() {
        let fleet = testing::example();
        let gateway = fleet.machines.get("mac-studio1").expect("declared").clone();
        let texts: Vec<String> =
            states(&fleet).iter().map(|state| litellm(&fleet, &gateway, state, None).text).collect();
        assert_eq!(texts.len(), 2);
        let chat = |text: &str| {
            text.split("model_name: \"chat-interactive\"").nth(1).map(|rest| {
                rest.contains("openai/moe-dflash") && rest.find("openai/moe-dflash") < rest.find("model_name")
            })
        };
        assert_eq!((chat(&texts[0]), chat(&texts[1])), (Some(true), Some(false)));
    }

    #[test]
    fn no_key_is_in_it_and_each_has_a_variable() {
        let fleet = testing::example();
        let gateway = fleet.machines.get("mac-studio1").expect("declared").clone();
        let names: Vec<String> = secrets(&fleet, &gateway).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["FLEETCTL_GATEWAY_KEY", "FLEETCTL_OMLX_KEY"]);
    }

    #[test]
    fn a_mirror_copies_to_the_other_side_and_a_slot_never_answers_with_the_reference() {
        let mut fleet = testing::example();
        let gateway = fleet.machines.get("mac-studio1").expect("declared").clone();
        for (rung, from, to) in [
            (crate::fleet::Rung::Shadow, "shadow.job-score", "score-deep"),
            (crate::fleet::Rung::All, "score-deep", "shadow.job-score"),
        ] {
            let mut shadow = fleet.shadows.get("job-score").expect("declared").clone();
            (shadow.mirror, shadow.rung) = (true, rung);
            fleet.shadows.insert(shadow);
            let text = litellm(&fleet, &gateway, &states(&fleet)[0], None).text;
            let entries: Vec<&str> = text.split("  - model_name: ").skip(1).collect();
            let named = |name: &str| {
                entries.iter().filter(|entry| entry.starts_with(&format!("\"{name}\"\n"))).copied().collect::<Vec<_>>()
            };
            assert!(named(from).iter().all(|entry| entry.contains(&format!("silent_model: \"{to}\""))), "{text}");
            assert!(named(to).iter().all(|entry| !entry.contains("silent_model")), "{text}");
            assert!(named("score-deep").iter().all(|entry| !entry.contains("api.openai.com")), "{text}");
            assert!(text.contains("callbacks: \"fleetctl_pairs.pairs\""), "{text}");
        }
    }
}
