//! The hidden state that a network carries from one character to the next.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tensor::{Matrix, Scalar};

use crate::config::NetworkConfig;
use crate::error;
use crate::memory;

/// The state of every layer for a batch of sequences: all that a network remembers of the text so far.
///
/// Serialised it is `h` and `c`, for each layer a list of rows. What came from outside may be the state
/// of another network: ask [`fits`](Self::fits) before using it.
///
/// ```
/// use rnn::{CellKind, NetworkConfig, State};
///
/// let config = NetworkConfig { cell: CellKind::GRU, hidden_size: 2, num_layers: 1, vocab_size: 9 };
/// let mut state = State::<f32>::zeros(&config, 1);
/// state.h[0][(0, 1)] = 0.5;
/// let text = serde_json::to_string(&state).unwrap();
/// assert_eq!(text, r#"{"h":[[[0.0,0.5]]],"c":[]}"#);
/// let again: State<f32> = serde_json::from_str(&text).unwrap();
/// assert!(again == state && again.fits(&config, 1) && !again.fits(&config, 2));
/// ```
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
    pub fn try_zeros(config: &NetworkConfig, batch_size: usize) -> error::Result<Self> {
        let zeros = |layers: usize| -> error::Result<_> {
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

    /// Whether this is a state of `batch_size` sequences, at least one, in this network.
    pub fn fits(&self, config: &NetworkConfig, batch_size: usize) -> bool {
        let shape = (batch_size, config.hidden_size);
        batch_size > 0
            && (self.h.len(), self.c.len()) == (config.num_layers, memories(config))
            && self.h.iter().chain(&self.c).all(|m| m.shape() == shape)
    }

    /// Panics unless the state [fits](Self::fits).
    #[track_caller]
    pub(crate) fn check(&self, config: &NetworkConfig, batch_size: usize) {
        assert!(
            self.fits(config, batch_size),
            "a state of {} layers {:?} with {} memories for {batch_size} sequences in {config:?}",
            self.h.len(),
            self.h.first().map(Matrix::shape),
            self.c.len()
        );
    }
}

/// Number of layers that have a memory.
pub(crate) fn memories(config: &NetworkConfig) -> usize {
    match config.cell.has_memory() {
        true => config.num_layers,
        false => 0,
    }
}

/// A state as it is serialised: of each layer the rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows<R> {
    h: Vec<Vec<R>>,
    c: Vec<Vec<R>>,
}

impl<T: Scalar + Serialize> Serialize for State<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn rows<T: Scalar>(layers: &[Matrix<T>]) -> Vec<Vec<&[T]>> {
            let of_layer = |layer| (0..Matrix::rows(layer)).map(|row| layer.row(row)).collect();
            layers.iter().map(of_layer).collect()
        }
        let (h, c) = (rows(&self.h), rows(&self.c));
        Rows { h, c }.serialize(serializer)
    }
}

impl<'de, T: Scalar + Deserialize<'de>> Deserialize<'de> for State<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Rows { h, c } = Rows::<Vec<T>>::deserialize(deserializer)?;
        let matrices = |layers: Vec<Vec<Vec<T>>>| -> Result<Vec<Matrix<T>>, D::Error> {
            let matrix = |rows: Vec<Vec<T>>| {
                let rows: Vec<&[T]> = rows.iter().map(Vec::as_slice).collect();
                Matrix::from_rows(&rows).map_err(D::Error::custom)
            };
            layers.into_iter().map(matrix).collect()
        };
        Ok(State {
            h: matrices(h)?,
            c: matrices(c)?,
        })
    }
}
