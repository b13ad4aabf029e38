//! Flags of `man`.

use clap::Args;

const EXAMPLE: &str = "\
Examples:
  rnn-cli man train | man -l -                      reads it
  rnn-cli man > ~/.local/share/man/man1/rnn-cli.1   keeps the page of the program itself";

/// Writes the manual of a command as a page for man.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ManArgs {
    /// The command [default: the program itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) name: Option<String>,
}
