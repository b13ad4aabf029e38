//! `rnn-cli`: trains, samples and scores character-level recurrent networks.
//!
//! What is typed ([`args`]) goes to a command ([`command`]), which asks the library and writes to
//! the terminal; how it ended becomes one line and an exit code ([`exit`]).
#![forbid(unsafe_code)]

mod args;
mod command;
mod console;
mod exit;
mod file;
mod format;
mod live;
mod outputs;
mod plan;
mod progress;
mod reading;
mod reports;
mod shell;
mod signals;
mod target;
mod terminal;
mod texts;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    signals::survive_file_limits();
    signals::fail_without_memory();
    if let Err(error) = room() {
        return exit::finish(Err(error));
    }
    match args::parse() {
        Ok(cli) => exit::finish(command::run(cli)),
        Err(error) => exit::refuse(&error),
    }
}

/// Bytes that arguments, names and messages take at most, here and in other people's code, which does
/// not ask first.
const SMALL: usize = 4 << 20;

/// Whether there is room to say that there is no room for more.
fn room() -> anyhow::Result<()> {
    let mut room = Vec::<u8>::new();
    // Seen by nobody the request might be left out.
    if room.try_reserve_exact(SMALL).is_ok() && std::hint::black_box(room).is_empty() {
        return Ok(());
    }
    Err(rnn::Error::TooLarge {
        needed: SMALL as u128,
        available: rnn::memory::available(),
    }
    .into())
}
