//! The bytes of a text, whole and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rnn_fuzz::text(data));
