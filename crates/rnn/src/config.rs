//! What a network is: its cell, its sizes, and how its weights start.

use serde::{Deserialize, Serialize};

use crate::cell::CellKind;
use crate::error::{Result, check_setting};

/// The architecture of a network: everything that fixes the shapes of its parameters.
///
/// ```
/// use rnn::{CellKind, NetworkConfig};
///
/// let config = NetworkConfig { vocab_size: 65, ..NetworkConfig::default() };
/// assert_eq!((config.cell, config.num_layers, config.hidden_size), (CellKind::LSTM, 2, 256));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The recurrent cell of every layer.
    pub cell: CellKind,
    /// Number of distinct characters, `V`.
    pub vocab_size: usize,
    /// Number of hidden units in each layer, `H`.
    pub hidden_size: usize,
    /// Number of layers, each reading the hidden states of the one below.
    pub num_layers: usize,
}

impl Default for NetworkConfig {
    /// An LSTM of two layers of 256 units over the 256 bytes. [`recommended`](crate::recommended) fits the
    /// text.
    fn default() -> Self {
        NetworkConfig {
            cell: CellKind::LSTM,
            vocab_size: 256,
            hidden_size: 256,
            num_layers: 2,
        }
    }
}

/// The largest hidden size accepted; an LSTM layer of this size has 8.6 billion weights.
pub const MAX_HIDDEN_SIZE: usize = 32_768;
/// The largest number of layers accepted.
pub const MAX_LAYERS: usize = 16;

impl NetworkConfig {
    /// Checks that every size is one that a network can have.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) naming the first size out of range.
    pub fn validate(&self) -> Result<()> {
        let within = |name, value: usize, most, expected| {
            check_setting(name, value as f64, (1..=most).contains(&value), expected)
        };
        let (v, h, layers) = (self.vocab_size, self.hidden_size, self.num_layers);
        within("vocabulary size", v, 0x11_0000, "between 1 and 1114112")?;
        within("hidden size", h, MAX_HIDDEN_SIZE, "between 1 and 32768")?;
        within("number of layers", layers, MAX_LAYERS, "between 1 and 16")
    }
}

/// How the weights are initialised. The biases of the notebook's scheme start at zero, PyTorch's do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scheme {
    /// Every weight and bias uniform in `±1/sqrt(hidden_size)`: PyTorch's default.
    Uniform,
    /// Weights normal with mean 0 and this standard deviation, biases zero: the notebook's way.
    Normal(f64),
}

/// Far beyond any use, and small enough that even the rarest draw is finite in 32 bits.
const MAX_DEVIATION: f64 = 1e30;

/// The initialisation of a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    /// The distribution of the weights.
    pub scheme: Scheme,
    /// Make each gate's recurrent matrix orthogonal (Saxe 2014), which keeps the length of the
    /// hidden state over many steps.
    pub orthogonal: bool,
    /// For a cell with a forget gate, such as the LSTM: what that gate's biases add up to at the start.
    /// 1 keeps the memory open from the first step (Gers 2000, Jozefowicz 2015). `None` leaves them as drawn.
    pub forget_bias: Option<f64>,
}

impl Default for Init {
    fn default() -> Self {
        Init {
            scheme: Scheme::Uniform,
            orthogonal: false,
            forget_bias: None,
        }
    }
}

impl Init {
    /// Checks that the weights come out finite in 32 bits: others could not be saved.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) naming the value.
    pub fn validate(&self) -> Result<()> {
        if let Scheme::Normal(std) = self.scheme {
            let valid = (0.0..=MAX_DEVIATION).contains(&std);
            let expected = "at least 0 and at most 1e30";
            check_setting("standard deviation", std, valid, expected)?;
        }
        let bias = self.forget_bias.unwrap_or(0.0);
        let valid = (bias as f32).is_finite();
        check_setting("forget bias", bias, valid, "finite in 32 bits")
    }
}
