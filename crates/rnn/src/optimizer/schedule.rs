//! How the learning rate changes while training goes on.
//!
//! With base rate η, steps s = 0 … N−1, warm-up over w steps (Goyal et al. 2017), decay from step
//! d to the last over a shape f that falls from 1 to 0, and a floor c as a share of η:
//!
//! ```text
//! constant       η
//! warmup-decay   η · min((s + 1) / w, c + (1 − c) f(x)),   x = (s + 1 − d) / (N − d)
//!                  linear: f(x) = 1 − x      cosine: f(x) = (1 + cos πx) / 2
//! cosine         the same, cosine shape, d = w          (Loshchilov and Hutter 2017, SGDR)
//! exponential    η · r^max(0, e + 1 − a)    after e whole epochs, from epoch a on (char-rnn)
//! plateau        η · scale;  scale ← factor · scale after more than `patience` evaluations in a
//!                row without improvement         (PyTorch's ReduceLROnPlateau)
//! ```
//!
//! So step w − 1 is the first at the full rate and step N − 1 the one at the floor.

use super::config::check;
use super::patience::PlateauState;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// How the learning rate falls from its full value to the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Along a straight line.
    Linear,
    /// Along half a cosine wave: slow, fast, slow.
    Cosine,
}

/// The learning rate over the course of training.
///
/// ```
/// use rnn::optimizer::{PlateauState, Position, Schedule};
///
/// let schedule: Schedule = "warmup-decay".parse()?;
/// let at = |step| Position { step, max_steps: Some(1000), epoch: 0 };
/// let plateau = PlateauState::default();
/// assert_eq!(schedule.rate(0.002, at(500), &plateau), 0.002);
/// assert!(schedule.rate(0.002, at(900), &plateau) < 0.001);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The base rate throughout.
    Constant,
    /// Up in a straight line, constant, then down over the last part.
    WarmupDecay {
        /// Steps until the base rate is reached; 0 starts with it.
        warmup_steps: u64,
        /// Share of all steps over which the rate falls, in [0, 1].
        decay_fraction: f64,
        /// How it falls.
        decay: Decay,
        /// Share of the base rate at the last step, in [0, 1].
        floor: f64,
    },
    /// The base rate for some epochs, then a little less after each.
    Exponential {
        /// The rate first falls when this many epochs are done; at least 1.
        after_epoch: u64,
        /// What the rate is multiplied by at each epoch's end, in (0, 1].
        rate: f64,
    },
    /// Up in a straight line, then down half a cosine wave to the end.
    Cosine {
        /// Steps until the base rate is reached; 0 starts next to it.
        warmup_steps: u64,
        /// Share of the base rate at the last step, in [0, 1].
        floor: f64,
    },
    /// Less whenever the validation loss stops falling.
    Plateau {
        /// What the rate is multiplied by, in (0, 1).
        factor: f64,
        /// Evaluations in a row without improvement that change nothing yet.
        patience: u64,
    },
}

/// How far training has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The step about to be taken, counted from 0.
    pub step: u64,
    /// Steps in all; `None` while that is open, as when training goes by the clock. No decay
    /// begins before it is known.
    pub max_steps: Option<u64>,
    /// Whole epochs done.
    pub epoch: u64,
}

impl Schedule {
    /// The learning rate of the step at `position`, given the `base` rate. Only
    /// [`Schedule::Plateau`] looks at `plateau`.
    pub fn rate(&self, base: f64, position: Position, plateau: &PlateauState) -> f64 {
        let factor = match *self {
            Self::Constant => 1.0,
            Self::WarmupDecay {
                warmup_steps,
                decay,
                floor,
                ..
            } => self.ramps(position, warmup_steps, decay, floor),
            Self::Cosine {
                warmup_steps,
                floor,
            } => self.ramps(position, warmup_steps, Decay::Cosine, floor),
            Self::Exponential { after_epoch, rate } => {
                let falls = (position.epoch.saturating_add(1)).saturating_sub(after_epoch);
                libm::pow(rate, falls as f64)
            }
            Self::Plateau { .. } => plateau.scale,
        };
        base * factor
    }

    /// The step from which the rate depends on `max_steps`: until then the number of steps may
    /// stay open. `None` when it never depends on it.
    pub fn decay_start(&self, max_steps: u64) -> Option<u64> {
        match *self {
            Self::WarmupDecay { decay_fraction, .. } => {
                let decay_steps = (max_steps as f64 * decay_fraction).round() as u64;
                Some(max_steps.saturating_sub(decay_steps))
            }
            Self::Cosine { warmup_steps, .. } => Some(warmup_steps.min(max_steps)),
            Self::Constant | Self::Exponential { .. } | Self::Plateau { .. } => None,
        }
    }

    /// The least number of steps whose decay begins at `step` or later, so that the rates of all
    /// steps before are what they are while the number is open. `None` where every number puts the
    /// beginning before `step`; `step` itself for a schedule that never asks.
    pub(crate) fn least_steps(&self, step: u64) -> Option<u64> {
        let fits = |max_steps| {
            self.decay_start(max_steps)
                .is_none_or(|start| start >= step)
        };
        if !fits(u64::MAX) {
            return None;
        }
        // The beginning moves back with the end, by rounded numbers: halving finds the very step
        // where a formula would be wrong by one now and then. `most` fits throughout.
        let (mut below, mut most) = (step, u64::MAX);
        while below < most {
            let middle = below + (most - below) / 2;
            if fits(middle) {
                most = middle;
            } else {
                below = middle + 1;
            }
        }
        Some(most)
    }

    /// Share of the base rate: the lower of warm-up and decay, so that they may overlap.
    fn ramps(&self, position: Position, warmup_steps: u64, decay: Decay, floor: f64) -> f64 {
        let done = position.step.saturating_add(1);
        let warmup = if done < warmup_steps {
            done as f64 / warmup_steps as f64
        } else {
            1.0
        };
        let Some((max_steps, start)) = position
            .max_steps
            .and_then(|n| Some((n, self.decay_start(n)?)))
        else {
            return warmup;
        };
        if done <= start || start == max_steps {
            return warmup;
        }
        let x = ((done - start) as f64 / (max_steps - start) as f64).min(1.0);
        let shape = match decay {
            Decay::Linear => 1.0 - x,
            Decay::Cosine => 0.5 * (1.0 + libm::cos(PI * x)),
        };
        warmup.min(floor + (1.0 - floor) * shape)
    }

    /// Tells the schedule a new validation loss. `true` when the rate falls because of it; only
    /// [`Schedule::Plateau`] ever does that.
    pub fn observe(&self, plateau: &mut PlateauState, validation_loss: f64) -> bool {
        let Self::Plateau { factor, patience } = *self else {
            return false;
        };
        plateau.observe(validation_loss, factor, patience)
    }

    /// The name that [`FromStr`] takes and [`Display`](fmt::Display) writes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::WarmupDecay { .. } => "warmup-decay",
            Self::Exponential { .. } => "exponential",
            Self::Cosine { .. } => "cosine",
            Self::Plateau { .. } => "plateau",
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] naming the first that is not finite or out of range.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::Constant => Ok(()),
            Self::WarmupDecay {
                decay_fraction,
                floor,
                ..
            } => {
                check_fraction("decay fraction", decay_fraction)?;
                check_fraction("floor of the learning rate", floor)
            }
            Self::Exponential { after_epoch, rate } => {
                check(
                    "decay epoch",
                    after_epoch as f64,
                    after_epoch >= 1,
                    "at least 1",
                )?;
                check(
                    "decay per epoch",
                    rate,
                    rate > 0.0 && rate <= 1.0,
                    "in (0, 1]",
                )
            }
            Self::Cosine { floor, .. } => check_fraction("floor of the learning rate", floor),
            Self::Plateau { factor, .. } => check(
                "plateau factor",
                factor,
                factor > 0.0 && factor < 1.0,
                "in (0, 1)",
            ),
        }
    }
}

fn check_fraction(name: &'static str, value: f64) -> Result<()> {
    check(name, value, (0.0..=1.0).contains(&value), "in [0, 1]")
}

impl Default for Schedule {
    /// 100 steps of warm-up, then constant, then linear decay to 0 over the last quarter.
    fn default() -> Self {
        Self::WarmupDecay {
            warmup_steps: 100,
            decay_fraction: 0.25,
            decay: Decay::Linear,
            floor: 0.0,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Schedule {
    type Err = Error;

    /// The schedule of that name with its usual settings: char-rnn's for `exponential` (0.97 after
    /// epoch 10), PyTorch's for `plateau` (factor 0.1, patience 10).
    fn from_str(name: &str) -> Result<Self> {
        [
            Self::Constant,
            Self::default(),
            Self::Exponential {
                after_epoch: 10,
                rate: 0.97,
            },
            Self::Cosine {
                warmup_steps: 100,
                floor: 0.0,
            },
            Self::Plateau {
                factor: 0.1,
                patience: 10,
            },
        ]
        .into_iter()
        .find(|schedule| schedule.name() == name)
        .ok_or_else(|| Error::UnknownName {
            what: "schedule",
            expected: "constant, warmup-decay, exponential, cosine, plateau",
            value: name.to_owned(),
        })
    }
}
