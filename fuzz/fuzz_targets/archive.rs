//! libFuzzer on `archive`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::archive::run(input));
