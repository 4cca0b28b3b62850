//! What oMLX makes of a name: rules, and behaviour that hangs on it.

use crate::fleet::WeightsKind;

/// Whether oMLX takes this as the name of a profile: `^[a-z0-9][a-z0-9_-]{0,31}$`, else it answers 400 (facts/omlx.md 4.1).
pub fn is_profile_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=32).contains(&name.len())
        && plain(name.as_bytes()[0])
        && name.bytes().all(|b| plain(b) || matches!(b, b'_' | b'-'))
}

/// A behaviour that oMLX chooses by a name instead of by the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameTrap {
    /// The served name holds "embed" (or "rerank") though it is a language model: oMLX would take it for one (`model_discovery.py`:331, :318), unless
    /// `model_type_override` says otherwise. fleetctl always sets that, so it is no danger on a machine that it manages.
    LooksLike(WeightsKind),
    /// The weights are of the Qwen3 family by `config.json`, and their directory does not hold "qwen3": the `<|im_end|>` end-of-text fix is not applied
    /// (utils/tokenizer.py:130 asks the whole path).
    LosesQwen3Fix,
    /// The weights are Gemma, and the served name does not hold "gemma": tool calls lose required parameters (server.py:2071 asks the model id).
    LosesGemmaTools,
}

/// The traps of serving weights under a name (facts/omlx.md 5.3). `directory` is the last component of the weights' directory, which fleetctl keeps in the path.
pub fn name_traps(served: &str, directory: &str, kind: WeightsKind) -> Vec<NameTrap> {
    let (served, directory) = (served.to_ascii_lowercase(), directory.to_ascii_lowercase());
    let is_language = matches!(kind, WeightsKind::Llm | WeightsKind::Vlm);
    let mut traps = Vec::new();
    if is_language && served.contains("embed") {
        traps.push(NameTrap::LooksLike(WeightsKind::Embedding));
    }
    if is_language && served.contains("rerank") {
        traps.push(NameTrap::LooksLike(WeightsKind::Reranker));
    }
    if is_language && directory.contains("qwen") && directory.contains('3') && !directory.contains("qwen3") {
        traps.push(NameTrap::LosesQwen3Fix);
    }
    if is_language && directory.contains("gemma") && !served.contains("gemma") {
        traps.push(NameTrap::LosesGemmaTools);
    }
    traps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps() {
        let of = |served, directory| name_traps(served, directory, WeightsKind::Llm);
        assert_eq!(of("moe-dflash", "Qwen3.6-35B-A3B-MLX-8bit"), []);
        assert_eq!(of("fast", "gemma-4-31B-it"), [NameTrap::LosesGemmaTools]);
        assert_eq!(of("embed-chat", "Qwen3-4B"), [NameTrap::LooksLike(WeightsKind::Embedding)]);
        assert_eq!(of("x", "Qwen-3-4B"), [NameTrap::LosesQwen3Fix]);
        assert_eq!(name_traps("embed", "arctic-embed", WeightsKind::Embedding), []);
    }

    #[test]
    fn profile_names() {
        assert!(
            is_profile_name("deep_2-x") && !is_profile_name("Deep") && !is_profile_name("") && !is_profile_name("-a")
        );
    }
}
