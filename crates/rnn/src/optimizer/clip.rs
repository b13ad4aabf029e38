//! Clipping: keeps one steep gradient from throwing the parameters far away.
//!
//! By norm (Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
//! networks"), in the form of PyTorch's `clip_grad_norm_`, and by value:
//!
//! ```text
//! g ← g · min(1, limit / (‖g‖ + 1e-6))      ‖g‖ = √Σ gᵢ²  over all parameters together
//! gᵢ ← max(−limit, min(limit, gᵢ))
//! ```

use super::parts::{BLOCK, in_parts};
use crate::error::{Result, check_setting};
use serde::{Deserialize, Serialize};
use tensor::parallel::Parts;
use tensor::{Scalar, reduce, vectorize};

/// What PyTorch adds to the norm before dividing.
const NORM_OFFSET: f64 = 1e-6;

/// How gradients are limited before a step.
///
/// ```
/// use rnn::optimizer::Clip;
///
/// let mut grads = [3.0_f64, 4.0];
/// let norm = Clip::Norm(1.0).apply(&mut grads);
/// assert_eq!(norm, 5.0);
/// assert!((grads[0] - 0.6).abs() < 1e-6 && (grads[1] - 0.8).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Clip {
    /// Leaves gradients as they are.
    #[default]
    None,
    /// Scales all gradients together so that their Euclidean norm is at most this.
    Norm(f64),
    /// Limits each gradient to this size, up and down.
    Value(f64),
}

impl Clip {
    /// Checks the limit.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) when the limit is not finite and positive.
    pub fn validate(&self) -> Result<()> {
        let (name, value) = match *self {
            Self::None => return Ok(()),
            Self::Norm(limit) => ("clip norm", limit),
            Self::Value(limit) => ("clip value", limit),
        };
        let valid = value.is_finite() && value > 0.0;
        check_setting(name, value, valid, "finite and positive")
    }

    /// Clips `grads` in place and returns their norm from before.
    ///
    /// When that norm is not finite, `grads` stay untouched whatever the variant, so that no
    /// infinity is clipped into a number that looks sound: the caller must skip the step.
    pub fn apply<T: Scalar>(&self, grads: &mut [T]) -> f64 {
        let norm = global_norm(grads);
        if norm.is_finite() {
            match *self {
                Self::None => {}
                Self::Norm(limit) => {
                    let coefficient = limit / (norm + NORM_OFFSET);
                    if coefficient < 1.0 {
                        let coefficient = T::from_f64(coefficient);
                        each(
                            grads,
                            #[inline(always)]
                            move |g| g * coefficient,
                        );
                    }
                }
                Self::Value(limit) => {
                    let limit = T::from_f64(limit);
                    each(
                        grads,
                        #[inline(always)]
                        move |g| g.min(limit).max(-limit),
                    );
                }
            }
        }
        norm
    }
}

/// Replaces each gradient by a function of it.
fn each<T: Scalar>(grads: &mut [T], f: impl Fn(T) -> T + Copy + Sync) {
    in_parts(grads, |grads| {
        vectorize(
            #[inline(always)]
            move || {
                for g in grads.iter_mut() {
                    *g = f(*g);
                }
            },
        );
    });
}

/// Blocks whose sums are held at a time: 2 KiB on the stack, a million gradients.
const SUMS: usize = 256;

/// The Euclidean norm of all gradients together, √Σ gᵢ².
///
/// Squares are summed in f64 over blocks of 4,096 elements, and the blocks' sums added in
/// parameter order. Threads share out the blocks, never an addition, so the result has the same
/// bits on any number of them. It is not finite when a gradient is not.
fn global_norm<T: Scalar>(grads: &[T]) -> f64 {
    if grads.len() <= BLOCK {
        return sum_squares(grads).sqrt();
    }
    let mut total = 0.0;
    for grads in grads.chunks(SUMS * BLOCK) {
        let mut sums = [0.0; SUMS];
        let sums = &mut sums[..grads.len().div_ceil(BLOCK)];
        in_parts(Blocks(grads, sums), |Blocks(grads, sums)| {
            for (block, sum) in grads.chunks(BLOCK).zip(sums) {
                *sum = sum_squares(block);
            }
        });
        for &sum in &*sums {
            total += sum;
        }
    }
    total.sqrt()
}

/// Gradients and one sum for each block of them.
struct Blocks<'a, T>(&'a [T], &'a mut [f64]);

impl<T: Scalar> Parts for Blocks<'_, T> {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let (left, right) = self.0.split_at(middle);
        let (left_sums, right_sums) = self.1.split_at_mut(middle / BLOCK);
        (Blocks(left, left_sums), Blocks(right, right_sums))
    }
}

/// Σ gᵢ² of one block. A kernel of its own, since within the loop over blocks the compiler leaves
/// it scalar.
fn sum_squares<T: Scalar>(block: &[T]) -> f64 {
    vectorize(
        #[inline(always)]
        move || reduce::sum_squares_f64(block),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{golden, list, number, numbers};
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn follows_pytorch() {
        let golden = golden();
        let cases = list(&golden["clips"]);
        assert_eq!(cases.len(), 3);
        for case in cases {
            let limit = number(&case["limit"]);
            let clip = if case["kind"] == "norm" {
                Clip::Norm(limit)
            } else {
                Clip::Value(limit)
            };
            let mut grads = numbers(&golden["grads"][0]);
            let norm = clip.apply(&mut grads);
            assert_relative_eq!(norm, number(&case["norm"]), max_relative = 1e-14);
            for (&ours, theirs) in grads.iter().zip(numbers(&case["grads"])) {
                assert_relative_eq!(ours, theirs, max_relative = 1e-14, epsilon = 0.0);
            }
        }
    }

    /// An odd number of gradients over more than one stretch of block sums.
    fn many() -> Vec<f32> {
        let mut grads = vec![0.0; SUMS * BLOCK + 3 * BLOCK + 77];
        let mut rng = tensor::random::rng(5);
        tensor::random::uniform(&mut rng, -1.0, 1.0, &mut grads).unwrap();
        grads
    }

    #[test]
    fn norm_adds_blocks_in_order_on_any_number_of_threads() {
        let grads = many();
        let mut total = 0.0;
        for block in grads.chunks(4096) {
            total += reduce::sum_squares_f64(block);
        }
        let expected = total.sqrt();
        let plain = grads.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
        assert_relative_eq!(expected, plain.sqrt(), max_relative = 1e-12);
        assert_eq!(global_norm(&grads).to_bits(), expected.to_bits());
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let norm = pool.build().unwrap().install(|| global_norm(&grads));
            assert_eq!(norm.to_bits(), expected.to_bits(), "{threads} threads");
        }
        assert_eq!(global_norm::<f32>(&[]), 0.0);
    }

    #[test]
    fn clipping_shrinks_to_the_limit_and_never_enlarges() {
        let original = many();
        let mut grads = original.clone();
        let norm = Clip::Norm(2.0).apply(&mut grads);
        assert_eq!(norm, global_norm(&original));
        assert_relative_eq!(global_norm(&grads), 2.0, max_relative = 1e-6);

        for untouched in [Clip::None, Clip::Norm(norm + 1.0), Clip::Value(1.0)] {
            let mut grads = original.clone();
            assert_eq!(untouched.apply(&mut grads), norm);
            assert_eq!(grads, original);
        }

        let mut grads = original.clone();
        Clip::Value(0.25).apply(&mut grads);
        for (&clipped, &g) in grads.iter().zip(&original) {
            assert_eq!(clipped, g.clamp(-0.25, 0.25));
        }
    }

    #[test]
    fn gradients_that_are_not_finite_stay_visible() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for clip in [Clip::None, Clip::Norm(1.0), Clip::Value(1.0)] {
                let mut grads = vec![3.0; 10_000];
                grads[9_000] = bad;
                let bits = |grads: &[f32]| grads.iter().map(|g| g.to_bits()).collect::<Vec<_>>();
                let before = bits(&grads);
                assert!(!clip.apply(&mut grads).is_finite());
                assert_eq!(bits(&grads), before);
            }
        }
        // Squares beyond f32's range are not: they are summed in f64.
        assert_eq!(global_norm(&[3e30_f32, 4e30]) as f32, 5e30);
    }

    #[test]
    fn limits_out_of_range_are_named() {
        assert!(Clip::None.validate().is_ok() && Clip::Norm(5.0).validate().is_ok());
        assert_eq!(
            Clip::Norm(-1.0).validate().unwrap_err().to_string(),
            "clip norm must be finite and positive, got -1"
        );
        assert_eq!(
            Clip::Value(f64::INFINITY)
                .validate()
                .unwrap_err()
                .to_string(),
            "clip value must be finite and positive, got inf"
        );
    }
}
