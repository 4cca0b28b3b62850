#![no_main]
//! The body, and what must hold, is `fleetctl::fuzzing::omlx_json`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fleetctl::fuzzing::omlx_json(bytes));
