//! The hidden state that a network carries from one character to the next.

use tensor::{Matrix, Scalar};

use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;

/// The state of every layer for a batch of sequences: all that a network remembers of the text so far.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    /// Hidden state of each layer, `[batch, hidden]`.
    pub h: Vec<Matrix<T>>,
    /// Memory of each layer, `[batch, hidden]`; empty for cells without, such as the GRU.
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

    /// As [`zeros`](Self::zeros).
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn try_zeros(config: &NetworkConfig, batch_size: usize) -> Result<Self> {
        let zeros = |layers: usize| -> Result<_> {
            (0..layers)
                .map(|_| memory::matrix(batch_size, config.hidden_size))
                .collect()
        };
        Ok(State {
            h: zeros(config.num_layers)?,
            c: zeros(memories(config))?,
        })
    }

    /// Number of sequences.
    pub fn batch_size(&self) -> usize {
        self.h.first().map_or(0, Matrix::rows)
    }

    /// Panics unless the state is one of `batch_size` sequences, at least one, in this network.
    #[track_caller]
    pub(crate) fn check(&self, config: &NetworkConfig, batch_size: usize) {
        let memories = memories(config);
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

/// Number of layers that have a memory.
fn memories(config: &NetworkConfig) -> usize {
    match config.cell.has_memory() {
        true => config.num_layers,
        false => 0,
    }
}
