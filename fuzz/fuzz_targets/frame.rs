//! libFuzzer on `frame`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::frame::run(input));
