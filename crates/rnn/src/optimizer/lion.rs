//! Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"): every parameter moves
//! by the same amount, in the direction of the sign of its momentum.
//!
//! With learning rate η, gradient g, weight decay λ, and m = 0 at the start:
//!
//! ```text
//! c ← β₁ m + (1 − β₁) g
//! p ← p − η λ p − η sign(c)       sign(0) = 0
//! m ← β₂ m + (1 − β₂) g
//! ```
//!
//! Defaults are those of the paper's code (google/automl). Steps are larger than Adam's: the paper
//! uses a learning rate 3 to 10 times smaller and a weight decay as many times larger.

use super::parts::{flush, in_parts};
use tensor::{Scalar, vectorize};

/// One step; `exp_avg` is m.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    exp_avg: &mut [T],
    [beta1, beta2, weight_decay]: [f64; 3],
    learning_rate: f64,
) {
    // In f64, and rounded once.
    let keep = T::from_f64(1.0 - learning_rate * weight_decay);
    let learning_rate = T::from_f64(learning_rate);
    let (one_minus_beta1, one_minus_beta2) = (T::from_f64(1.0 - beta1), T::from_f64(1.0 - beta2));
    let (beta1, beta2) = (T::from_f64(beta1), T::from_f64(beta2));
    in_parts(((params, grads), exp_avg), |((params, grads), exp_avg)| {
        vectorize(
            #[inline(always)]
            move || {
                for ((p, &g), m) in params.iter_mut().zip(grads).zip(exp_avg.iter_mut()) {
                    let c = beta1 * *m + one_minus_beta1 * g;
                    let up = if c > T::ZERO { learning_rate } else { T::ZERO };
                    let down = if c < T::ZERO { learning_rate } else { T::ZERO };
                    *p = keep * *p - up + down;
                    *m = flush(beta2 * *m + one_minus_beta2 * g);
                }
            },
        );
    });
}
