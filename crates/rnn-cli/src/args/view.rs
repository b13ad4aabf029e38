//! Flags of `view`.

use std::path::PathBuf;

use clap::Args;

use super::score::UnknownArg;
use super::value;

const EXAMPLE: &str = "\
Examples:
  rnn-cli view shakespeare.safetensors scene.txt              writes shakespeare.html
  rnn-cli view shakespeare.safetensors scene.txt -o look.html --max-size 10
  rnn-cli view shakespeare.safetensors scene.txt --json | jq .memory";

/// Shows what a model has learned, as one page for the browser.
///
/// The page holds the losses of training, the text coloured by surprise and by the activation of
/// any unit, the units that follow quotes, lines or capitals, how far back the model remembers, a
/// map of the characters, and the model itself to write with, its weights in as many digits as fit.
/// It needs no other file and no network.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ViewArgs {
    /// The model's file
    pub(crate) model: PathBuf,

    /// The text to read; - reads standard input
    pub(crate) text: PathBuf,

    /// Where the page goes; - writes standard output [default: the model's name with .html]
    #[arg(short, long, value_name = "PAGE")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrites PAGE if it exists
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Reads this much of the text
    #[arg(short = 'n', long, value_name = "N", default_value = "5000",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) characters: usize,

    /// Size of the page that the model and its activations have to fit in, in megabytes [default: 2.98, and 0.298
    /// for each 1,000 characters beyond 10,000]
    #[arg(long, value_name = "MB", value_parser = value::positive, allow_negative_numbers = true)]
    pub(crate) max_size: Option<f64>,

    /// What to do with characters that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Writes the numbers instead, to standard output: one object with all but the activations, then
    /// one for each signal of each unit
    #[arg(long, conflicts_with_all = ["output", "force", "max_size"])]
    pub(crate) json: bool,
}
