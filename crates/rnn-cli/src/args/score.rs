//! Flags of `score`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rnn::Unknown;

use super::value;

const EXAMPLE: &str = "\
Examples:
  rnn-cli score shakespeare.safetensors sonnets.txt
  rnn-cli score logs.safetensors today.log --per-line | head     the strangest lines";

/// Measures how well a model predicts texts.
///
/// Reports the mean surprise in nats and bits per character, and the perplexity: how many equally
/// likely characters the model might as well have been choosing from. The first character of a
/// text is read, not predicted; of lines that are scored each for itself all are predicted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ScoreArgs {
    /// The model's file
    pub(crate) model: PathBuf,

    /// Texts; - reads standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// What to do with characters that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Scores each line for itself, as is done without this for a model that was trained with --records
    #[arg(long)]
    pub(crate) records: bool,

    /// Lists every line with its mean surprise, the strangest first
    #[arg(long, conflicts_with = "per_char")]
    pub(crate) per_line: bool,

    /// Lists every character with its surprise
    #[arg(long)]
    pub(crate) per_char: bool,

    /// Writes JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Threads; any number gives the same bits, more than one helps networks of 512 units and more
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::threads,
          allow_negative_numbers = true)]
    pub(crate) threads: usize,
}

/// What to do with unknown characters, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownArg {
    /// Refuse the text, naming the first
    Error,
    /// Leave them out
    Skip,
    /// Read U+FFFD in their place, where the model knows it
    Replace,
}

impl From<UnknownArg> for Unknown {
    fn from(unknown: UnknownArg) -> Self {
        match unknown {
            UnknownArg::Error => Unknown::Error,
            UnknownArg::Skip => Unknown::Skip,
            UnknownArg::Replace => Unknown::Replace,
        }
    }
}
