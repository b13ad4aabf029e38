//! Everything about training that influences its result, and nothing that does not.

use serde::{Deserialize, Serialize};

use crate::config::Init;
use crate::corpus::{self, Corpus, Records};
use crate::dropout::check_dropout;
use crate::error::{Error, Result};
use crate::loss::Reduction;
use crate::optimizer::{Clip, OptimizerConfig, Schedule, check_learning_rate};

/// How to train. Two runs with equal text, network and `TrainConfig` give equal bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Whether each line is a sequence of its own, from a zero state, lines shuffled each epoch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub records: bool,
    /// Parallel streams of text, or records, one row of the batch each.
    pub batch_size: usize,
    /// Steps between updates: the window of truncated BPTT.
    pub seq_length: usize,
    /// Steps that a gradient flows back; `None` is the whole window.
    pub horizon: Option<usize>,
    /// Whether a window's loss is the mean or the sum of its characters' losses.
    pub reduction: Reduction,
    /// Hold `bias_hh` at zero. An Elman layer needs one bias; training both doubles its step.
    pub freeze_recurrent_bias: bool,
    /// Probability that a unit of a layer's output is dropped in training.
    pub dropout: f64,
    /// The update rule.
    pub optimizer: OptimizerConfig,
    /// The learning rate that the schedule scales.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// How gradients are limited.
    pub clip: Clip,
    /// Steps in all; `None` while a time limit has not fixed them yet.
    pub max_steps: Option<u64>,
    /// Steps from one evaluation to the next.
    pub eval_every: u64,
    /// Evaluations in a row without improvement after which training ends.
    pub patience: Option<u64>,
    /// Seed of the initial weights and of dropout.
    pub seed: u64,
    /// How the weights start.
    pub init: Init,
}

impl TrainConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::ZeroSize`] or [`Error::InvalidSetting`] naming the first that is out of range.
    pub fn validate(&self) -> Result<()> {
        let sizes = [
            ("batch size", self.batch_size as u64),
            ("sequence length", self.seq_length as u64),
            ("horizon", self.horizon.unwrap_or(1) as u64),
            ("number of steps", self.max_steps.unwrap_or(1)),
            ("number of steps between evaluations", self.eval_every),
            ("patience", self.patience.unwrap_or(1)),
        ];
        if let Some(&(name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(Error::ZeroSize { name });
        }
        check_dropout(self.dropout)?;
        check_learning_rate(self.learning_rate)?;
        self.optimizer.validate()?;
        self.schedule.validate()?;
        self.clip.validate()?;
        self.init.validate()
    }

    /// The same for a text of which the first share is learned from: one too short for the batch
    /// or the window shrinks them, and the second value says so.
    ///
    /// # Errors
    /// As [`corpus::fit`], [`Corpus::split`] and, for records, [`Records::split`].
    pub fn fitted(mut self, corpus: &Corpus, shares: &[f64]) -> Result<(Self, Option<String>)> {
        if self.records {
            let learned = Records::of(corpus)?.split(shares, self.seed)?.train.len();
            let batch = self.batch_size;
            self.batch_size = batch.min(learned);
            let changed = (learned < batch).then(|| {
                format!("{learned} training lines are fewer than the batch of {batch}; using a batch of {learned}")
            });
            return Ok((self, changed));
        }
        let characters = corpus.split(shares)?.train.len();
        let fitted = corpus::fit(characters, self.batch_size, self.seq_length)?;
        (self.batch_size, self.seq_length) = (fitted.batch_size, fitted.seq_length);
        Ok((self, fitted.changed))
    }
}
