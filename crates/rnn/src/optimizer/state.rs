//! An optimiser at work: its settings, and the numbers that it keeps for each parameter.

use std::ops::Range;

use tensor::Scalar;

use super::OptimizerConfig;
use crate::error::{Error, Result};
use crate::memory;

/// An optimiser with its state for a fixed number of parameters.
///
/// ```
/// use rnn::optimizer::{Optimizer, OptimizerConfig};
///
/// let mut optimizer = Optimizer::new(OptimizerConfig::SGD, 2)?;
/// let mut params = [1.0, 2.0];
/// optimizer.step(&mut params, &[0.5, -0.5], 0.1);
/// assert_eq!(params, [0.95, 2.05]);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer<T> {
    config: OptimizerConfig,
    /// The same without weight decay.
    undecayed: OptimizerConfig,
    len: usize,
    /// The first slice of state, in the order of `state_names`; empty when there is none.
    first: Vec<T>,
    /// The second.
    second: Vec<T>,
    steps: u64,
}

impl<T: Scalar> Optimizer<T> {
    /// An optimiser for `len` parameters that has taken no step: all state is zero.
    ///
    /// # Errors
    ///
    /// As [`OptimizerConfig::validate`], and [`Error::TooLarge`] where there is no memory for its state.
    pub fn new(config: OptimizerConfig, len: usize) -> Result<Self> {
        config.validate()?;
        let slots = config.state_names().len();
        let mut undecayed = config;
        if let Some(weight_decay) = undecayed.setting("weight decay") {
            *weight_decay = 0.0;
        }
        let zeros = |used: bool| memory::zeros(if used { len as u128 } else { 0 });
        Ok(Self {
            config,
            undecayed,
            len,
            first: zeros(slots > 0)?,
            second: zeros(slots > 1)?,
            steps: 0,
        })
    }

    /// Bytes of the state for so many parameters.
    pub(crate) fn bytes(config: &OptimizerConfig, parameters: u128) -> u128 {
        memory::bytes::<T>(parameters).saturating_mul(config.state_names().len() as u128)
    }

    /// The settings.
    pub fn config(&self) -> &OptimizerConfig {
        &self.config
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step down the gradient: updates `params` from `grads`, and the state.
    ///
    /// # Panics
    ///
    /// When `params` or `grads` have not the length given to [`Optimizer::new`].
    #[track_caller]
    pub fn step(&mut self, params: &mut [T], grads: &[T], learning_rate: f64) {
        self.step_decaying(
            params,
            grads,
            learning_rate,
            std::slice::from_ref(&(0..self.len)),
        );
    }

    /// As [`step`](Self::step), with weight decay for the parameters in `decayed` alone: ranges in
    /// ascending order.
    ///
    /// # Panics
    ///
    /// As [`step`](Self::step), and where a range lies outside or before another.
    #[track_caller]
    pub(crate) fn step_decaying(
        &mut self,
        params: &mut [T],
        grads: &[T],
        learning_rate: f64,
        decayed: &[Range<usize>],
    ) {
        assert!(
            params.len() == self.len && grads.len() == self.len,
            "optimiser for {} parameters got {} parameters and {} gradients",
            self.len,
            params.len(),
            grads.len(),
        );
        self.steps = self.steps.saturating_add(1);
        let mut step = |config: OptimizerConfig, at: Range<usize>| {
            // An optimiser with one slice of state, or none, has nothing in the others.
            let state = [&mut self.first, &mut self.second]
                .map(|state| state.get_mut(at.clone()).unwrap_or_default());
            let (params, grads) = (&mut params[at.clone()], &grads[at]);
            config.step(params, grads, state, learning_rate, self.steps);
        };
        if self.config == self.undecayed {
            return step(self.config, 0..self.len);
        }
        let mut done = 0;
        for range in decayed {
            step(self.undecayed, done..range.start);
            step(self.config, range.clone());
            done = range.end;
        }
        step(self.undecayed, done..self.len);
    }

    /// Resets the optimiser: all state zero, no steps taken.
    pub fn reset(&mut self) {
        self.first.fill(T::ZERO);
        self.second.fill(T::ZERO);
        self.steps = 0;
    }

    /// The state to save, by name, in the order of [`OptimizerConfig::state_names`]. With
    /// [`steps`](Self::steps) it is all that [`restore`](Self::restore) needs.
    pub fn state(&self) -> impl Iterator<Item = (&'static str, &[T])> {
        let slices = [&self.first[..], &self.second[..]];
        self.config.state_names().iter().copied().zip(slices)
    }

    /// Puts saved state back, so that the next step has the same bits as if training had never
    /// stopped. Slices are found by name; other names are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::OptimizerState`] if a slice is missing or has another length, or if one that keeps squares
    /// has a negative value. The optimiser is then unchanged.
    pub fn restore(&mut self, steps: u64, state: &[(&str, &[T])]) -> Result<()> {
        let empty: &[T] = &[];
        let mut found = [empty; 2];
        for (&name, found) in self.config.state_names().iter().zip(&mut found) {
            let slice = state.iter().find(|(other, _)| *other == name);
            let &(_, values) = slice.ok_or_else(|| {
                let what = format!("lacks {name:?}, which {} needs", self.config);
                Error::OptimizerState { what }
            })?;
            check_state(name, values, self.len).map_err(|what| Error::OptimizerState { what })?;
            *found = values;
        }
        self.first.copy_from_slice(found[0]);
        self.second.copy_from_slice(found[1]);
        self.steps = steps;
        Ok(())
    }
}

/// Checks the length of a slice of saved state, and that training can have left its values.
fn check_state<T: Scalar>(
    name: &str,
    values: &[T],
    expected: usize,
) -> std::result::Result<(), String> {
    let count = values.len();
    if count != expected {
        return Err(format!("{name:?} has {count} values, expected {expected}"));
    }
    // A huge gradient makes any value infinite or NaN, as it does the weights, and a run that stops there
    // must be able to continue. But a sum of squares is never negative.
    let is_square = !matches!(name, "momentum_buffer" | "exp_avg");
    match values.iter().position(|&v| is_square && v < T::ZERO) {
        Some(at) => Err(format!(
            "{name:?} must be at least 0, got {} at index {at}",
            values[at]
        )),
        None => Ok(()),
    }
}
