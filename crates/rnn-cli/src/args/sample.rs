//! Flags of `sample`.

use std::path::PathBuf;

use clap::Args;

use super::{UnknownArg, value};

const EXAMPLE: &str = "\
Examples:
  rnn-cli sample shakespeare.safetensors --length 500 --temperature 0.8 --prime 'ROMEO:'
  rnn-cli sample names.safetensors --samples 20                   a model of lines writes lines";

/// Write text with a model.
///
/// The model reads the prime, draws the next character from its predicted probabilities, reads that
/// character in turn, and so on. The same model, flags and seed give the same text.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct SampleArgs {
    /// Model file; - reads standard input
    pub(crate) model: PathBuf,

    /// Number of characters to write after the prime (bytes for a model of bytes)
    #[arg(short = 'n', long, value_name = "N", default_value = "500",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) length: usize,

    /// Sampling temperature: below 1 is more cautious, above 1 more varied, 0 picks the likeliest
    #[arg(short, long, visible_alias = "temp", value_name = "T", default_value = "1",
          value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) temperature: f64,

    /// Draw from the K likeliest characters only
    #[arg(long, value_name = "K", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) top_k: Option<usize>,

    /// Draw from the likeliest characters that together have probability P
    #[arg(long, value_name = "P", value_parser = value::probability, allow_negative_numbers = true)]
    pub(crate) top_p: Option<f64>,

    /// Always pick the likeliest character (the same as --temperature 0)
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p"])]
    pub(crate) greedy: bool,

    /// Text to continue [default: start as after a newline, if the model knows one]
    #[arg(
        short,
        long,
        visible_alias = "prompt",
        alias = "primetext",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    pub(crate) prime: Option<String>,

    /// What to do with characters in the prime that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Write each sample as an independent line [default: as the model was trained]
    #[arg(long)]
    pub(crate) records: bool,

    /// End a sample before this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) stop: Option<String>,

    /// Number of samples to write; each is the same as without the others [default: 1, or 10 lines]
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) samples: Option<usize>,

    /// Seed of the random draws
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::whole,
          allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Number of threads; does not change the samples [default: one per processor]
    #[arg(long, value_name = "N", value_parser = value::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}
