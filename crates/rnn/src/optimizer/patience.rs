//! Counts evaluations without improvement: enough of them lower the learning rate
//! ([`PlateauState`]), or end training ([`Patience`]).
//!
//! A loss that is not a number never counts as an improvement.

use crate::error::{Result, check_setting};
use serde::{Deserialize, Serialize};

/// The relative improvement below which an evaluation counts as none for the plateau schedule;
/// PyTorch's default.
const PLATEAU_THRESHOLD: f64 = 1e-4;

/// What [`Schedule::Plateau`](super::Schedule::Plateau) remembers; a resumed run needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlateauState {
    /// The best validation loss so far; `None` before the first.
    pub(crate) best: Option<f64>,
    /// Evaluations in a row without improvement.
    pub(crate) bad: u64,
    /// What the learning rate is multiplied by.
    pub(crate) scale: f64,
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
    /// Takes note of a validation loss as PyTorch's `ReduceLROnPlateau` does: after more than
    /// `patience` evaluations in a row without improvement the scale falls by `factor`.
    pub(super) fn observe(&mut self, validation_loss: f64, factor: f64, patience: u64) {
        let bound = self
            .best
            .map_or(f64::INFINITY, |best| best * (1.0 - PLATEAU_THRESHOLD));
        if validation_loss < bound {
            self.best = Some(validation_loss);
            self.bad = 0;
        } else {
            self.bad = self.bad.saturating_add(1);
        }
        if self.bad > patience {
            self.scale *= factor;
            self.bad = 0;
        }
    }

    /// Checks values from a file.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](crate::Error::InvalidSetting) when one cannot have come from
    /// training.
    pub(crate) fn validate(&self) -> Result<()> {
        check_best(self.best)?;
        let valid = (0.0..=1.0).contains(&self.scale);
        check_setting("plateau scale", self.scale, valid, "in [0, 1]")
    }
}

/// Early stopping: ends training after a number of evaluations in a row without a new best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patience {
    limit: u64,
    best: Option<f64>,
    bad: u64,
}

impl Patience {
    /// Patience for `limit` evaluations, at least one.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            best: None,
            bad: 0,
        }
    }

    /// Takes note of a validation loss.
    pub(crate) fn observe(&mut self, validation_loss: f64) {
        if validation_loss < self.best.unwrap_or(f64::INFINITY) {
            self.best = Some(validation_loss);
            self.bad = 0;
        } else {
            self.bad = self.bad.saturating_add(1);
        }
    }

    /// Whether training should end.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.bad >= self.limit
    }

    /// Checks values from a file.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](crate::Error::InvalidSetting) when the limit is 0, which would
    /// end training before it began, or the best loss is not finite.
    pub(crate) fn validate(&self) -> Result<()> {
        check_setting("patience", self.limit as f64, self.limit > 0, "at least 1")?;
        check_best(self.best)
    }
}

fn check_best(best: Option<f64>) -> Result<()> {
    match best {
        Some(loss) => check_setting("best validation loss", loss, loss.is_finite(), "finite"),
        None => Ok(()),
    }
}
