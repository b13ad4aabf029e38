//! Flags of `check`.

use clap::Args;

use super::{CellArg, value};

const EXAMPLE: &str = "\
Example:
  rnn-cli check --model lstm --num-layers 2";

/// Checks every gradient against differences: the proof that the calculus is right.
///
/// A small random network is trained on nothing; instead each of its weights is moved a little up
/// and down, and the change of the loss is held against the gradient that back-propagation
/// computes. Ends with exit code 1 if any differs by more than one in a million.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CheckArgs {
    /// Checks this cell only
    #[arg(long, value_name = "CELL", value_enum)]
    pub(crate) model: Option<CellArg>,

    /// Layers of the network
    #[arg(long, value_name = "N", default_value = "1",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) num_layers: usize,

    /// Dropout, with one fixed mask
    #[arg(long, value_name = "P", default_value = "0",
          value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) dropout: f64,

    /// Draws sizes, weights and characters
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        value_parser = value::whole,
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,
}
