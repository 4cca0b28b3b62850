//! What a shell is given: exports, or a curl command. A secret is named, never printed.

use serde_json::{Value, json};

use crate::fleet::{SecretSource, Slot, SlotKind};
use crate::slot::Choice;
use crate::transport::quote;

/// Exports that make any client of `OpenAI` ask the chosen name; for `eval`.
///
/// The key is fetched by the shell that evaluates them, from where the fleet file says: it appears in no output of ours.
pub(super) fn exports(choice: &Choice<'_>) -> String {
    let overlay = Value::Object(choice.overlay.clone()).to_string();
    format!(
        "export OPENAI_BASE_URL={}\nexport OPENAI_API_KEY={}\nexport OPENAI_MODEL={}\nexport FLEETCTL_OVERLAY={}\n",
        quote(&choice.base_url),
        key(choice.machine.omlx.api_key.as_ref()),
        quote(choice.served.name.as_str()),
        quote(&overlay),
    )
}

/// A curl command that asks the chosen name. The key reaches curl on its standard input, so that no process list shows it.
pub(super) fn curl(slot: &Slot, choice: &Choice<'_>) -> String {
    let (path, mut body) = match slot.kind {
        SlotKind::Chat => {
            let body =
                json!({"model": choice.served.name.as_str(), "messages": [{"role": "user", "content": "Say hello."}]});
            ("chat/completions", body)
        }
        SlotKind::Embedding => ("embeddings", json!({"model": choice.served.name.as_str(), "input": "hello"})),
        SlotKind::Reranking => {
            let body =
                json!({"model": choice.served.name.as_str(), "query": "hello", "documents": ["hello", "goodbye"]});
            ("rerank", body)
        }
    };
    if let Value::Object(body) = &mut body {
        body.extend(choice.overlay.clone());
    }
    let url = format!("{}/{path}", choice.base_url);
    let limit = slot.timeout.map_or(String::new(), |timeout| format!(" --max-time {}", timeout.as_secs().max(1)));
    let command =
        format!("curl -sS{limit} -H 'Content-Type: application/json' -d {} {}", quote(&body.to_string()), quote(&url));
    match &choice.machine.omlx.api_key {
        None => format!("{command}\n"),
        source => {
            format!("printf 'header = \"Authorization: Bearer %s\"\\n' {} | {} -K -\n", key(source.as_ref()), command)
        }
    }
}

/// A shell word that becomes the key when the shell evaluates it.
fn key(source: Option<&SecretSource>) -> String {
    match source {
        // Clients refuse to start without a key; a server without one takes any.
        None => "none".to_owned(),
        Some(SecretSource::Env(name)) => format!("\"${{{name}}}\""),
        Some(SecretSource::File(path)) => format!("\"$(cat -- {})\"", quote(path)),
        Some(SecretSource::Command(argv)) => {
            let words: Vec<String> = argv.iter().map(|word| quote(word)).collect();
            format!("\"$({})\"", words.join(" "))
        }
    }
}
