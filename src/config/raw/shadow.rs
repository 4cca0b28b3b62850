//! `[shadow.NAME]`.

use serde_json::json;

use crate::config::node::{Node, Spanned};
use crate::config::read::{Texts, raw_table};
use crate::config::schema::secret;

raw_table! {
    /// A local slot earns a cloud model's work by agreeing with it on real inputs.
    RawShadow requires ["slot", "reference", "score", "tier", "tiers", "easy", "require"] {
        /// The slot that is calibrated; it needs `allow_cloud`.
        slot: Spanned<String>,
        /// The model that it is held against.
        reference: RawReference,
        /// JSON pointer of the score in an answer.
        score: Spanned<String>,
        /// JSON pointer of the tier in an answer.
        tier: Spanned<String>,
        /// The tiers, best first.
        tiers: Texts,
        /// The tiers of the first rungs after shadow.
        easy: Texts,
        /// What must be reached.
        require: RawRequire,
        /// Written by `shadow promote` and `demote`; default "shadow".
        rung: Spanned<String> = json!({ "enum": ["shadow", "easy-5", "easy-25", "easy", "medium", "all", "steady"] }),
        /// Store the inputs and answers themselves; default false.
        keep_text: Spanned<bool>,
        /// For the running cost.
        price: RawPrice,
        /// The gateway copies live requests to the other side and logs the pairs; default false.
        mirror: Spanned<bool>,
    }

    /// The reference model.
    RawReference requires ["base_url", "model"] {
        /// Its API; an address of Anthropic's is spoken to by its messages API, any other is taken to be compatible with that of `OpenAI`.
        base_url: Spanned<String>,
        /// Its name there.
        model: Spanned<String>,
        /// Where the key is found.
        api_key: Node = secret(),
    }

    /// What the local slot must reach.
    RawRequire requires [] {
        /// Pearson's r of the scores, at least.
        pearson: Spanned<f64> = json!({ "minimum": 0, "maximum": 1 }),
        /// Share of equal tiers, at least.
        tier_agreement: Spanned<f64> = json!({ "minimum": 0, "maximum": 1 }),
        /// Time per evaluation, at most.
        latency: Spanned<String>,
        /// Share of failed answers, at most.
        failure_rate: Spanned<f64> = json!({ "minimum": 0, "maximum": 1 }),
        /// Pairs before any verdict; default 100.
        pairs: Spanned<i64> = json!({ "minimum": 1 }),
    }

    /// The price of the reference, per million tokens.
    RawPrice requires [] {
        /// Per million prompt tokens.
        input: Spanned<f64> = json!({ "minimum": 0 }),
        /// Per million completion tokens.
        output: Spanned<f64> = json!({ "minimum": 0 }),
    }
}
