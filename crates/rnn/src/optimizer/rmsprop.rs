//! RMSprop (Tieleman and Hinton 2012, lecture 6.5 of "Neural networks for machine learning"): the
//! gradient divided by a running root of its mean square.
//!
//! With learning rate η, gradient g, smoothing α, and v = 0 at the start:
//!
//! ```text
//! v ← α v + (1 − α) g²
//! p ← p − η g / (√v + ε)
//! ```
//!
//! ε stands outside the root, as in PyTorch (and in Torch 7, so in char-rnn, which sets α = 0.95).

use super::parts::{flush, in_parts};
use tensor::{Scalar, vectorize};

/// One step; `square_avg` is v.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    square_avg: &mut [T],
    learning_rate: f64,
    alpha: f64,
    eps: f64,
) {
    let learning_rate = T::from_f64(learning_rate);
    // Subtracted before rounding to `T`: in f32, 1 − 0.99 would lose five of its digits.
    let one_minus_alpha = T::from_f64(1.0 - alpha);
    let (alpha, eps) = (T::from_f64(alpha), T::from_f64(eps));
    in_parts(
        ((params, grads), square_avg),
        |((params, grads), square_avg)| {
            vectorize(
                #[inline(always)]
                move || {
                    for ((p, &g), v) in params.iter_mut().zip(grads).zip(square_avg.iter_mut()) {
                        *v = flush(alpha * *v + one_minus_alpha * g * g);
                        *p -= learning_rate * g / (v.sqrt() + eps);
                    }
                },
            );
        },
    );
}
