//! Splits: a model is judged by text that it was not trained on.

use std::ops::Range;

use crate::{Error, Result};

/// Checks the shares of a split.
///
/// # Errors
/// [`Error::InvalidSplit`] unless there are one to three finite shares, none negative, the first
/// above 0, that add up to 1 within 10⁻⁶.
pub fn check_shares(fractions: &[f64]) -> Result<()> {
    let sum: f64 = fractions.iter().sum();
    let valid = (1..=3).contains(&fractions.len())
        && fractions
            .iter()
            .all(|share| share.is_finite() && *share >= 0.0)
        && fractions[0] > 0.0
        && (sum - 1.0).abs() <= 1e-6;
    valid.then_some(()).ok_or_else(|| Error::InvalidSplit {
        fractions: fractions.to_vec(),
    })
}

/// The parts of a corpus, one after the other: training, validation, test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// For training.
    pub train: Range<usize>,
    /// For choosing the best weights; may be empty.
    pub validation: Range<usize>,
    /// For one measurement at the end; may be empty.
    pub test: Range<usize>,
}

impl Split {
    /// Splits `0..len` by shares. A part of one character has nothing to predict and joins the one
    /// before it.
    pub(super) fn new(len: usize, fractions: &[f64]) -> Result<Self> {
        check_shares(fractions)?;
        let sum: f64 = fractions.iter().sum();
        // The small addition undoes rounding: 0.29 of 100 is 29, though 0.29 * 100 is below it.
        let border = |share: f64| ((len as f64 * share / sum + 1e-6) as usize).min(len);
        let share = |part: usize| fractions.get(part).copied().unwrap_or(0.0);
        let mut train_end = border(share(0));
        let mut validation_end = border(share(0) + share(1));
        if len - validation_end < 2 {
            validation_end = len;
        }
        if validation_end - train_end < 2 {
            train_end = validation_end;
        }
        Ok(Self {
            train: 0..train_end,
            validation: train_end..validation_end,
            test: validation_end..len,
        })
    }
}
