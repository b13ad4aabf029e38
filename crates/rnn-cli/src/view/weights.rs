//! The model in the page: its weights in as many digits as there is room for.
//!
//! | the page's weights are | if | probabilities differ from the program's by |
//! |---|---|---|
//! | the model's own | they take at most half the room | the rounding of the arithmetic alone |
//! | multiples of `2^-k` | they fit so | at most [`CLOSE`] |
//! | multiples of a larger `2^-k` | they fit so, and not in more digits | at most [`ROUGH`], told on the page |
//! | left out | nothing of the above | |
//!
//! The differences are measured with each page, over the first characters of its text.

use rnn::insight::Rounding;
use rnn::{Id, Model, memory};
use serde_json::{Value, json};

use super::pack;

/// Half of the difference promised between the page's probabilities and the program's, 1e-5: another
/// text than the one that it is measured on has room for more.
const CLOSE: f64 = 5e-6;
/// The difference at which a page without the model is better: a hundredth of a probability.
const ROUGH: f64 = 1e-2;
/// Characters of the text that differences are measured on.
const MEASURED: usize = 5000;
/// Numbers below `2^24` are exact in the script's single precision.
const EXACT_BITS: i32 = 24;
/// Characters that a weight takes at least: 6 bits, 6.5 to a character.
const LEAST: f64 = 6.0 / 6.5;

/// Weights as they stand in a page.
pub(super) struct Weights {
    pub(super) rounding: Rounding,
    planes: usize,
    count: usize,
    /// Packed.
    pub(super) text: String,
}

impl Weights {
    /// The weights in the most digits that leave the page within `room` characters; `None` if they
    /// do not fit or would say too little.
    ///
    /// # Errors
    /// Memory runs out.
    pub(super) fn fit(model: &Model, ids: &[Id], room: usize) -> rnn::Result<Option<Self>> {
        let ids = &ids[..ids.len().min(MEASURED)];
        let weights = model.network().parameters().as_slice();
        if weights.len() as f64 * LEAST > room as f64 {
            return Ok(None);
        }
        // Four bytes each, as numbers of single precision hardly pack.
        if weights.len() * 5 <= room / 2 {
            return Ok(Some(Self::new(
                model,
                Rounding::measure(model, ids, None)?,
            )?));
        }
        let largest = weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
        let most = EXACT_BITS - 1 - f64::from(largest).log2().floor().max(-100.0) as i32;
        let rounding = match Rounding::within(model, ids, CLOSE, most)? {
            Some(rounding) => rounding,
            None => Rounding::measure(model, ids, Some(most))?,
        };
        let mut fitting = Self::new(model, rounding)?;
        while fitting.text.len() > room {
            // Each digit less saves a bit of each weight.
            let surplus = (fitting.text.len() - room) as f64;
            let fewer = (surplus * 6.5 / weights.len() as f64).ceil() as i32;
            let Some(digits) = fitting.rounding.digits else {
                return Ok(None);
            };
            let digits = digits - fewer.max(1);
            fitting = Self::new(
                model,
                Rounding {
                    digits: Some(digits),
                    change: f64::NAN,
                },
            )?;
        }
        if fitting.rounding.change.is_nan() {
            fitting.rounding = Rounding::measure(model, ids, fitting.rounding.digits)?;
        }
        Ok((fitting.rounding.change <= ROUGH).then_some(fitting))
    }

    /// About the characters of the weights in as many digits as nobody notices, 21 bits each.
    pub(super) fn close_size(model: &Model) -> usize {
        model.network().parameters().len() * 42 / 13
    }

    /// Whether the page's probabilities are the program's to 1e-5.
    pub(super) fn are_close(&self) -> bool {
        self.rounding.change <= 2.0 * CLOSE
    }

    fn new(model: &Model, rounding: Rounding) -> rnn::Result<Self> {
        let weights = model.network().parameters().as_slice();
        let mut numbers: Vec<i32> = memory::room(weights.len())?;
        match rounding.digits {
            None => numbers.extend(weights.iter().map(|w| w.to_bits().cast_signed())),
            Some(digits) => {
                let double = rnn::insight::rounded(model.network(), Some(digits))?;
                let steps = 2.0f64.powi(digits);
                let whole = double.parameters().as_slice().iter().map(|w| w * steps);
                numbers.extend(whole.map(|number| number as i32));
            }
        }
        let most = numbers.iter().map(|&number| number.unsigned_abs()).max();
        let planes = match (rounding.digits, most.unwrap_or(0)) {
            (None, _) => 4,
            (_, ..0x80) => 1,
            (_, ..0x8000) => 2,
            (_, ..0x80_0000) => 3,
            _ => 4,
        };
        let text = pack::pack(&pack::planes(&numbers, planes)?, numbers.len())?;
        Ok(Weights {
            rounding,
            planes,
            count: weights.len(),
            text,
        })
    }

    /// What the script must know of them.
    pub(super) fn describe(&self) -> Value {
        json!({
            "count": self.count,
            "planes": self.planes,
            "digits": self.rounding.digits,
            "change": self.rounding.change,
        })
    }
}
