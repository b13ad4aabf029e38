//! Flags of `completions`.

use clap::Args;
use clap_complete::Shell;

const EXAMPLE: &str = "\
Example:
  rnn-cli completions bash > ~/.local/share/bash-completion/completions/rnn-cli";

/// Print a script that completes commands and flags in a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
