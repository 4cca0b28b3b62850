#![no_main]
//! The body, and what must hold, is `fleetctl::fuzzing::printed`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fleetctl::fuzzing::printed(bytes));
