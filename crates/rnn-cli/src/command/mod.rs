//! One file for each command: it calls the library and prints the result.

mod check;
mod completions;
mod demo;
mod import;
mod inspect;
mod man;
mod sample;
mod score;
mod train;
mod view;

use crate::args::{Cli, Command, DemoArgs};
use crate::console::Console;
use crate::exit::misuse;
use crate::ranks::World;

/// Runs a command, as one of the ranks of `world`.
pub(crate) fn run(cli: Cli, world: &World) -> anyhow::Result<()> {
    let console = Console {
        quiet: cli.quiet,
        verbose: cli.verbose,
    };
    // Before any work: a wrong name in TENSOR_ISA is a misuse.
    rnn::Isa::try_active().map_err(misuse)?;
    let command = cli
        .command
        .unwrap_or_else(|| Command::Demo(DemoArgs::default()));
    if world.count() > 1 && !matches!(command, Command::Train(_)) {
        let ranks = world.count();
        return Err(misuse(format!(
            "only train has use for several ranks, and was started as {ranks}; start this command alone"
        )));
    }
    match command {
        Command::Demo(args) => demo::run(&args, console),
        Command::Train(args) => train::run(*args, console, world),
        Command::Sample(args) => sample::run(&args, console),
        Command::Score(args) => score::run(&args, console),
        Command::Inspect(args) => inspect::run(&args),
        Command::Import(args) => import::run(&args, console),
        Command::View(args) => view::run(&args, console),
        Command::Check(args) => check::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
