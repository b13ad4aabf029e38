//! Options of sampling, and what is drawn with them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rnn_fuzz::sampling(data));
