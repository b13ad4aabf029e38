//! Flags of `import`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "\
Example:
  rnn-cli import pytorch.safetensors --vocabulary letters.txt -o model.safetensors";

/// Makes a model of a network that PyTorch trained.
///
/// The file holds the state dict of one nn.RNN, nn.LSTM or nn.GRU and one nn.Linear, as safetensors
/// saves it. The cell and all sizes follow from its shapes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ImportArgs {
    /// The state dict; - reads it from standard input
    pub(crate) file: PathBuf,

    /// A text of nothing but the network's characters, in the order of their numbers [default: the
    /// file's metadata, under vocabulary]
    #[arg(long, value_name = "FILE")]
    pub(crate) vocabulary: Option<PathBuf>,

    /// An nn.RNN has nonlinearity=\"relu\", which its file does not tell
    #[arg(long)]
    pub(crate) relu: bool,

    /// Where the model goes; - writes standard output
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: PathBuf,

    /// Overwrites MODEL if it exists
    #[arg(short, long)]
    pub(crate) force: bool,
}
