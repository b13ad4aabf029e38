//! Flags of `sample`.

use std::path::PathBuf;

use clap::Args;

use super::{UnknownArg, value};

const EXAMPLE: &str = "\
Examples:
  rnn-cli sample shakespeare.safetensors --length 500 --temperature 0.8 --prime 'ROMEO:'
  rnn-cli sample names.safetensors --samples 20 --records         one name a line";

/// Writes text with a model.
///
/// The model reads the prime, draws a character from what it expects next, reads that in turn, and
/// so on. The same model, flags and seed give the same text.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct SampleArgs {
    /// The model's file; - reads it from standard input
    pub(crate) model: PathBuf,

    /// Characters to write after the prime (bytes, for a model of bytes)
    #[arg(short = 'n', long, value_name = "N", default_value = "500",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) length: usize,

    /// Below 1 plays safe, above 1 is bold; 0 always takes the likeliest character
    #[arg(short, long, visible_alias = "temp", value_name = "T", default_value = "1",
          value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) temperature: f64,

    /// Draws among the K likeliest characters only
    #[arg(long, value_name = "K", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) top_k: Option<usize>,

    /// Draws among the likeliest characters that together have probability P
    #[arg(long, value_name = "P", value_parser = value::probability, allow_negative_numbers = true)]
    pub(crate) top_p: Option<f64>,

    /// Always takes the likeliest character, as --temperature 0
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p"])]
    pub(crate) greedy: bool,

    /// Text to go on from; without it the model starts after a line's end, where it knows one
    #[arg(
        short,
        long,
        visible_alias = "prompt",
        alias = "primetext",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    pub(crate) prime: Option<String>,

    /// What to do with characters of the prime that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Writes lines, for a model that was trained with --records: each starts a line and ends with it
    #[arg(long, conflicts_with = "stop")]
    pub(crate) records: bool,

    /// Ends a sample before this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) stop: Option<String>,

    /// How many samples to write; each is what it would be without the others
    #[arg(long, value_name = "N", default_value = "1",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) samples: usize,

    /// Seed of the draws
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        value_parser = value::whole,
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,
}
