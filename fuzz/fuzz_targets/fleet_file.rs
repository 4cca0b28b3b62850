#![no_main]
//! The body, and what must hold, is `fleetctl::fuzzing::fleet_file`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fleetctl::fuzzing::fleet_file(bytes));
