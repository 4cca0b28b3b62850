//! `[omlx]` and `[machines.NAME.omlx]`.

use serde_json::json;

use crate::config::node::{Node, Spanned};
use crate::config::read::{Map, raw_table};
use crate::config::schema::secret;

raw_table! {
    /// How oMLX runs.
    RawOmlx requires [] {
        /// The release whose file formats, ranges and rules are rendered and checked.
        version: Spanned<String>,
        /// Absolute path of the omlx program; default /opt/homebrew/bin/omlx.
        program: Spanned<String>,
        /// "all" (demands `api_key`), "loopback" (the default), "tailnet" or an IP address.
        bind: Spanned<String>,
        /// The TCP port; default 8000.
        port: Spanned<i64> = json!({ "minimum": 1, "maximum": 65535 }),
        /// oMLX's base path; default ~/.omlx.
        base: Spanned<String>,
        /// The directory that holds one directory per weights; default ~/models.
        weights: Spanned<String>,
        /// Where the API key is found.
        api_key: Node = secret(),
        /// Added to the daemon's environment; `OMLX_*` and secrets are refused.
        environment: Map<Spanned<String>>,
        /// Keys of oMLX's settings.json by oMLX's own names, but server, model and auth.
        settings: Map<Node>,
    }
}
