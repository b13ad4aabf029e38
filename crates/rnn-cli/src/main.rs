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
mod ranks;
mod reading;
mod reports;
mod shell;
mod signals;
mod target;
mod terminal;
mod texts;
mod threads;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    signals::survive_file_limits();
    signals::fail_without_memory();
    if let Err(error) = rnn::memory::check_start() {
        return ExitCode::from(exit::code(Err(error.into())));
    }
    let world = match ranks::World::enter() {
        Ok(world) => world,
        Err(code) => return code,
    };
    match args::parse() {
        Ok(cli) => {
            let result = command::run(cli, &world);
            world.finish(result)
        }
        Err(error) => world.refuse(&error),
    }
}
