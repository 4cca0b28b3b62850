//! What the fleet files of the tests have in common: a test writes down only what it is about.

/// The fleet, and oMLX where the lab has it. `omlx`: further lines of [omlx], the release and who may reach it.
pub(crate) fn head(name: &str, timezone: &str, omlx: &str) -> String {
    format!(
        r#"schema = 1
[fleet]
name = "{name}"
timezone = "{timezone}"
tailnet = "lab.ts.net"
user = "ops"
[omlx]
program = "/opt/homebrew/bin/omlx"
port = 8000
base = "~/.omlx"
weights = "~/models"
{omlx}
"#
    )
}

/// As [`head`], reached by everybody who knows the key, which a command tells: nothing of it has to be in the environment.
pub(crate) fn guarded_head(name: &str, timezone: &str, release: &str) -> String {
    let omlx = format!("version = \"{release}\"\nbind = \"all\"\napi_key = {{ command = [\"/bin/echo\", \"{KEY}\"] }}");
    head(name, timezone, &omlx)
}

/// The key of [`guarded_head`].
pub(crate) const KEY: &str = "sk-test-1234";

/// A mini of 16 GB; `more`: further lines of its table.
pub(crate) fn mini(name: &str, more: &str) -> String {
    format!("[machines.{name}]\nchip = \"M4\"\nmemory = \"16GB\"\n{more}\n")
}

/// The article's small model, served as `extract-2b` and resident on these machines.
pub(crate) fn extract(on: &[&str]) -> String {
    format!(
        r#"[models.edge-2b]
directory = "Qwen3.6-2B-MLX-4bit"
size = "1.6GB"
kind = "llm"
[profiles.edge]
enable_thinking = false
max_context_window = 8192
[serve.extract-2b]
model = "edge-2b"
profile = "edge"
on = {on:?}
resident = true
"#
    )
}
