//! The progress of training, beside weights and optimiser.

use serde::{Deserialize, Serialize};

use super::guard::Guard;
use crate::error::{Result, check_setting};
use crate::optimizer::{Patience, PlateauState};

/// The result of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Steps taken.
    pub step: u64,
    /// Mean training loss since the last evaluation, in nats per character (with
    /// [`Reduction::Sum`](crate::Reduction::Sum) per window); `None` if no step since was taken.
    pub train_loss: Option<f64>,
    /// Loss on the held-out text in nats per character; `None` if no text is held out.
    pub validation_loss: Option<f64>,
    /// Learning rate of the last step; 0 before the first.
    pub learning_rate: f64,
}

/// The progress of training: all counters and records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    pub(crate) step: u64,
    /// The step at which the schedule began: 0, or where a run that had ended was given more steps.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) began: u64,
    /// Whether the weights before the first step are evaluated, since they are those of a model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) evaluates_start: bool,
    pub(crate) epoch: u64,
    /// The next window of the epoch.
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

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The most records in a history.
const MOST_RECORDS: usize = 100_000;
/// The most that a counter may be: no run lasts long enough for more.
const MOST: u64 = 1 << 53;

impl Progress {
    /// Appends a record. If the history is full, it drops every other record, so that a run of any length
    /// can be saved.
    pub(crate) fn record(&mut self, record: Record) {
        if self.history.len() == MOST_RECORDS {
            let mut at = 0;
            self.history.retain(|_| {
                at += 1;
                at % 2 == 0
            });
        }
        self.history.push(record);
    }

    /// Checks progress from a file.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::Error::InvalidSetting) for a value that cannot have come from training.
    pub(crate) fn validate(&self) -> Result<()> {
        self.plateau.validate()?;
        if let Some(patience) = &self.patience {
            patience.validate()?;
        }
        self.guard.validate()?;
        for (name, value) in [
            ("number of steps taken", self.step),
            ("number of steps before the schedule", self.began),
            ("number of epochs", self.epoch),
            ("number of losses", self.losses.1),
            ("number of steps skipped", self.guard.skipped),
        ] {
            check_setting(name, value as f64, value <= MOST, "at most 2^53")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_history_loses_every_other_record_and_no_end() {
        let mut progress = Progress::default();
        for step in 1..=MOST_RECORDS as u64 + 1 {
            progress.record(Record {
                step,
                train_loss: None,
                validation_loss: None,
                learning_rate: 0.1,
            });
        }
        let steps: Vec<u64> = progress.history.iter().map(|record| record.step).collect();
        assert_eq!(steps.len(), MOST_RECORDS / 2 + 1);
        assert_eq!((steps[0], steps[1]), (2, 4));
        assert_eq!(steps.last(), Some(&(MOST_RECORDS as u64 + 1)));
    }
}
