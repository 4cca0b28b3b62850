//! Fleet → Bundle per machine: plists, JSON, links, scripts. Same input, same bytes; never sees a secret.
