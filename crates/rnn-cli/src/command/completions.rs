//! Completions for shells, from the same source as the help.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::console;

/// Runs `completions`.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rnn-cli", &mut script);
    let mut out = console::stdout();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
