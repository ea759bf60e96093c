//! libFuzzer on `exported`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::exported::run(input));
