//! What can be typed: one file for each command's flags. Doc comments are the help texts.

mod check;
mod completions;
mod demo;
mod import;
mod inspect;
mod sample;
mod score;
mod train;
mod value;
mod view;

use clap::{Parser, Subcommand, ValueEnum};
use rnn::CellKind;

pub(crate) use check::CheckArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use demo::DemoArgs;
pub(crate) use import::ImportArgs;
pub(crate) use inspect::InspectArgs;
pub(crate) use sample::SampleArgs;
pub(crate) use score::{ScoreArgs, UnknownArg};
pub(crate) use train::{
    LearnedUnknownArg, NetworkArgs, OptimizationArgs, OptimizerArg, RunArgs, ScheduleArg, TrainArgs,
};
pub(crate) use view::ViewArgs;

const EXAMPLE: &str = "\
Example:
  rnn-cli                                   watch a tiny network learn to spell \"hello\"
  rnn-cli train shakespeare.txt             learn a text; the model goes to shakespeare.safetensors
  rnn-cli sample shakespeare.safetensors    let the model write";

/// Trains, samples and scores character-level recurrent networks.
#[derive(Debug, Parser)]
#[command(name = "rnn-cli", version, after_help = EXAMPLE)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Says less: no progress, no notes, no hints
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Says more: sizes, settings and threads
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// What to do; `demo` when nothing is typed.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Learns to spell a word, as in the notebook, and shows every epoch
    Demo(DemoArgs),
    /// Learns a text and saves the model
    Train(Box<TrainArgs>),
    /// Writes text with a model
    #[command(alias = "generate")]
    Sample(SampleArgs),
    /// Measures how well a model predicts texts
    #[command(alias = "eval")]
    Score(ScoreArgs),
    /// Shows what is in a model's file
    #[command(alias = "info")]
    Inspect(InspectArgs),
    /// Makes a model of a network that PyTorch trained
    Import(ImportArgs),
    /// Shows what a model has learned, as a page for the browser
    View(ViewArgs),
    /// Checks every gradient against differences: the proof that the calculus is right
    Check(CheckArgs),
    /// Writes a script that completes commands and flags in a shell
    Completions(CompletionsArgs),
}

/// The command line, or why it is none; `--help` and `--version` count as such.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse()
}

/// The names of the cells on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CellArg {
    /// Elman's network with tanh
    Rnn,
    /// Elman's network with a rectifier
    #[value(alias = "rnn_relu")]
    RnnRelu,
    /// Long short-term memory
    Lstm,
    /// Gated recurrent unit
    Gru,
}

impl From<CellArg> for CellKind {
    fn from(cell: CellArg) -> Self {
        match cell {
            CellArg::Rnn => CellKind::Rnn,
            CellArg::RnnRelu => CellKind::RnnRelu,
            CellArg::Lstm => CellKind::Lstm,
            CellArg::Gru => CellKind::Gru,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_contradiction_in_the_flags() {
        Cli::command().debug_assert();
    }
}
