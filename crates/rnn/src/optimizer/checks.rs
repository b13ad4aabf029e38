//! What optimisers and schedules check: numbers within their range.

use std::str::FromStr;

use super::OptimizerConfig;
use crate::choice::named;
use crate::error::{Error, Result, check_setting};

/// The smallest ε. Squares of gradients below about 1e-19 vanish in f32 while the gradients
/// themselves do not; an ε this large keeps their quotient small, and 0 / 0 from ever occurring.
const MIN_EPS: f64 = 1e-16;

impl OptimizerConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] naming the first that is not finite or out of range.
    pub fn validate(&self) -> Result<()> {
        for (name, &mut value) in { *self }.numbers() {
            let (valid, expected) = match name {
                "eps" => (value >= MIN_EPS, "finite and at least 1e-16"),
                "weight decay" => (value >= 0.0, "finite and at least 0"),
                _ => ((0.0..1.0).contains(&value), "in [0, 1)"),
            };
            check_setting(name, value, valid && value.is_finite(), expected)?;
        }
        match *self {
            Self::Sgd { momentum, nesterov } if nesterov => {
                let valid = momentum > 0.0;
                check_setting("momentum with nesterov", momentum, valid, "in (0, 1)")
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for OptimizerConfig {
    type Err = Error;

    /// The optimiser of that name with its defaults.
    fn from_str(name: &str) -> Result<Self> {
        named("optimiser", Self::ALL, name)
    }
}

/// Checks a learning rate.
pub(crate) fn check_learning_rate(learning_rate: f64) -> Result<()> {
    let valid = learning_rate.is_finite() && learning_rate > 0.0;
    check_setting("learning rate", learning_rate, valid, "finite and positive")
}
