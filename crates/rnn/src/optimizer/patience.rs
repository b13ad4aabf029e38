//! Counts evaluations without improvement: enough of them lower the learning rate
//! ([`PlateauState`]), or end training ([`Patience`]).
//!
//! A loss that is not a number never counts as an improvement.

use super::config::check;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The relative improvement below which an evaluation counts as none for the plateau schedule;
/// PyTorch's default.
const PLATEAU_THRESHOLD: f64 = 1e-4;

/// What [`Schedule::Plateau`](super::Schedule::Plateau) remembers; a resumed run needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// The best validation loss so far; `None` before the first.
    pub best: Option<f64>,
    /// Evaluations in a row without improvement.
    pub bad: u64,
    /// What the base rate is multiplied by.
    pub scale: f64,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self {
            best: None,
            bad: 0,
            scale: 1.0,
        }
    }
}

impl PlateauState {
    /// Takes note of a validation loss as PyTorch's `ReduceLROnPlateau` does. `true` when the
    /// scale falls by `factor`, after more than `patience` evaluations without improvement.
    pub(super) fn observe(&mut self, validation_loss: f64, factor: f64, patience: u64) -> bool {
        let bound = self
            .best
            .map_or(f64::INFINITY, |best| best * (1.0 - PLATEAU_THRESHOLD));
        if validation_loss < bound {
            self.best = Some(validation_loss);
            self.bad = 0;
        } else {
            self.bad = self.bad.saturating_add(1);
        }
        let falls = self.bad > patience;
        if falls {
            self.scale *= factor;
            self.bad = 0;
        }
        falls
    }

    /// Checks values from a file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) when one cannot have come from
    /// training.
    pub fn validate(&self) -> Result<()> {
        check_best(self.best)?;
        let valid = (0.0..=1.0).contains(&self.scale);
        check("plateau scale", self.scale, valid, "in [0, 1]")
    }
}

/// Early stopping: ends training after a number of evaluations in a row without a new best.
///
/// ```
/// use rnn::optimizer::Patience;
///
/// let mut patience = Patience::new(2)?;
/// for loss in [2.0, 1.5, 1.6, 1.4, 1.5] {
///     patience.observe(loss);
/// }
/// assert!(!patience.is_exhausted());
/// patience.observe(1.4);
/// assert!(patience.is_exhausted());
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patience {
    limit: u64,
    best: Option<f64>,
    bad: u64,
}

impl Patience {
    /// Patience for `limit` evaluations.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn new(limit: u64) -> Result<Self> {
        let patience = Self {
            limit,
            best: None,
            bad: 0,
        };
        patience.validate()?;
        Ok(patience)
    }

    /// Records a validation loss. `true` when it is the best so far.
    pub fn observe(&mut self, validation_loss: f64) -> bool {
        let improved = validation_loss < self.best.unwrap_or(f64::INFINITY);
        if improved {
            self.best = Some(validation_loss);
            self.bad = 0;
        } else {
            self.bad = self.bad.saturating_add(1);
        }
        improved
    }

    /// Whether training should end.
    pub fn is_exhausted(&self) -> bool {
        self.bad >= self.limit
    }

    /// The best validation loss so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Evaluations in a row without a new best.
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// Checks values from a file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) when the limit is 0, which would
    /// end training before it began, or the best loss is not finite.
    pub fn validate(&self) -> Result<()> {
        check("patience", self.limit as f64, self.limit > 0, "at least 1")?;
        check_best(self.best)
    }
}

fn check_best(best: Option<f64>) -> Result<()> {
    match best {
        Some(loss) => check("best validation loss", loss, loss.is_finite(), "finite"),
        None => Ok(()),
    }
}
