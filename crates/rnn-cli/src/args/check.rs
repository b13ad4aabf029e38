//! Flags of `check`.

use clap::Args;

use rnn::CellKind;

use super::value;

const EXAMPLE: &str = "\
Example:
  rnn-cli check --cell lstm --num-layers 2";

/// Check every gradient against finite differences.
///
/// In a small random network, each weight is moved a little up and down, and the change of the loss
/// is compared with the gradient from backpropagation. The exit code is 1 if any of them differs by
/// more than one in a million.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CheckArgs {
    /// Check only this cell
    #[arg(long, alias = "model", value_name = "CELL", value_parser = value::cell())]
    pub(crate) cell: Option<CellKind>,

    /// Number of layers
    #[arg(long, value_name = "N", default_value = "1",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) num_layers: usize,

    /// Dropout probability, with one fixed mask
    #[arg(long, value_name = "P", default_value = "0",
          value_parser = value::share, allow_negative_numbers = true)]
    pub(crate) dropout: f64,

    /// Seed of the sizes, weights and characters
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::whole,
          allow_negative_numbers = true)]
    pub(crate) seed: u64,
}
