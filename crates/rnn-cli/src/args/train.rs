//! Flags of `train`, named as in PyTorch or char-rnn.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rnn::optimizer::{OptimizerConfig, Schedule};

use rnn::CellKind;

use super::value::{self, More};

const EXAMPLE: &str = "\
Examples:
  rnn-cli train shakespeare.txt                      saves shakespeare.safetensors
  rnn-cli train names.txt -o names.safetensors --cell gru --hidden-size 128 --time 3m
  rnn-cli train shakespeare.txt --resume shakespeare.safetensors
                                                     continue after Ctrl-C, a crash or a power cut
  rnn-cli train shakespeare.txt --resume shakespeare.safetensors --more 5m
                                                     train a finished model for longer
  cat *.txt | rnn-cli train - -o all.safetensors --max-epochs 5 --sample-every 500";

/// Train a model on a text and save it.
///
/// Settings that are not given are fitted to the text, its length and how predictable it is, and to
/// --time. The model is saved whenever it predicts the held-out part of the text better than before, so
/// it can be used while training continues. The same text, flags and seed give the same file, byte for
/// byte, on any number of threads; a run with --time prints the flags that do.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct TrainArgs {
    /// Texts to train on: files, folders (all files in them, sorted by path) or - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// File to save the model to; - writes standard output [default: the text's name with .safetensors]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: Option<PathBuf>,

    /// Continue the interrupted run of MODEL on the same text; the result is the same as if it had
    /// never stopped
    #[arg(long, value_name = "MODEL", conflicts_with = "output")]
    pub(crate) resume: Option<PathBuf>,

    /// Train the run of --resume, which has ended, for this much longer: a time or a number of steps. The
    /// learning rate rises and decays once more
    #[arg(long, value_name = "TIME|STEPS", value_parser = value::more, requires = "resume",
          conflicts_with_all = ["time", "max_steps", "max_epochs"], allow_hyphen_values = true)]
    pub(crate) more: Option<More>,

    /// Start with the network and weights of MODEL, which are the result if no step improves on them; characters
    /// that it does not know are added
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["resume", "orthogonal", "forget_bias"])]
    pub(crate) init_from: Option<PathBuf>,

    /// Overwrite MODEL if it exists
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Read bytes instead of characters, for binary files and mixed encodings
    #[arg(long)]
    pub(crate) bytes: bool,

    /// Treat each line as an independent example (names, log lines); shuffle lines every epoch
    #[arg(long)]
    pub(crate) records: bool,

    /// What sample and score can do with characters that are not in the text
    #[arg(long, value_name = "HOW", value_enum, conflicts_with = "bytes")]
    pub(crate) unknown: Option<LearnedUnknownArg>,

    /// Print sizes, memory, expected time, and what other times would choose, without training
    #[arg(long, conflicts_with = "resume")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    #[command(flatten)]
    pub(crate) optimization: OptimizationArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What kind of network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Recurrent cell
    #[arg(long, alias = "model", value_name = "CELL", value_parser = value::cell())]
    pub(crate) cell: Option<CellKind>,

    /// Number of hidden units per layer
    #[arg(long, visible_alias = "hidden", alias = "rnn-size", value_name = "N",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) hidden_size: Option<usize>,

    /// Number of layers
    #[arg(long, visible_alias = "layers", value_name = "N",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) num_layers: Option<usize>,

    /// Dropout probability
    #[arg(long, value_name = "P", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) dropout: Option<f64>,

    /// Drop the same units throughout a window (true) or draw new ones at each character (false)
    #[arg(long, value_name = "true|false", hide_possible_values = true, action = clap::ArgAction::Set)]
    pub(crate) locked_dropout: Option<bool>,

    /// Probability that a recurrent weight is dropped in a step (DropConnect)
    #[arg(long, value_name = "P", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) weight_dropout: Option<f64>,

    /// Initial bias of the LSTM's forget gate; 1 keeps its memory at first
    #[arg(long, value_name = "X", value_parser = value::finite, allow_negative_numbers = true)]
    pub(crate) forget_bias: Option<f64>,

    /// Initialise recurrent weights as orthogonal matrices
    #[arg(long)]
    pub(crate) orthogonal: bool,
}

/// How the weights are found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Optimisation")]
pub(crate) struct OptimizationArgs {
    /// Number of characters to backpropagate through
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) seq_length: Option<usize>,

    /// Limit each gradient to this many steps back, fewer than --seq-length
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) horizon: Option<usize>,

    /// Number of sequences per step
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) batch_size: Option<usize>,

    /// Number of equal parts of the batch whose gradients are summed apart, a power of two; up to as many
    /// processes can share the work (mpirun -n N rnn-cli train ...) [default: 1]
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) shards: Option<usize>,

    /// Learning rate [default: depends on the optimiser and the size of the network]
    #[arg(long, visible_alias = "lr", value_name = "RATE",
          value_parser = value::positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,

    /// Optimiser
    #[arg(long, value_name = "NAME", value_parser = value::optimizer())]
    pub(crate) optimizer: Option<OptimizerConfig>,

    #[arg(long, help = setting("Momentum", "momentum"), value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) momentum: Option<f64>,

    /// Use Nesterov momentum for sgd
    #[arg(long, requires = "momentum")]
    pub(crate) nesterov: bool,

    /// Smoothing constant for rmsprop (decay_rate in char-rnn)
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) alpha: Option<f64>,

    #[arg(long, help = setting("Weight decay", "weight decay"), value_name = "X", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) weight_decay: Option<f64>,

    /// Learning rate schedule
    #[arg(long, value_name = "NAME", value_parser = value::schedule())]
    pub(crate) schedule: Option<Schedule>,

    /// Number of steps of linear warmup for warmup-decay and cosine
    #[arg(long, value_name = "STEPS", value_parser = value::whole, allow_negative_numbers = true)]
    pub(crate) warmup_steps: Option<u64>,

    /// Factor of the learning rate per epoch for exponential [default: 0.97]
    #[arg(long, value_name = "X", value_parser = value::probability, allow_negative_numbers = true)]
    pub(crate) learning_rate_decay: Option<f64>,

    /// Number of epochs before exponential decay begins [default: 10]
    #[arg(long, value_name = "EPOCHS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) learning_rate_decay_after: Option<u64>,

    /// Clip the gradient norm to this value; 0 disables clipping
    #[arg(long, value_name = "NORM", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) clip: Option<f64>,

    /// Clip each element of the gradient to this size instead
    #[arg(long, value_name = "SIZE", value_parser = value::positive, conflicts_with = "clip", allow_negative_numbers = true)]
    pub(crate) clip_value: Option<f64>,

    /// Seed of the initial weights, dropout and shuffling
    #[arg(long, value_name = "N", value_parser = value::whole, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
}

/// How long, how watched.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Stop after N passes over the text
    #[arg(long, visible_alias = "epochs", value_name = "N", value_parser = value::count::<u64>,
          allow_negative_numbers = true, conflicts_with_all = ["max_steps", "time"])]
    pub(crate) max_epochs: Option<u64>,

    /// Stop after N steps (updates of the weights)
    #[arg(long, visible_alias = "steps", value_name = "N", value_parser = value::count::<u64>,
          allow_negative_numbers = true, conflicts_with = "time")]
    pub(crate) max_steps: Option<u64>,

    /// Choose network and settings for about this much time, such as 90s, 3m or 1h30m, and stop then
    #[arg(long, value_name = "TIME", value_parser = value::duration, allow_hyphen_values = true)]
    pub(crate) time: Option<Duration>,

    /// Shares of the text for training, validation and a test at the end
    /// [default: 0.9,0.1, but at most 1 million characters for validation]
    #[arg(long, value_name = "SHARES", value_delimiter = ',', value_parser = value::number,
          allow_hyphen_values = true)]
    pub(crate) split: Option<Vec<f64>>,

    /// Evaluate on the validation text every STEPS steps
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) eval_every: Option<u64>,

    /// Let the learning rate decay, then stop, after N evaluations in a row without improvement; 0
    /// disables this [default: 6]
    #[arg(long, value_name = "N", value_parser = value::whole, allow_negative_numbers = true)]
    pub(crate) patience: Option<u64>,

    /// Print a sample of 200 characters every STEPS steps
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) sample_every: Option<u64>,

    /// Show curves, speed and samples on the whole terminal while training
    #[arg(long)]
    pub(crate) live: bool,

    /// Append the losses of each evaluation to a file, one JSON object per line
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) metrics: Option<PathBuf>,

    /// Plot the losses in a file at each evaluation
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,

    /// Save what --resume needs every STEPS steps as well as at each improvement
    /// [default: every minute]
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) checkpoint_every: Option<u64>,

    /// Number of threads; does not change the model [default: one per processor]
    #[arg(long, value_name = "N", value_parser = value::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

/// What a model can be prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LearnedUnknownArg {
    /// Report an error or leave them out
    #[value(alias = "skip")]
    Error,
    /// Also read U+FFFD instead, which the vocabulary then includes
    Replace,
}

/// The help of a setting, with the optimisers that have it.
fn setting(what: &str, name: &str) -> String {
    let has = |optimizer: &OptimizerConfig| optimizer.clone().setting(name).is_some();
    let those = OptimizerConfig::ALL
        .iter()
        .filter(|optimizer| has(optimizer));
    let names: Vec<&str> = those.map(OptimizerConfig::name).collect();
    format!("{what} for {}", names.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_defaults_in_the_help_are_those_of_the_library() {
        let program = Cli::command();
        let train = program.find_subcommand("train").unwrap();
        let told = |flag: &str| {
            let mut flags = train.get_arguments();
            let flag = flags.find(|known| known.get_id() == flag).unwrap();
            flag.get_help().unwrap().to_string()
        };
        let Ok(Schedule::Exponential {
            after_epoch,
            factor,
        }) = "exponential".parse()
        else {
            panic!("exponential decay");
        };
        let default = format!("[default: {factor}]");
        assert!(told("learning_rate_decay").ends_with(&default), "{default}");
        let default = format!("[default: {after_epoch}]");
        assert!(
            told("learning_rate_decay_after").ends_with(&default),
            "{default}"
        );
        assert_eq!(told("momentum"), "Momentum for sgd");
    }
}
