//! The settings of training that influence its result, and no others.

use serde::{Deserialize, Serialize};

use crate::bptt::Window;
use crate::config::Init;
use crate::corpus::{self, Corpus, Records};
use crate::dropout::check_dropout;
use crate::error::{Error, Result, check_setting};
use crate::loss::Reduction;
use crate::optimizer::{Clip, OptimizerConfig, Schedule, check_learning_rate};
use crate::vocabulary::Id;

/// How to train. Two runs with equal text, network and `TrainConfig` give equal bits.
///
/// ```
/// use rnn::TrainConfig;
///
/// let config = TrainConfig { max_steps: Some(100), dropout: 0.0, ..TrainConfig::default() };
/// assert!(config.validate().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Whether each line is an independent example; lines are then shuffled every epoch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub records: bool,
    /// Streams of text, or rows of records, side by side.
    pub batch_size: usize,
    /// Parts of the batch, a power of two, whose gradients are computed apart and added pair by pair. As
    /// many [ranks](crate::ranks) can share them, and any number of ranks gives the same bits.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub shards: usize,
    /// Steps between updates: the window of truncated BPTT.
    pub seq_length: usize,
    /// Steps that a gradient flows back; `None` is the whole window.
    pub horizon: Option<usize>,
    /// Whether a window's loss is the mean or the sum of its characters' losses.
    pub reduction: Reduction,
    /// Whether `bias_hh` stays zero. An Elman layer needs one bias; training two doubles its step.
    pub freeze_recurrent_bias: bool,
    /// Probability that a unit of a layer's output is dropped in training.
    pub dropout: f64,
    /// Whether a dropped unit stays so for a whole window (Gal and Ghahramani 2016).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked_dropout: bool,
    /// Probability that a recurrent weight is dropped in a step (DropConnect).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight_dropout: f64,
    /// The update rule.
    pub optimizer: OptimizerConfig,
    /// The learning rate, which the schedule multiplies by a factor of at most 1.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// How gradients are limited.
    pub clip: Clip,
    /// Steps in all; `None` until a time limit fixes them.
    pub max_steps: Option<u64>,
    /// Steps from one evaluation to the next.
    pub eval_every: u64,
    /// Evaluations in a row without improvement after which training ends: at once, or with the decay
    /// of the learning rate, if the schedule has one that leads to the last step.
    pub patience: Option<u64>,
    /// Seed of the initial weights and of dropout.
    pub seed: u64,
    /// How the weights start.
    pub init: Init,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn one() -> usize {
    1
}

fn is_one(value: &usize) -> bool {
    *value == 1
}

impl TrainConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) naming the first that is out of range.
    pub fn validate(&self) -> Result<()> {
        let sizes = [
            ("batch size", self.batch_size as u64),
            ("sequence length", self.seq_length as u64),
            ("horizon", self.horizon.unwrap_or(1) as u64),
            ("number of steps", self.max_steps.unwrap_or(1)),
            ("number of steps between evaluations", self.eval_every),
            ("patience", self.patience.unwrap_or(1)),
        ];
        for (name, size) in sizes {
            check_setting(name, size as f64, size > 0, "at least 1")?;
        }
        let (batch, shards) = (self.batch_size, self.shards);
        let valid = shards.is_power_of_two();
        check_setting("number of shards", shards as f64, valid, "a power of two")?;
        let valid = batch.is_multiple_of(shards);
        let expected = "a multiple of the number of shards (--shards)";
        check_setting("batch size", batch as f64, valid, expected)?;
        check_dropout("dropout", self.dropout)?;
        check_dropout("weight dropout", self.weight_dropout)?;
        check_learning_rate(self.learning_rate)?;
        self.optimizer.validate()?;
        self.schedule.validate()?;
        self.clip.validate()?;
        self.init.validate()
    }

    /// The shape of a run's windows; for records with the id of the newline.
    pub(super) fn window(&self, newline: Option<Id>) -> Window {
        Window {
            batch_size: self.batch_size,
            seq_length: self.seq_length,
            horizon: self.horizon,
            reduction: self.reduction,
            restart: newline.filter(|_| self.records),
        }
    }

    /// These settings fitted to a text: one too short for the batch or the window shrinks them, and
    /// the second value says so.
    ///
    /// # Errors
    /// [`Error::TooShort`](crate::Error::TooShort), and as [`Corpus::split`] and, for records,
    /// [`Records::split`].
    pub fn fitted(mut self, corpus: &Corpus, shares: &[f64]) -> Result<(Self, Option<String>)> {
        let (batch, window) = (self.batch_size, self.seq_length);
        let learned = if self.records {
            let ids = corpus.ids().as_slice();
            let split = Records::of(corpus)?.split(ids, shares, self.seed)?;
            split.train.characters(ids)
        } else {
            corpus.split(shares)?.train.len()
        };
        // Of records, the first character is predicted, too.
        let read = learned + usize::from(self.records);
        (self.batch_size, self.seq_length) = corpus::fit(read, batch, window)?;
        let shards = self.shards.max(1);
        self.batch_size = (self.batch_size / shards * shards).max(shards);
        self.seq_length = self.seq_length.min((read - 1) / self.batch_size);
        if self.seq_length == 0 {
            return Err(Error::TooShort {
                characters: read,
                needed: shards + 1,
            });
        }
        let changed = format!(
            "training text of {learned} characters is short for a batch of {batch} windows of {window}: \
             using {} of {}",
            self.batch_size, self.seq_length
        );
        let is_changed = (self.batch_size, self.seq_length) != (batch, window);
        Ok((self, is_changed.then_some(changed)))
    }
}

impl Default for TrainConfig {
    /// Adam for 6,000 steps. [`recommended`](crate::recommended) fits the text.
    fn default() -> Self {
        TrainConfig {
            records: false,
            batch_size: 32,
            shards: 1,
            seq_length: 64,
            horizon: None,
            reduction: Reduction::Mean,
            freeze_recurrent_bias: false,
            dropout: 0.3,
            locked_dropout: false,
            weight_dropout: 0.0,
            optimizer: OptimizerConfig::ADAM,
            learning_rate: 4e-3,
            schedule: Schedule::default(),
            clip: Clip::Norm(5.0),
            max_steps: Some(6_000),
            eval_every: 250,
            patience: None,
            seed: 1,
            init: Init::default(),
        }
    }
}
