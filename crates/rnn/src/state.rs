//! The hidden state that a network carries from one character to the next.

use tensor::{Matrix, Scalar};

use crate::config::NetworkConfig;

/// The state of every layer for a batch of sequences: what a network remembers of the text so far.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    /// Hidden state of each layer, `[batch, hidden]`.
    pub h: Vec<Matrix<T>>,
    /// Memory of each layer of an LSTM, `[batch, hidden]`; empty for the other cells.
    pub c: Vec<Matrix<T>>,
}

impl<T: Scalar> State<T> {
    /// The state before the first character: all zero.
    pub fn zeros(config: &NetworkConfig, batch_size: usize) -> Self {
        let zeros = |layers: usize| {
            (0..layers)
                .map(|_| Matrix::zeros(batch_size, config.hidden_size))
                .collect()
        };
        State {
            h: zeros(config.num_layers),
            c: zeros(if config.cell.has_memory() {
                config.num_layers
            } else {
                0
            }),
        }
    }
}
