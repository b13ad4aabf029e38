//! The hidden state that a network carries from one character to the next.

use tensor::{Matrix, Scalar};

use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;

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
    ///
    /// # Panics
    /// If memory runs out.
    pub fn zeros(config: &NetworkConfig, batch_size: usize) -> Self {
        Self::try_zeros(config, batch_size).expect("memory for a state")
    }

    /// The same, or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn try_zeros(config: &NetworkConfig, batch_size: usize) -> Result<Self> {
        let zeros = |layers: usize| -> Result<_> {
            (0..layers)
                .map(|_| memory::matrix(batch_size, config.hidden_size))
                .collect()
        };
        let memories = match config.cell.has_memory() {
            true => config.num_layers,
            false => 0,
        };
        Ok(State {
            h: zeros(config.num_layers)?,
            c: zeros(memories)?,
        })
    }

    /// Number of sequences.
    pub fn batch_size(&self) -> usize {
        self.h.first().map_or(0, Matrix::rows)
    }

    /// Panics unless the state is one of `batch_size` sequences, at least one, in such a network.
    #[track_caller]
    pub(crate) fn check(&self, config: &NetworkConfig, batch_size: usize) {
        let memories = if config.cell.has_memory() {
            config.num_layers
        } else {
            0
        };
        let shape = (batch_size, config.hidden_size);
        let fits = batch_size > 0
            && (self.h.len(), self.c.len()) == (config.num_layers, memories)
            && self.h.iter().chain(&self.c).all(|m| m.shape() == shape);
        assert!(
            fits,
            "a state of {} layers {:?} with {} memories for {batch_size} sequences in {config:?}",
            self.h.len(),
            self.h.first().map(Matrix::shape),
            self.c.len()
        );
    }
}
