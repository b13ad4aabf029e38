//! What can be typed: one file for each command's flags. Doc comments are the help texts.

mod check;
mod completions;
mod demo;
mod import;
mod inspect;
mod man;
mod sample;
mod score;
mod train;
mod value;
mod view;

use clap::{Parser, Subcommand};

pub(crate) use check::CheckArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use demo::DemoArgs;
pub(crate) use import::ImportArgs;
pub(crate) use inspect::InspectArgs;
pub(crate) use man::ManArgs;
pub(crate) use sample::SampleArgs;
pub(crate) use score::{ScoreArgs, UnknownArg};
pub(crate) use train::{LearnedUnknownArg, OptimizationArgs, RunArgs, TrainArgs};
pub(crate) use value::More;
pub(crate) use view::ViewArgs;

const EXAMPLE: &str = "\
Examples:
  rnn-cli                                   watch a small network learn to spell \"hello\"
  rnn-cli train shakespeare.txt             train on a text; saves shakespeare.safetensors
  rnn-cli sample shakespeare.safetensors    write text with the model";

/// Train, sample and score character-level recurrent networks.
#[derive(Debug, Parser)]
#[command(name = "rnn-cli", version, after_help = EXAMPLE)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Print results only: no progress, notes or hints
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Also print sizes, settings and threads
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// What to do; `demo` when nothing is typed. The help of each is the doc comment of its flags.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Train(Box<TrainArgs>),
    #[command(visible_alias = "generate")]
    Sample(SampleArgs),
    #[command(visible_alias = "eval")]
    Score(ScoreArgs),
    #[command(visible_alias = "info")]
    Inspect(InspectArgs),
    Import(ImportArgs),
    View(ViewArgs),
    Check(CheckArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// The command line, or why it is none; `--help` and `--version` count as such.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_contradiction_in_the_flags() {
        Cli::command().debug_assert();
    }

    /// What `args` mean, as far as it can be told without running them.
    fn meant(args: &str) -> String {
        format!("{:?}", Cli::try_parse_from(args.split(' ')).unwrap())
    }

    #[test]
    fn other_names_mean_the_same() {
        for (one, other) in [
            (
                "p train t --cell gru --hidden-size 9 --num-layers 3 --learning-rate 1 --max-steps 5",
                "p train t --model gru --hidden 9 --layers 3 --lr 1 --steps 5",
            ),
            (
                "p train t --hidden-size 9 --max-epochs 2 --unknown error",
                "p train t --rnn-size 9 --epochs 2 --unknown skip",
            ),
            (
                "p sample m --temperature 0.5 --prime a --length 7",
                "p generate m --temp 0.5 --prompt a -n 7",
            ),
            ("p sample m -t 0.5 -p a", "p sample m -t 0.5 --primetext a"),
            ("p check --cell lstm", "p check --model lstm"),
            ("p score m t", "p eval m t"),
            ("p inspect m", "p info m"),
        ] {
            assert_eq!(meant(one), meant(other));
        }
    }

    #[test]
    fn no_help_shows_the_old_name_of_a_flag() {
        for name in ["train", "check"] {
            let mut program = Cli::command();
            let command = program.find_subcommand_mut(name).expect("a command");
            let help = command.render_long_help().to_string();
            assert!(
                help.contains("--cell") && !help.contains("--model"),
                "{help}"
            );
        }
    }
}
