//! The networks whose training is measured, and what a character costs in each.

use rnn::optimizer::{Clip, OptimizerConfig, Schedule};
use rnn::{CellKind, Corpus, NetworkConfig, Reduction, TrainConfig, Trainer};

/// A network and how it is trained.
pub(crate) struct Work {
    /// What it is called.
    pub(crate) case: String,
    /// Cell, hidden size, layers.
    network: (CellKind, usize, usize),
    seq_length: usize,
    pub(crate) batch_size: usize,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    clip: Clip,
    reduction: Reduction,
    dropout: f64,
}

fn adam(case: String, cell: CellKind, hidden_size: usize, batch_size: usize) -> Work {
    Work {
        case,
        network: (cell, hidden_size, 1),
        seq_length: 64,
        batch_size,
        optimizer: OptimizerConfig::ADAM,
        learning_rate: 2e-3,
        clip: Clip::Norm(5.0),
        reduction: Reduction::Mean,
        dropout: 0.0,
    }
}

/// W1 to W6.
pub(crate) fn works() -> Vec<Work> {
    let case = |name| format!("training {name}");
    vec![
        Work {
            case: case("W1"),
            network: (CellKind::RNN, 100, 1),
            seq_length: 25,
            batch_size: 1,
            optimizer: OptimizerConfig::ADAGRAD,
            learning_rate: 0.1,
            clip: Clip::Value(5.0),
            reduction: Reduction::Sum,
            dropout: 0.0,
        },
        adam(case("W2"), CellKind::RNN, 256, 32),
        Work {
            case: case("W3"),
            network: (CellKind::LSTM, 128, 2),
            seq_length: 50,
            batch_size: 50,
            optimizer: OptimizerConfig::RmsProp {
                alpha: 0.95,
                eps: 1e-8,
            },
            learning_rate: 2e-3,
            clip: Clip::Value(5.0),
            reduction: Reduction::Mean,
            dropout: 0.0,
        },
        adam(case("W4"), CellKind::LSTM, 512, 64),
        adam(case("W5"), CellKind::GRU, 256, 32),
        Work {
            network: (CellKind::LSTM, 256, 2),
            optimizer: OptimizerConfig::ADAMW,
            learning_rate: 4e-3,
            dropout: 0.3,
            ..adam(case("W6"), CellKind::LSTM, 256, 8)
        },
    ]
}

/// An LSTM of every size at batch 32, and one of 512 units at every batch.
pub(crate) fn scale() -> Vec<Work> {
    let hidden = [64, 128, 256, 512, 1024, 2048].map(|hidden| {
        let case = format!("scale hidden {hidden}");
        adam(case, CellKind::LSTM, hidden, 32)
    });
    let batch = [1, 4, 16, 64, 256].map(|batch| {
        let case = format!("scale batch {batch}");
        adam(case, CellKind::LSTM, 512, batch)
    });
    hidden.into_iter().chain(batch).collect()
}

impl Work {
    /// A trainer of it.
    pub(crate) fn trainer(&self, corpus: &Corpus) -> Trainer<f32> {
        let (cell, hidden_size, num_layers) = self.network;
        let network = NetworkConfig {
            cell,
            vocab_size: corpus.vocabulary().len(),
            hidden_size,
            num_layers,
        };
        let config = TrainConfig {
            dropout: self.dropout,
            locked_dropout: true,
            ..plain(
                self.seq_length,
                self.batch_size,
                self.optimizer,
                self.learning_rate,
                self.clip,
                self.reduction,
            )
        };
        Trainer::new(corpus.clone(), &[1.0], network, config).expect("sound settings")
    }

    /// Floating-point operations for each character.
    pub(crate) fn flop(&self, vocab_size: usize) -> f64 {
        let (cell, hidden, layers) = self.network;
        let gates = cell.gates();
        let weights = gates * hidden * hidden * (2 * layers - 1) + vocab_size * hidden;
        (3 * 2 * weights) as f64
    }
}

/// Settings without anything special.
pub(crate) fn plain(
    seq_length: usize,
    batch_size: usize,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    clip: Clip,
    reduction: Reduction,
) -> TrainConfig {
    TrainConfig {
        batch_size,
        seq_length,
        reduction,
        dropout: 0.0,
        optimizer,
        learning_rate,
        schedule: Schedule::Constant,
        clip,
        max_steps: None,
        eval_every: u64::MAX,
        ..TrainConfig::default()
    }
}
