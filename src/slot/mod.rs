//! The resolver: Fleet × snapshot × time → (model, profile, machine); simulate; the gateway's configuration. Pure.
