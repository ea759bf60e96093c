//! libFuzzer on `manifest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::manifest::run(input));
