//! Flags of `inspect`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "\
Example:
  rnn-cli inspect shakespeare.safetensors";

/// Shows what is in a model's file: network, vocabulary, settings, and how training went.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct InspectArgs {
    /// The model's file; - reads it from standard input
    pub(crate) model: PathBuf,

    /// Writes one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
