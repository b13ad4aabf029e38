//! Command lines, one argument a line: parsed, or refused in words.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the command line's own module, of which a part is used"
)]

#[path = "../../../rnn-cli/src/args/mod.rs"]
mod args;

use clap::Parser;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    match args::Cli::try_parse_from(std::iter::once("rnn-cli").chain(text.split('\n'))) {
        Ok(cli) => assert!(!format!("{cli:?}").is_empty()),
        Err(error) => assert!(!error.render().to_string().is_empty()),
    }
});
