//! Dropout between layers and before the decoder (Zaremba, Sutskever and Vinyals 2014), and of recurrent
//! weights (DropConnect: Wan et al. 2013; in an LSTM: Merity, Keskar and Socher 2018).
//!
//! Each unit of a layer's output is zero with probability `p` and scaled by `1/(1-p)` otherwise. A
//! *locked* mask is the same at all times of a window (Gal and Ghahramani 2016). The recurrent path has no
//! dropout of units, but its weights may be dropped, for a whole window.
//!
//! A hash of (seed, step, layer, time, row, unit) decides, so the order of the work does not matter, and
//! the backward pass computes the mask again instead of storing it.

use tensor::{Scalar, vectorize};

use crate::error::{Result, check_setting};
use crate::parameters::Parameters;

/// Checks a dropout probability.
///
/// # Errors
/// [`Error::InvalidSetting`](crate::Error::InvalidSetting) outside of `[0, 1)`.
pub(crate) fn check_dropout(name: &'static str, probability: f64) -> Result<()> {
    let valid = (0.0..1.0).contains(&probability);
    check_setting(name, probability, valid, "in [0, 1)")
}

/// The dropout of one training step: the mask depends on seed and step only.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    probability: f64,
    is_locked: bool,
    key: u32,
}

/// What the hash of each mask begins with.
const OF_UNITS: u32 = 0x6472_6f70;
const OF_WEIGHTS: u32 = 0x7765_6967;

impl Dropout {
    /// Dropout with probability `probability` for training step `step`.
    ///
    /// # Panics
    /// If the probability is not in `[0, 1)`.
    #[track_caller]
    pub fn new(probability: f64, seed: u64, step: u64) -> Self {
        if let Err(error) = check_dropout("dropout", probability) {
            panic!("{error}");
        }
        Self::keyed(OF_UNITS, probability, seed, step)
    }

    /// The same mask at all times of the window, if `is_locked`.
    pub fn locked(self, is_locked: bool) -> Self {
        Dropout { is_locked, ..self }
    }

    fn keyed(kind: u32, probability: f64, seed: u64, step: u64) -> Self {
        let words = [
            seed as u32,
            (seed >> 32) as u32,
            step as u32,
            (step >> 32) as u32,
        ];
        Dropout {
            probability,
            is_locked: false,
            key: words
                .into_iter()
                .fold(kind, |key, word| mix(key ^ mix(word))),
        }
    }

    /// Writes a row of units times the mask to `out`; without `units` it multiplies `out` by the mask. The
    /// row is at `[layer, time, row]`.
    pub(crate) fn apply<T: Scalar>(&self, at: [usize; 3], units: Option<&[T]>, out: &mut [T]) {
        let [layer, time, row] = at;
        let at = [layer, if self.is_locked { 0 } else { time }, row];
        let key = at
            .into_iter()
            .fold(self.key, |key, word| mix(key ^ mix(word as u32)));
        let threshold = (self.probability * 4_294_967_296.0) as u32;
        let kept = T::from_f64(1.0 / (1.0 - self.probability));
        vectorize(
            #[inline(always)]
            move || match units {
                Some(units) => {
                    for (unit, (out, &x)) in out.iter_mut().zip(units).enumerate() {
                        *out = x * factor(key, unit, threshold, kept);
                    }
                }
                None => {
                    for (unit, out) in out.iter_mut().enumerate() {
                        *out *= factor(key, unit, threshold, kept);
                    }
                }
            },
        );
    }
}

/// The dropout of recurrent weights in one training step.
pub(crate) struct WeightDropout(Dropout);

impl WeightDropout {
    /// As [`Dropout::new`].
    pub(crate) fn new(probability: f64, seed: u64, step: u64) -> Self {
        WeightDropout(Dropout::keyed(OF_WEIGHTS, probability, seed, step))
    }

    /// Multiplies the recurrent weights, or their gradients, by the mask.
    pub(crate) fn apply<T: Scalar>(&self, parameters: &mut Parameters<T>) {
        let (layout, data) = parameters.parts_mut();
        for (k, layer) in layout.layers.iter().enumerate() {
            let weights = &mut data[layer.weight_hh.range()];
            for (row, weights) in weights.chunks_exact_mut(layer.weight_hh.cols).enumerate() {
                self.0.apply([k, 0, row], None, weights);
            }
        }
    }
}

/// Mixes 32 bits so that every input bit affects every output bit. The constants are the low-bias pair
/// from Wellons' search of two-round xor-shift-multiply hashes.
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[inline(always)]
fn factor<T: Scalar>(key: u32, unit: usize, threshold: u32, kept: T) -> T {
    if mix(key ^ (unit as u32).wrapping_mul(0x9e37_79b9)) >= threshold {
        kept
    } else {
        T::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_mean_and_drops_the_share_asked_for() {
        let dropout = Dropout::new(0.3, 7, 11);
        let (ones, mut out) = (vec![1.0f64; 100_000], vec![0.0; 100_000]);
        dropout.apply([0, 1, 2], Some(&ones), &mut out);
        let dropped = out.iter().filter(|&&x| x == 0.0).count();
        assert!(
            (29_400..30_600).contains(&dropped),
            "{dropped} of 100000 dropped"
        );
        assert!((out.iter().sum::<f64>() / 1e5 - 1.0).abs() < 0.01);
    }

    #[test]
    fn probabilities_that_keep_nothing_or_mean_nothing_are_refused() {
        for wrong in [1.0, 1.5, -0.1, f64::NAN, f64::INFINITY] {
            let refused = std::panic::catch_unwind(|| Dropout::new(wrong, 1, 1)).unwrap_err();
            let message = refused.downcast_ref::<String>().unwrap();
            assert!(
                message.starts_with("dropout must be in [0, 1), got "),
                "{message}"
            );
        }
    }

    #[test]
    fn the_backward_mask_is_the_forward_one_and_every_coordinate_counts() {
        let dropout = Dropout::new(0.5, 1, 2);
        let (ones, mut forward, mut backward) = (vec![1.0f32; 257], vec![0.0; 257], vec![1.0; 257]);
        dropout.apply([1, 2, 3], Some(&ones), &mut forward);
        dropout.apply([1, 2, 3], None, &mut backward);
        assert_eq!(forward, backward);
        for at in [[0, 2, 3], [1, 3, 2], [1, 2, 4]] {
            let mut other = vec![1.0; 257];
            dropout.apply(at, None, &mut other);
            assert_ne!(forward, other);
        }
        let mut other_step = vec![1.0; 257];
        Dropout::new(0.5, 1, 3).apply([1, 2, 3], None, &mut other_step);
        assert_ne!(forward, other_step);
    }
}
