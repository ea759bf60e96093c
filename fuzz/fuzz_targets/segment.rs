//! libFuzzer on `segment`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::segment::run(input));
