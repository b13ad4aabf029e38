//! Flags of `train`, named as in PyTorch or char-rnn.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{CellArg, value};

const EXAMPLE: &str = "\
Examples:
  rnn-cli train shakespeare.txt                      the defaults; saves shakespeare.safetensors
  rnn-cli train names.txt -o names.safetensors --model gru --hidden-size 128 --time 3m
  rnn-cli train shakespeare.txt --resume shakespeare.safetensors
                                                     goes on after Ctrl-C, a crash, a power cut
  cat *.txt | rnn-cli train - -o all.safetensors --max-epochs 5 --sample-every 500";

/// Learns a text and saves the model.
///
/// What is not set is chosen by the length of the text. The model is saved whenever it predicts the
/// held-out part of the text better than before, so it can be used while training goes on. The
/// same text, flags and seed give the same file, byte for byte, on any number of threads.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct TrainArgs {
    /// The text: files, folders (the files in them, sorted by path), - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Where the model goes; - writes standard output [default: the text's name with .safetensors]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: Option<PathBuf>,

    /// Goes on with the run that MODEL comes from, on the same text: to the same bits as if it had
    /// never stopped
    #[arg(long, value_name = "MODEL", conflicts_with = "output")]
    pub(crate) resume: Option<PathBuf>,

    /// Begins with the weights of MODEL, whose network it keeps; characters that MODEL does not know are
    /// added
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["resume", "orthogonal", "forget_bias"])]
    pub(crate) init_from: Option<PathBuf>,

    /// Overwrites MODEL if it exists
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Reads bytes, not characters: for binary files and mixed encodings
    #[arg(long)]
    pub(crate) bytes: bool,

    /// Learns each line for itself, such as names: no line tells of the next, and their order, drawn
    /// anew for each epoch, means nothing
    #[arg(long)]
    pub(crate) records: bool,

    /// What sample and score may do with characters that the text does not have
    #[arg(long, value_name = "HOW", value_enum, conflicts_with = "bytes")]
    pub(crate) unknown: Option<LearnedUnknownArg>,

    /// Tells sizes, memory and expected time, and writes no file
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
    /// The recurrent cell
    #[arg(long, visible_alias = "cell", value_name = "CELL", value_enum)]
    pub(crate) model: Option<CellArg>,

    /// Hidden units of each layer
    #[arg(long, visible_alias = "hidden", alias = "rnn-size", value_name = "N",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) hidden_size: Option<usize>,

    /// Layers
    #[arg(long, visible_alias = "layers", value_name = "N",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) num_layers: Option<usize>,

    /// Share of the units dropped at random in training
    #[arg(long, value_name = "P", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) dropout: Option<f64>,

    /// What an LSTM's forget gate's bias starts with; 1 keeps its memory open at first
    #[arg(long, value_name = "X", value_parser = value::finite, allow_negative_numbers = true)]
    pub(crate) forget_bias: Option<f64>,

    /// Starts with orthogonal recurrent weights
    #[arg(long)]
    pub(crate) orthogonal: bool,
}

/// How the weights are found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Optimisation")]
pub(crate) struct OptimizationArgs {
    /// Steps that a window of text has: how far gradients flow back
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) seq_length: Option<usize>,

    /// Steps that a gradient flows back, where that is less than the window
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) horizon: Option<usize>,

    /// Windows side by side in one step
    #[arg(long, value_name = "N", value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) batch_size: Option<usize>,

    /// How far each step goes [default: fits the optimiser]
    #[arg(long, visible_alias = "lr", value_name = "RATE",
          value_parser = value::positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,

    /// The update rule
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) optimizer: Option<OptimizerArg>,

    /// Share of its last direction that sgd keeps
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) momentum: Option<f64>,

    /// Nesterov's form of momentum, for sgd
    #[arg(long, requires = "momentum")]
    pub(crate) nesterov: bool,

    /// Share of the mean square that rmsprop keeps (char-rnn's decay_rate)
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) alpha: Option<f64>,

    /// What adamw takes off the weights
    #[arg(long, value_name = "X", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) weight_decay: Option<f64>,

    /// How the learning rate changes
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) schedule: Option<ScheduleArg>,

    /// Steps until warmup-decay and cosine reach the full rate
    #[arg(long, value_name = "STEPS", value_parser = value::whole, allow_negative_numbers = true)]
    pub(crate) warmup_steps: Option<u64>,

    /// What exponential multiplies the rate by after each epoch [default: 0.97]
    #[arg(long, value_name = "X", value_parser = value::probability, allow_negative_numbers = true)]
    pub(crate) learning_rate_decay: Option<f64>,

    /// Epochs after which exponential begins [default: 10]
    #[arg(long, value_name = "EPOCHS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) learning_rate_decay_after: Option<u64>,

    /// Scales gradients down to this norm; 0 lets them be
    #[arg(long, value_name = "NORM", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub(crate) clip: Option<f64>,

    /// Limits each gradient to this size instead
    #[arg(long, value_name = "SIZE", value_parser = value::positive, conflicts_with = "clip", allow_negative_numbers = true)]
    pub(crate) clip_value: Option<f64>,

    /// Seed of the weights at the start and of dropout
    #[arg(long, value_name = "N", value_parser = value::whole, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
}

/// How long, how watched.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Ends after so many passes over the text
    #[arg(long, visible_alias = "epochs", value_name = "N", value_parser = value::count::<u64>,
          allow_negative_numbers = true, conflicts_with_all = ["max_steps", "time"])]
    pub(crate) max_epochs: Option<u64>,

    /// Ends after so many updates
    #[arg(long, visible_alias = "steps", value_name = "N", value_parser = value::count::<u64>,
          allow_negative_numbers = true, conflicts_with = "time")]
    pub(crate) max_steps: Option<u64>,

    /// Ends after about this time, such as 90s, 3m or 1h30m
    #[arg(long, value_name = "TIME", value_parser = value::duration, allow_hyphen_values = true)]
    pub(crate) time: Option<Duration>,

    /// Shares of the text: to learn from, to choose the best model by, never to be seen
    /// [default: 0.9,0.1; of more than 10 million characters the last million is held out]
    #[arg(
        long,
        value_name = "SHARES",
        value_delimiter = ',',
        value_parser = value::number,
        allow_hyphen_values = true
    )]
    pub(crate) split: Option<Vec<f64>>,

    /// Evaluates after every so many steps
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) eval_every: Option<u64>,

    /// Ends after so many evaluations in a row without improvement
    #[arg(long, value_name = "N", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) patience: Option<u64>,

    /// Prints 200 characters of what the model writes by now after every so many steps
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) sample_every: Option<u64>,

    /// Shows curves, speed and samples on the whole terminal while it trains; lines elsewhere
    #[arg(long)]
    pub(crate) live: bool,

    /// Appends the losses of each evaluation to a file, a JSON object a line
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) metrics: Option<PathBuf>,

    /// Draws the losses into a file at each evaluation
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,

    /// Notes where training stands after every so many steps, beside each improvement
    /// [default: every minute]
    #[arg(long, value_name = "STEPS", value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) checkpoint_every: Option<u64>,

    /// Threads; any number gives the same model [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = value::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

/// What a model can be prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LearnedUnknownArg {
    /// Refuse them or leave them out
    #[value(alias = "skip")]
    Error,
    /// Read U+FFFD in their place as well, which is reserved for them
    Replace,
}

/// The names of the optimisers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerArg {
    /// Stochastic gradient descent
    Sgd,
    /// Adagrad
    Adagrad,
    /// RMSprop
    Rmsprop,
    /// Adam
    Adam,
    /// Adam with weight decay of its own
    Adamw,
}

/// The names of the schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleArg {
    /// The same rate throughout
    Constant,
    /// Up at the start, constant, down over the last quarter
    WarmupDecay,
    /// A little less after each epoch, as in char-rnn
    Exponential,
    /// Up at the start, then down along a cosine
    Cosine,
    /// Less whenever the validation loss stops falling
    Plateau,
}
