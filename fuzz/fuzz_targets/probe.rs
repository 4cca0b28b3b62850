#![no_main]
//! The body, and what must hold, is `fleetctl::fuzzing::probe`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fleetctl::fuzzing::probe(bytes));
