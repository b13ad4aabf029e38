//! From gradients to new parameters: optimisers, clipping, learning rate schedules.
//!
//! Parameters and gradients are one flat slice each, so an optimiser need not know the network: it
//! updates every parameter from its own gradient and its own few numbers of state. Each optimiser's
//! file has its equation and its paper; this file is the table of them all. A training step is
//!
//! ```
//! use rnn::optimizer::{Clip, Optimizer, OptimizerConfig};
//!
//! let mut params = [0.5_f32, -1.0];
//! let mut optimizer = Optimizer::new(OptimizerConfig::ADAM, params.len())?;
//! for _ in 0..100 {
//!     let mut grads = params.map(|p| 2.0 * p); // of the loss p₀² + p₁²
//!     let norm = Clip::Norm(5.0).apply(&mut grads);
//!     assert!(norm.is_finite());
//!     optimizer.step(&mut params, &grads, 0.1);
//! }
//! assert!(params.iter().all(|p| p.abs() < 0.05));
//! # Ok::<(), rnn::Error>(())
//! ```
//!
//! Updates are plain loops of correctly rounded operations (+, −, ×, ÷, √, nothing fused), so each
//! instruction set gives the same bits. A step allocates nothing. In a rayon pool, threads share
//! long slices; every element is on its own, so the bits stay the same.

mod adagrad;
mod adam;
mod checks;
mod clip;
mod lion;
mod parts;
mod patience;
mod rmsprop;
mod schedule;
mod sgd;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use checks::check_learning_rate;
pub use clip::Clip;
pub(crate) use patience::{Patience, PlateauState};
pub(crate) use schedule::Position;
pub use schedule::{Decay, Schedule};
pub use state::Optimizer;

use std::fmt;

use serde::{Deserialize, Serialize};
use tensor::Scalar;

/// An optimiser and its settings: PyTorch's names, ranges and defaults.
///
/// Parsing a name gives the defaults:
///
/// ```
/// use rnn::optimizer::OptimizerConfig;
///
/// let config: OptimizerConfig = "rmsprop".parse()?;
/// assert_eq!(config, OptimizerConfig::RmsProp { alpha: 0.99, eps: 1e-8 });
/// assert_eq!(config.default_learning_rate(), 0.01);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, with or without momentum.
    Sgd {
        /// Share of the last direction that the next one keeps, in [0, 1).
        momentum: f64,
        /// Looks ahead along the momentum (Nesterov); needs momentum above 0.
        nesterov: bool,
    },
    /// Adagrad (Duchi, Hazan and Singer 2011).
    Adagrad {
        /// Added to the root of the summed squares.
        eps: f64,
    },
    /// RMSprop (Tieleman and Hinton 2012).
    RmsProp {
        /// Share of the mean square kept at each step, in [0, 1).
        alpha: f64,
        /// Added to the root of the mean square.
        eps: f64,
    },
    /// Adam (Kingma and Ba 2015).
    Adam {
        /// Share of the first moment kept at each step, in [0, 1).
        beta1: f64,
        /// Share of the second moment kept at each step, in [0, 1).
        beta2: f64,
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// Adam with weight decay of its own, apart from the gradient (Loshchilov and Hutter 2019).
    AdamW {
        /// As in Adam.
        beta1: f64,
        /// As in Adam.
        beta2: f64,
        /// As in Adam.
        eps: f64,
        /// Each step first takes learning rate times this off every parameter; at least 0.
        weight_decay: f64,
    },
    /// Lion (Chen et al. 2023).
    Lion {
        /// Share of the momentum in the direction of a step, in [0, 1).
        beta1: f64,
        /// Share of the momentum kept at each step, in [0, 1).
        beta2: f64,
        /// As in AdamW.
        weight_decay: f64,
    },
}

impl OptimizerConfig {
    /// Plain stochastic gradient descent.
    pub const SGD: Self = Self::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    /// Adagrad with the defaults.
    pub const ADAGRAD: Self = Self::Adagrad { eps: 1e-10 };
    /// RMSprop with the defaults.
    pub const RMSPROP: Self = Self::RmsProp {
        alpha: 0.99,
        eps: 1e-8,
    };
    /// Adam with the defaults.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
    };
    /// AdamW with the defaults.
    pub const ADAMW: Self = Self::AdamW {
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
    };

    /// Lion with the defaults.
    pub const LION: Self = Self::Lion {
        beta1: 0.9,
        beta2: 0.99,
        weight_decay: 0.0,
    };
    /// Every optimiser with its defaults.
    pub const ALL: [Self; 6] = [
        Self::SGD,
        Self::ADAGRAD,
        Self::RMSPROP,
        Self::ADAM,
        Self::ADAMW,
        Self::LION,
    ];

    /// Name, help, default learning rate, names of state.
    fn facts(&self) -> (&'static str, &'static str, f64, &'static [&'static str]) {
        let moments: &[_] = &["exp_avg", "exp_avg_sq"];
        match self {
            Self::Sgd { momentum, .. } => {
                let state: &[_] = &["momentum_buffer"];
                let kept = usize::from(*momentum != 0.0);
                ("sgd", "Stochastic gradient descent", 1e-3, &state[..kept])
            }
            Self::Adagrad { .. } => ("adagrad", "Adagrad", 1e-2, &["sum"]),
            Self::RmsProp { .. } => ("rmsprop", "RMSprop", 1e-2, &["square_avg"]),
            Self::Adam { .. } => ("adam", "Adam", 1e-3, moments),
            Self::AdamW { .. } => ("adamw", "Adam with decoupled weight decay", 1e-3, moments),
            Self::Lion { .. } => ("lion", "Sign of the momentum", 1e-4, &["exp_avg"]),
        }
    }

    /// The settings that are numbers, by name.
    #[rustfmt::skip] // a table
    fn numbers(&mut self) -> Vec<(&'static str, &mut f64)> {
        match self {
            Self::Sgd { momentum, .. } => vec![("momentum", momentum)],
            Self::Adagrad { eps } => vec![("eps", eps)],
            Self::RmsProp { alpha, eps } => vec![("alpha", alpha), ("eps", eps)],
            Self::Adam { beta1, beta2, eps } =>
                vec![("beta1", beta1), ("beta2", beta2), ("eps", eps)],
            Self::AdamW { beta1, beta2, eps, weight_decay } =>
                vec![("beta1", beta1), ("beta2", beta2), ("eps", eps), ("weight decay", weight_decay)],
            Self::Lion { beta1, beta2, weight_decay } =>
                vec![("beta1", beta1), ("beta2", beta2), ("weight decay", weight_decay)],
        }
    }

    /// Takes step number `t`, counted from 1; the slices of state are those of `state_names`.
    fn step<T: Scalar>(
        self,
        params: &mut [T],
        grads: &[T],
        [first, second]: [&mut [T]; 2],
        learning_rate: f64,
        t: u64,
    ) {
        match self {
            Self::Sgd { momentum: 0.0, .. } => sgd::step(params, grads, learning_rate),
            Self::Sgd { momentum, nesterov } => {
                sgd::step_momentum(params, grads, first, learning_rate, momentum, nesterov);
            }
            Self::Adagrad { eps } => adagrad::step(params, grads, first, learning_rate, eps),
            Self::RmsProp { alpha, eps } => {
                rmsprop::step(params, grads, first, learning_rate, alpha, eps);
            }
            Self::Adam { beta1, beta2, eps } => {
                let settings = [beta1, beta2, eps, 0.0];
                adam::step(params, grads, first, second, settings, learning_rate, t);
            }
            Self::AdamW {
                beta1,
                beta2,
                eps,
                weight_decay,
            } => {
                let settings = [beta1, beta2, eps, weight_decay];
                adam::step(params, grads, first, second, settings, learning_rate, t);
            }
            Self::Lion {
                beta1,
                beta2,
                weight_decay,
            } => {
                let settings = [beta1, beta2, weight_decay];
                lion::step(params, grads, first, settings, learning_rate);
            }
        }
    }

    /// The name that parsing takes and [`Display`](fmt::Display) writes.
    pub fn name(&self) -> &'static str {
        self.facts().0
    }

    /// What it is, in a few words.
    pub fn about(&self) -> &'static str {
        self.facts().1
    }

    /// The default learning rate of this optimiser.
    pub fn default_learning_rate(&self) -> f64 {
        self.facts().2
    }

    /// Names of the slices of state that this optimiser keeps, as PyTorch calls them; at most two.
    pub fn state_names(&self) -> &'static [&'static str] {
        self.facts().3
    }

    /// The setting of that name, such as `momentum`; `None` if this optimiser has none.
    pub fn setting(&mut self, name: &str) -> Option<&mut f64> {
        let (_, value) = self.numbers().into_iter().find(|(own, _)| *own == name)?;
        Some(value)
    }
}

impl Default for OptimizerConfig {
    /// Adam with the defaults.
    fn default() -> Self {
        Self::ADAM
    }
}

impl fmt::Display for OptimizerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
