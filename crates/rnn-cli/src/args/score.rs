//! Flags of `score`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rnn::Unknown;

use super::value;

const EXAMPLE: &str = "\
Examples:
  rnn-cli score shakespeare.safetensors sonnets.txt
  rnn-cli score logs.safetensors today.log --per-line | head     the most surprising lines";

/// Measure how well a model predicts texts.
///
/// Prints the mean surprise in nats and bits per character, and the perplexity: the number of equally
/// likely characters that would be as hard to predict. The first character of a text is read, not
/// predicted; with --records every character of a line is predicted. With --adapt a second row shows
/// the same for a reader who learns from the text on the way.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ScoreArgs {
    /// Model file; - reads standard input
    pub(crate) model: PathBuf,

    /// Texts to score; - reads standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// What to do with characters that the model does not know
    #[arg(long, value_name = "HOW", value_enum, default_value = "error")]
    pub(crate) unknown: UnknownArg,

    /// Score each line as an independent example [default: as the model was trained]
    #[arg(long)]
    pub(crate) records: bool,

    /// Also score with a copy of the model that learns from what it has read, anew for each file;
    /// --per-line and --per-char then list its surprise
    #[arg(long)]
    pub(crate) adapt: bool,

    /// Read each text in many places at once, which all threads share; the figure is within 0.002 nats
    /// per character of the exact one
    #[arg(long, conflicts_with_all = ["adapt", "per_line", "per_char"])]
    pub(crate) fast: bool,

    /// List every line with its mean surprise, the most surprising first
    #[arg(long, conflicts_with = "per_char")]
    pub(crate) per_line: bool,

    /// List every character with its surprise
    #[arg(long)]
    pub(crate) per_char: bool,

    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Number of threads; does not change the result [default: one per processor]
    #[arg(long, value_name = "N", value_parser = value::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

/// What to do with unknown characters, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownArg {
    /// Stop at the first one with an error
    Error,
    /// Leave them out of the text
    Skip,
    /// Read U+FFFD instead, if the model knows it
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
