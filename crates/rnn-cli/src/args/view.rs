//! Flags of `view`.

use std::path::PathBuf;

use clap::Args;

use super::score::UnknownArg;
use super::value;

const EXAMPLE: &str = "\
Examples:
  rnn-cli view shakespeare.safetensors scene.txt              saves shakespeare.html
  rnn-cli view shakespeare.safetensors scene.txt -o look.html -n 20000
  rnn-cli view shakespeare.safetensors scene.txt --json | jq .memory";

/// Show what a model learned, as one HTML page.
///
/// The page shows the training losses, the text coloured by surprise and by the activation of any
/// unit, the units that follow quotes, lines or capitals, how far back the model remembers, and a map
/// of the characters. It contains the model, to write with. It needs no other file and no network
/// connection.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ViewArgs {
    /// Model file; - reads standard input
    pub(crate) model: PathBuf,

    /// Text to show; - reads standard input
    pub(crate) text: PathBuf,

    /// File to save the page to; - writes standard output [default: the model's name with .html]
    #[arg(short, long, value_name = "PAGE")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite PAGE if it exists
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Number of characters of the text to show
    #[arg(short = 'n', long, value_name = "N", default_value = "5000",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) characters: usize,

    /// Read each line as an independent example [default: as the model was trained]
    #[arg(long)]
    pub(crate) records: bool,

    /// What to do with characters that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Print the numbers as JSON instead: one object with everything but the activations, then one
    /// for each signal of each unit
    #[arg(long, conflicts_with_all = ["output", "force"])]
    pub(crate) json: bool,
}
