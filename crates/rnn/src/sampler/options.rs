//! The options of sampling: temperature, top-k, top-p and seed.

use serde::{Deserialize, Serialize};

use crate::error::{Result, check_setting};

/// How to draw characters.
///
/// In a serialised form fields may be missing, which stand for their defaults; check what came from
/// outside with [`validate`](Self::validate).
///
/// ```
/// use rnn::SampleOptions;
///
/// let options: SampleOptions = serde_json::from_str(r#"{"temperature": 0.7}"#).unwrap();
/// assert_eq!(options, SampleOptions { temperature: 0.7, ..SampleOptions::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleOptions {
    /// Divides the logits; 0 always draws the likeliest character.
    pub temperature: f64,
    /// Draw only from this many of the likeliest characters.
    pub top_k: Option<usize>,
    /// Draw only from the likeliest characters that together have this probability.
    pub top_p: Option<f64>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        SampleOptions {
            temperature: 1.0,
            top_k: None,
            top_p: None,
            seed: 1,
        }
    }
}

impl SampleOptions {
    /// Options that always pick the likeliest character.
    pub fn greedy() -> Self {
        SampleOptions {
            temperature: 0.0,
            ..Self::default()
        }
    }

    /// Whether an option keeps the likeliest characters alone.
    pub(super) fn keeps_likeliest(&self) -> bool {
        self.top_k.is_some() || self.top_p.is_some()
    }

    /// Checks that the numbers are in range.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) naming the first that is not.
    pub fn validate(&self) -> Result<()> {
        let value = self.temperature;
        let valid = value.is_finite() && value >= 0.0;
        let expected = "finite and not negative (0 draws the likeliest)";
        check_setting("temperature", value, valid, expected)?;
        check_setting("top-k", 0.0, self.top_k != Some(0), "at least 1")?;
        let value = self.top_p.unwrap_or(1.0);
        check_setting("top-p", value, value > 0.0 && value <= 1.0, "in (0, 1]")
    }
}
