//! fleet.toml → Fleet: parse with spans, defaults, checks (one file a rule family), JSON Schema. Knows no machine and no network.
