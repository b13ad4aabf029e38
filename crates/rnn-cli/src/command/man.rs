//! Manual pages, from the same source as the help.

use std::io::Write;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Cli, ManArgs};
use crate::console;
use crate::exit::misuse;

/// Runs `man`.
pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let mut program = Cli::command();
    // Gives the commands their full names and the flags that all have.
    program.build();
    let command = match &args.name {
        None => &program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| {
            let names: Vec<&str> = program.get_subcommands().map(|c| c.get_name()).collect();
            misuse(format!(
                "there is no command {name:?}; use one of {}",
                names.join(", ")
            ))
        })?,
    };
    let mut out = console::stdout();
    let version = concat!("rnn-cli ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(version).render(&mut out)?;
    Ok(out.flush()?)
}
