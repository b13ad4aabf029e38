//! Flags of `inspect`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "\
Example:
  rnn-cli inspect shakespeare.safetensors";

/// Show what is in a model file: network, vocabulary, settings and training losses.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct InspectArgs {
    /// Model file; - reads standard input
    pub(crate) model: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
