//! `[gateway]`, `[resolver]` and `[hub]`.

use serde_json::json;

use crate::config::node::{Node, Spanned};
use crate::config::read::{Texts, raw_table};
use crate::config::schema::secret;

raw_table! {
    /// One OpenAI-compatible address where the model name is the slot: an existing router, configured by us.
    RawGateway requires ["engine", "on", "program"] {
        /// The router.
        engine: Spanned<String> = json!({ "enum": ["litellm"] }),
        /// Machines, globs, or "tier:LABEL".
        on: Texts,
        /// Absolute path of its program.
        program: Spanned<String>,
        /// "all" (demands `api_key`), "loopback" (the default), "tailnet" or an IP address.
        bind: Spanned<String>,
        /// The TCP port; default 4000.
        port: Spanned<i64> = json!({ "minimum": 1, "maximum": 65535 }),
        /// Where the key is found that its clients send.
        api_key: Node = secret(),
    }

    /// A resident that answers "where is this slot now"; no prompt passes through it.
    RawResolver requires ["on", "program"] {
        /// Machines, globs, or "tier:LABEL".
        on: Texts,
        /// Absolute path of fleetctl there.
        program: Spanned<String>,
        /// "loopback" (the default), "tailnet", "all" or an IP address.
        bind: Spanned<String>,
        /// The TCP port; default 4100.
        port: Spanned<i64> = json!({ "minimum": 1, "maximum": 65535 }),
    }

    /// Where weights are kept, and how the other machines see it.
    RawHub requires ["on", "path"] {
        /// The machine that holds it.
        on: Texts,
        /// Its directory there, absolute.
        path: Spanned<String>,
        /// The SMB export, as mounted on the other machines.
        mount: Spanned<String>,
    }
}
