//! The bytes of a model's file, or of what a run goes on from.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rnn_fuzz::model(data));
