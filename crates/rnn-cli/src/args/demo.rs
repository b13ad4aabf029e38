//! Flags of `demo`.

use clap::Args;

use super::value;

const EXAMPLE: &str = "\
Example:
  rnn-cli demo --text abracadabra --hidden 16 --epochs 300";

/// Learn to spell a word, as in the notebook, and print the loss of every epoch.
///
/// A network of a few hidden units reads the letters of the word and learns to predict the next one.
/// Each epoch is one pass over the word and one update of the weights. At the end the network spells
/// the word from its first letter.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct DemoArgs {
    /// Word to learn
    #[arg(long, value_name = "WORD", default_value = "hello")]
    pub(crate) text: String,

    /// Number of hidden units
    #[arg(long, visible_alias = "hidden-size", value_name = "N", default_value = "8",
          value_parser = value::count::<usize>, allow_negative_numbers = true)]
    pub(crate) hidden: usize,

    /// Number of passes over the word
    #[arg(long, visible_alias = "max-epochs", value_name = "N", default_value = "100",
          value_parser = value::count::<u64>, allow_negative_numbers = true)]
    pub(crate) epochs: u64,

    /// Learning rate
    #[arg(long, value_name = "RATE", default_value = "0.1",
          value_parser = value::positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: f64,

    /// Seed of the initial weights
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::whole,
          allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Backpropagate through one step only, as the notebook does, instead of through time
    #[arg(long)]
    pub(crate) one_step: bool,
}

impl Default for DemoArgs {
    /// What no arguments at all mean. The flags above say the same, as a test checks.
    fn default() -> Self {
        DemoArgs {
            text: "hello".into(),
            hidden: 8,
            epochs: 100,
            learning_rate: 0.1,
            seed: 1,
            one_step: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_flags_defaults_are_those_of_no_arguments() {
        let Some(Command::Demo(typed)) = Cli::parse_from(["rnn-cli", "demo"]).command else {
            panic!("not the demo");
        };
        assert_eq!(format!("{typed:?}"), format!("{:?}", DemoArgs::default()));
    }
}
