//! Flags of `import`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "\
Example:
  rnn-cli import pytorch.safetensors --vocabulary letters.txt -o model.safetensors";

/// Convert a network trained in PyTorch into a model.
///
/// The file contains the state dict of an nn.RNN, nn.LSTM or nn.GRU and an nn.Linear, with an
/// nn.Embedding or without, saved with safetensors. The cell and all sizes follow from the shapes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ImportArgs {
    /// State dict in a safetensors file; - reads standard input
    pub(crate) file: PathBuf,

    /// File with the characters of the network in the order of their numbers: a text, one a line, or
    /// JSON (a list, stoi, itos) [default: the entry "vocabulary" of the file's metadata]
    #[arg(long, value_name = "FILE")]
    pub(crate) vocabulary: Option<PathBuf>,

    /// Import an nn.RNN with nonlinearity="relu", which its file does not say
    #[arg(long)]
    pub(crate) relu: bool,

    /// File to save the model to; - writes standard output
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: PathBuf,

    /// Overwrite MODEL if it exists
    #[arg(short, long)]
    pub(crate) force: bool,
}
