//! Flags of `man`.

use clap::Args;

const EXAMPLE: &str = "\
Examples:
  rnn-cli man train | man -l -                      read it
  rnn-cli man > ~/.local/share/man/man1/rnn-cli.1   install the page of the program";

/// Print the manual page of a command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ManArgs {
    /// Command to describe [default: the program itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) name: Option<String>,
}
