//! Which optimiser, with which settings: PyTorch's names, ranges and defaults.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The smallest ε. Squares of gradients below about 1e-19 vanish in f32 while the gradients
/// themselves do not; an ε this large keeps their quotient small, and 0 / 0 from ever occurring.
const MIN_EPS: f64 = 1e-16;

/// An optimiser and its settings.
///
/// Parsing a name gives PyTorch's defaults:
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
}

impl OptimizerConfig {
    /// Plain stochastic gradient descent.
    pub const SGD: Self = Self::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    /// Adagrad with PyTorch's defaults.
    pub const ADAGRAD: Self = Self::Adagrad { eps: 1e-10 };
    /// RMSprop with PyTorch's defaults.
    pub const RMSPROP: Self = Self::RmsProp {
        alpha: 0.99,
        eps: 1e-8,
    };
    /// Adam with PyTorch's defaults.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
    };
    /// AdamW with PyTorch's defaults.
    pub const ADAMW: Self = Self::AdamW {
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
    };

    /// The name that [`FromStr`] takes and [`Display`](fmt::Display) writes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adagrad { .. } => "adagrad",
            Self::RmsProp { .. } => "rmsprop",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
        }
    }

    /// PyTorch's default learning rate for this optimiser.
    pub fn default_learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { .. } | Self::Adam { .. } | Self::AdamW { .. } => 1e-3,
            Self::Adagrad { .. } | Self::RmsProp { .. } => 1e-2,
        }
    }

    /// Names of the slices of state that this optimiser keeps, as PyTorch calls them; at most two.
    pub fn state_names(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["momentum_buffer"],
            Self::Adagrad { .. } => &["sum"],
            Self::RmsProp { .. } => &["square_avg"],
            Self::Adam { .. } | Self::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] naming the first that is not finite or out of range.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::Sgd {
                momentum,
                nesterov: true,
            } => {
                let valid = momentum > 0.0 && momentum < 1.0;
                check("momentum with nesterov", momentum, valid, "in (0, 1)")
            }
            Self::Sgd {
                momentum,
                nesterov: false,
            } => check_share("momentum", momentum),
            Self::Adagrad { eps } => check_eps(eps),
            Self::RmsProp { alpha, eps } => {
                check_share("alpha", alpha)?;
                check_eps(eps)
            }
            Self::Adam { beta1, beta2, eps } => check_adam(beta1, beta2, eps),
            Self::AdamW {
                beta1,
                beta2,
                eps,
                weight_decay,
            } => {
                check_adam(beta1, beta2, eps)?;
                let valid = weight_decay.is_finite() && weight_decay >= 0.0;
                check("weight decay", weight_decay, valid, "finite and at least 0")
            }
        }
    }
}

/// Checks a learning rate.
///
/// # Errors
///
/// [`Error::InvalidSetting`] when it is not finite and positive.
pub fn check_learning_rate(learning_rate: f64) -> Result<()> {
    let valid = learning_rate.is_finite() && learning_rate > 0.0;
    check("learning rate", learning_rate, valid, "finite and positive")
}

/// `Ok` when `valid`, else the setting with its range.
pub(super) fn check(
    name: &'static str,
    value: f64,
    valid: bool,
    expected: &'static str,
) -> Result<()> {
    if valid {
        Ok(())
    } else {
        Err(Error::InvalidSetting {
            name,
            expected,
            value,
        })
    }
}

fn check_share(name: &'static str, value: f64) -> Result<()> {
    check(name, value, (0.0..1.0).contains(&value), "in [0, 1)")
}

fn check_eps(eps: f64) -> Result<()> {
    check(
        "eps",
        eps,
        eps.is_finite() && eps >= MIN_EPS,
        "finite and at least 1e-16",
    )
}

fn check_adam(beta1: f64, beta2: f64, eps: f64) -> Result<()> {
    check_share("beta1", beta1)?;
    check_share("beta2", beta2)?;
    check_eps(eps)
}

impl Default for OptimizerConfig {
    /// Adam with PyTorch's defaults.
    fn default() -> Self {
        Self::ADAM
    }
}

impl fmt::Display for OptimizerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OptimizerConfig {
    type Err = Error;

    /// The optimiser of that name with PyTorch's defaults.
    fn from_str(name: &str) -> Result<Self> {
        [
            Self::SGD,
            Self::ADAGRAD,
            Self::RMSPROP,
            Self::ADAM,
            Self::ADAMW,
        ]
        .into_iter()
        .find(|config| config.name() == name)
        .ok_or_else(|| Error::UnknownName {
            what: "optimiser",
            expected: "sgd, adagrad, rmsprop, adam, adamw",
            value: name.to_owned(),
        })
    }
}
