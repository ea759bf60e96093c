//! libFuzzer on `marks`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::marks::run(input));
