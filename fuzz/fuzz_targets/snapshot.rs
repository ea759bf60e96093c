//! libFuzzer on `snapshot`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::snapshot::run(input));
