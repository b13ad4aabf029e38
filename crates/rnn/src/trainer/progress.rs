//! Where training stands, beside weights and optimiser.

use serde::{Deserialize, Serialize};

use super::guard::Guard;
use crate::error::{Error, Result};
use crate::optimizer::{Patience, PlateauState};

/// What an evaluation found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Steps taken.
    pub step: u64,
    /// Mean training loss since the evaluation before, in nats per character (with
    /// [`Reduction::Sum`](crate::Reduction::Sum): nats per window); `None` if every step since was
    /// skipped.
    pub train_loss: Option<f64>,
    /// Loss on the held-out text in nats per character; `None` where there is none.
    pub validation_loss: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
}

/// Where training stands, beside weights and optimiser: all counters and records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    /// The window of the epoch that comes next.
    pub(crate) window: usize,
    pub(crate) guard: Guard,
    pub(crate) plateau: PlateauState,
    pub(crate) patience: Option<Patience>,
    /// Sum and number of the steps' losses since the last evaluation.
    pub(crate) losses: (f64, u64),
    /// Learning rate of the last step.
    pub(crate) learning_rate: f64,
    pub(crate) history: Vec<Record>,
    /// Step and validation loss of the best weights.
    pub(crate) best: Option<(u64, f64)>,
    pub(crate) patience_spent: bool,
}

impl Progress {
    /// Checks what a file says of it.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] naming what training cannot have left.
    pub(crate) fn validate(&self) -> Result<()> {
        self.plateau.validate()?;
        if let Some(patience) = &self.patience {
            patience.validate()?;
        }
        let scale = self.guard.scale;
        if !(scale > 0.0 && scale <= 1.0) {
            let name = "scale of the learning rate";
            return Err(Error::InvalidSetting {
                name,
                expected: "in (0, 1]",
                value: scale,
            });
        }
        Ok(())
    }
}
