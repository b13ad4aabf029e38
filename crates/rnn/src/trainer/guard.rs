//! Keeps losses and gradients that are not finite away from the weights.
//!
//! A step whose loss or gradient norm is not finite is skipped. After five in a row training returns to
//! the best weights with half the learning rate. Instead of a third return it ends with an error.

use serde::{Deserialize, Serialize};

use crate::error::{Result, check_setting};

/// Bad steps in a row before training returns to the best weights.
const MOST_BAD_STEPS: u32 = 5;
/// The return to the best weights that would be this one ends training instead.
const MOST_RETURNS: u32 = 3;

/// The counters of the guard; part of what a resumed run needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guard {
    /// Bad steps in a row so far.
    pub(crate) bad_steps: u32,
    /// Bad steps in all.
    pub(crate) skipped: u64,
    /// Returns to the best weights.
    pub(crate) returns: u32,
    /// The factor of the learning rate: a half for each return.
    pub(crate) scale: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Guard {
            bad_steps: 0,
            skipped: 0,
            returns: 0,
            scale: 1.0,
        }
    }
}

/// What to do with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Update the weights.
    Take,
    /// Leave the weights alone.
    Skip,
    /// Go back to the best weights.
    Return,
    /// Give up.
    End,
}

impl Guard {
    /// Checks counters from a file.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::Error::InvalidSetting) when one cannot have come from training.
    pub(crate) fn validate(&self) -> Result<()> {
        let (bad, returns, scale) = (self.bad_steps, self.returns, self.scale);
        let valid = bad < MOST_BAD_STEPS;
        check_setting("number of bad steps in a row", bad.into(), valid, "below 5")?;
        let valid = returns <= MOST_RETURNS;
        check_setting("number of returns", returns.into(), valid, "at most 3")?;
        let valid = scale > 0.0 && scale <= 1.0;
        check_setting("scale of the learning rate", scale, valid, "in (0, 1]")
    }

    /// Judges a step by its loss and gradient norm.
    pub(crate) fn judge(&mut self, loss: f64, gradient_norm: f64) -> Verdict {
        if loss.is_finite() && gradient_norm.is_finite() {
            self.bad_steps = 0;
            return Verdict::Take;
        }
        self.bad_steps += 1;
        self.skipped += 1;
        if self.bad_steps < MOST_BAD_STEPS {
            return Verdict::Skip;
        }
        self.bad_steps = 0;
        // A caller that continues anyway gets the same answer, and can still save the counters.
        if self.returns >= MOST_RETURNS {
            return Verdict::End;
        }
        self.returns += 1;
        self.scale *= 0.5;
        if self.returns < MOST_RETURNS {
            Verdict::Return
        } else {
            Verdict::End
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_bad_steps_return_and_the_third_return_ends() {
        let mut guard = Guard::default();
        let nan = f64::NAN;
        let verdicts: Vec<_> = (0..15).map(|_| guard.judge(nan, 1.0)).collect();
        let expected = [Verdict::Return, Verdict::Return, Verdict::End];
        for (at, verdict) in verdicts.iter().enumerate() {
            let wanted = if at % 5 == 4 {
                expected[at / 5]
            } else {
                Verdict::Skip
            };
            assert_eq!(*verdict, wanted, "bad step {at}");
        }
        assert_eq!((guard.skipped, guard.scale), (15, 0.125));
    }

    #[test]
    fn a_run_that_has_ended_and_goes_on_can_still_be_saved() {
        let mut guard = Guard::default();
        let verdicts: Vec<_> = (0..10_000).map(|_| guard.judge(f64::NAN, 1.0)).collect();
        assert!(
            verdicts[10..]
                .iter()
                .skip(4)
                .step_by(5)
                .all(|v| *v == Verdict::End)
        );
        guard.validate().unwrap();
        assert_eq!((guard.returns, guard.scale), (MOST_RETURNS, 0.125));
    }

    #[test]
    fn a_good_step_starts_the_count_anew() {
        let mut guard = Guard::default();
        for _ in 0..4 {
            assert_eq!(guard.judge(1.0, f64::INFINITY), Verdict::Skip);
        }
        assert_eq!(guard.judge(1.0, 2.0), Verdict::Take);
        assert_eq!(guard.judge(f64::NAN, 2.0), Verdict::Skip);
        assert_eq!(guard.bad_steps, 1);
    }
}
