//! How the learning rate changes during training.
//!
//! With learning rate η, steps s = 0 … N−1, warm-up over w steps (Goyal et al. 2017), decay from step
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

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::patience::PlateauState;
use crate::choice::named;
use crate::error::{Error, Result, check_setting};

/// The shape of the decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decay {
    /// A straight line.
    Linear,
    /// Half a cosine wave: slow, fast, slow.
    Cosine,
}

/// The factor of the learning rate over the course of training.
///
/// Parsing a name gives the defaults:
///
/// ```
/// use rnn::optimizer::Schedule;
///
/// let schedule: Schedule = "plateau".parse()?;
/// assert_eq!(schedule, Schedule::Plateau { factor: 0.5, patience: 2 });
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// The same learning rate throughout.
    Constant,
    /// Linear warm-up, constant, then decay over the last part.
    WarmupDecay {
        /// Steps of linear warm-up; 0 starts at the full rate.
        warmup_steps: u64,
        /// Share of all steps over which the rate falls, in [0, 1].
        decay_fraction: f64,
        /// How it falls.
        decay: Decay,
        /// Factor at the last step, in [0, 1].
        floor: f64,
    },
    /// The full rate for some epochs, then lower by a factor after each.
    Exponential {
        /// Number of epochs after which the rate first falls; at least 1.
        after_epoch: u64,
        /// What the rate is multiplied by after each epoch, in (0, 1].
        #[serde(rename = "rate")]
        factor: f64,
    },
    /// Linear warm-up, then cosine decay to the end.
    Cosine {
        /// Steps of linear warm-up; 0 starts just below the full rate.
        warmup_steps: u64,
        /// Factor at the last step, in [0, 1].
        floor: f64,
    },
    /// Lower by a factor whenever the validation loss stops falling.
    Plateau {
        /// What the rate is multiplied by, in (0, 1).
        factor: f64,
        /// Evaluations in a row without improvement before the rate falls.
        patience: u64,
    },
}

/// All that the learning rate may depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Position {
    /// The next step, counted from 0.
    pub(crate) step: u64,
    /// Steps in all; `None` until a time limit fixes them. Decay does not begin before.
    pub(crate) max_steps: Option<u64>,
    /// Whole epochs done.
    pub(crate) epoch: u64,
    /// The factor that plateaus of the validation loss have left.
    pub(crate) plateau_scale: f64,
}

impl Schedule {
    /// Every schedule with its defaults.
    pub const ALL: [Self; 5] = [
        Self::Constant,
        Self::WarmupDecay {
            warmup_steps: 100,
            decay_fraction: 0.25,
            decay: Decay::Cosine,
            floor: 0.02,
        },
        Self::Exponential {
            after_epoch: 10,
            factor: 0.97,
        },
        Self::Cosine {
            warmup_steps: 100,
            floor: 0.02,
        },
        Self::Plateau {
            factor: 0.5,
            patience: 2,
        },
    ];

    /// The factor for the step at `position`.
    pub(crate) fn factor(&self, position: Position) -> f64 {
        match *self {
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
            Self::Exponential {
                after_epoch,
                factor,
            } => {
                let falls = (position.epoch.saturating_add(1)).saturating_sub(after_epoch);
                libm::pow(factor, falls as f64)
            }
            Self::Plateau { .. } => position.plateau_scale,
        }
    }

    /// The step from which the rate depends on `max_steps`, which may stay open until then. `None` for
    /// a rate that never depends on it.
    pub(crate) fn decay_start(&self, max_steps: u64) -> Option<u64> {
        match *self {
            Self::WarmupDecay { decay_fraction, .. } => {
                let decay_steps = (max_steps as f64 * decay_fraction).round() as u64;
                Some(max_steps.saturating_sub(decay_steps))
            }
            Self::Cosine { warmup_steps, .. } => Some(warmup_steps.min(max_steps)),
            Self::Constant | Self::Exponential { .. } | Self::Plateau { .. } => None,
        }
    }

    /// The least number of steps whose decay begins at `step` or later, so that it changes the rate of no
    /// step before. `None` if the decay always begins earlier; `step` itself if there is none.
    pub(crate) fn least_steps(&self, step: u64) -> Option<u64> {
        let fits = |steps| self.decay_start(steps).is_none_or(|start| start >= step);
        if !fits(u64::MAX) {
            return None;
        }
        // The start of the decay grows with the end, but it is rounded: a formula would sometimes be off
        // by one, so bisect. `most` always fits.
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

    /// The lower of warm-up and decay, so that they may overlap.
    fn ramps(&self, position: Position, warmup_steps: u64, decay: Decay, floor: f64) -> f64 {
        let done = position.step.saturating_add(1);
        let warmup = (done as f64 / warmup_steps.max(1) as f64).min(1.0);
        let decay_from = |n| Some((n, self.decay_start(n)?));
        let Some((max_steps, start)) = position.max_steps.and_then(decay_from) else {
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

    /// Notes a validation loss, which only [`Schedule::Plateau`] uses.
    pub(crate) fn observe(&self, plateau: &mut PlateauState, validation_loss: f64) {
        if let Self::Plateau { factor, patience } = *self {
            plateau.observe(validation_loss, factor, patience);
        }
    }

    /// Name and help.
    #[rustfmt::skip] // a table
    fn facts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Constant => ("constant", "Constant rate"),
            Self::WarmupDecay { .. } =>
                ("warmup-decay", "Linear warmup, constant, then decay over the last quarter"),
            Self::Exponential { .. } =>
                ("exponential", "Decay by a factor after each epoch, as in char-rnn"),
            Self::Cosine { .. } => ("cosine", "Linear warmup, then cosine decay"),
            Self::Plateau { .. } =>
                ("plateau", "Halve the rate when the validation loss stops falling"),
        }
    }

    /// The name that [`FromStr`] parses and [`Display`](fmt::Display) writes.
    pub fn name(&self) -> &'static str {
        self.facts().0
    }

    /// A few words on what it does.
    pub fn about(&self) -> &'static str {
        self.facts().1
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
            Self::Exponential {
                after_epoch,
                factor,
            } => {
                let valid = after_epoch >= 1;
                check_setting("decay epoch", after_epoch as f64, valid, "at least 1")?;
                let valid = factor > 0.0 && factor <= 1.0;
                check_setting("decay per epoch", factor, valid, "in (0, 1]")
            }
            Self::Cosine { floor, .. } => check_fraction("floor of the learning rate", floor),
            Self::Plateau { factor, .. } => {
                let valid = factor > 0.0 && factor < 1.0;
                check_setting("plateau factor", factor, valid, "in (0, 1)")
            }
        }
    }
}

fn check_fraction(name: &'static str, value: f64) -> Result<()> {
    check_setting(name, value, (0.0..=1.0).contains(&value), "in [0, 1]")
}

impl Default for Schedule {
    /// 100 steps of warm-up, then constant, then cosine decay to 2 % over the last quarter.
    fn default() -> Self {
        Self::ALL[1]
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Schedule {
    type Err = Error;

    /// The schedule of that name with its defaults; for `exponential` they are char-rnn's.
    fn from_str(name: &str) -> Result<Self> {
        named("schedule", Self::ALL, name)
    }
}
